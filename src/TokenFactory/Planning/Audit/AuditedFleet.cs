using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>What spot capacity is like: how long a machine stays, how soon another is offered.</summary>
/// <param name="UpHours">Mean hours that a machine stays.</param>
/// <param name="DownHours">Mean hours until another is offered.</param>
public readonly record struct SpotTerms(double UpHours, double DownHours)
{
    /// <summary>
    /// Means of a trace of one V100 at AWS: us-west-2b, 2023-04-22, of skypilot-org/spot-traces. Nobody has published such of newer GPUs.
    /// </summary>
    public static SpotTerms Usual { get; } = new(3.13, 0.817);

    /// <summary>Share of the time in which a machine that was asked for is there.</summary>
    public double Availability => UpHours / (UpHours + DownHours);

    /// <summary>
    /// Replicas that are paid on average so that at least <paramref name="needed"/> are there for a share of the time: the fewest asked
    /// for with that chance, each there independently of the others, times their availability.
    /// </summary>
    /// <param name="needed">Replicas that must be there.</param>
    /// <param name="share">Share of the time.</param>
    public double PaidFor(int needed, double share)
    {
        var asked = needed;
        while (asked < 10 * (needed + 10) && ChanceOf(needed, asked) < share)
            asked++;
        return Math.Max(needed, asked * Availability);
    }

    /// <summary>Chance that at least so many of those asked for are there: a binomial tail.</summary>
    private double ChanceOf(int needed, int asked)
    {
        double there = 0, term = Math.Pow(1 - Availability, asked);
        for (var k = 0; k <= asked; k++)
        {
            if (k >= needed)
                there += term;
            term *= (asked - k) / (k + 1.0) * Availability / (1 - Availability);
        }

        return there;
    }
}

/// <summary>A fleet as it runs, or as it would run: what its pools are ordered as, under which policies and traffic.</summary>
/// <param name="Policies">Everything beside the pools; its own pools are not looked at.</param>
/// <param name="Pools">The pools.</param>
public sealed record AuditedFleet(FleetPlan Policies, IReadOnlyList<PoolOrder> Pools)
{
    /// <summary>Pools that a lever put on spot, by name, with what their spares are held for: the others pay their list price.</summary>
    public IReadOnlyDictionary<string, (SpotTerms Terms, double Share)> OnSpot { get; init; } =
        new Dictionary<string, (SpotTerms, double)>(StringComparer.Ordinal);

    /// <summary>GPUs of all replicas at the beginning.</summary>
    public int Gpus => Pools.Sum(pool => pool.Replicas * pool.Deployment.Gpus);

    /// <summary>Dollars per hour of all replicas at the beginning, spares of spot pools included.</summary>
    public double UsdPerHour => Pools.Sum(pool => pool.Replicas * pool.Deployment.Gpus * Price(pool));

    /// <summary>Whether anything of it is paid for by the hour.</summary>
    public bool Priced => Pools.Any(pool => pool.UsdPerGpuHour > 0);

    /// <summary>The fleet as the twin runs it.</summary>
    public FleetPlan Plan() => Policies with { Pools = [.. Pools.Select(pool => (pool with { UsdPerGpuHour = Price(pool) }).Plan())] };

    /// <summary>The same with other numbers of replicas.</summary>
    /// <param name="replicas">One for each pool.</param>
    public AuditedFleet With(IReadOnlyList<int> replicas) =>
        this with { Pools = [.. Pools.Select((pool, i) => pool with { Replicas = replicas[i] })] };

    /// <summary>Dollars per hour of a GPU that is needed: of spot, with its share of the spares.</summary>
    private double Price(PoolOrder pool) => OnSpot.TryGetValue(pool.Name, out var spot) && pool.Replicas > 0
        ? pool.UsdPerGpuHour * spot.Terms.PaidFor(pool.Replicas, spot.Share) / pool.Replicas
        : pool.UsdPerGpuHour;
}
