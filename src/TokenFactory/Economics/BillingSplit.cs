using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>What a span of time asks for.</summary>
/// <param name="Hours">How long, above zero.</param>
/// <param name="FirmGpus">GPUs that must not be taken away.</param>
/// <param name="InterruptibleGpus">GPUs for work that may be interrupted.</param>
public readonly record struct Demand(double Hours, double FirmGpus, double InterruptibleGpus)
{
    /// <summary>Both kinds together.</summary>
    public double Gpus => FirmGpus + InterruptibleGpus;

    /// <summary>The same span with its demand scaled.</summary>
    public Demand Times(double factor) => new(Hours, FirmGpus * factor, InterruptibleGpus * factor);
}

/// <summary>A GPU that is paid for in every hour, and so much more while it is used.</summary>
/// <param name="Name">"reserved-3y", "owned".</param>
/// <param name="Fixed">Per GPU and hour, always.</param>
/// <param name="WhileUsed">Per GPU and hour of use: energy of owned hardware, nothing for a reservation.</param>
public sealed record Commitment(string Name, UsdPerHour Fixed, UsdPerHour WhileUsed);

/// <summary>The ways to pay for a GPU-hour.</summary>
/// <param name="OnDemand">Per GPU-hour, always to be had.</param>
/// <param name="Spot">
/// Effective price of a useful GPU-hour on spot, restarts paid for; null where there is none. Only for interruptible work.
/// </param>
/// <param name="Commitments">What can be committed to.</param>
public sealed record PriceMenu(UsdPerHour OnDemand, UsdPerHour? Spot, IReadOnlyList<Commitment> Commitments)
{
    /// <summary>The cheaper of on-demand and spot, for work that may be interrupted.</summary>
    public UsdPerHour Flexible => Spot is { } spot && spot < OnDemand ? spot : OnDemand;
}

/// <summary>So many GPUs of a commitment.</summary>
/// <param name="Commitment">Which.</param>
/// <param name="Gpus">How many.</param>
public readonly record struct Committed(Commitment Commitment, double Gpus);

/// <summary>What a demand curve costs under a set of commitments.</summary>
/// <param name="Commitment">Paid for commitments, used or not, and their use.</param>
/// <param name="OnDemand">Paid on demand.</param>
/// <param name="Spot">Paid for spot, restarts in it.</param>
/// <param name="CommittedGpuHours">Hours of committed GPUs that were used.</param>
/// <param name="OnDemandGpuHours">Hours rented on demand.</param>
/// <param name="SpotGpuHours">Useful hours on spot.</param>
public readonly record struct BillingCost(
    Usd Commitment, Usd OnDemand, Usd Spot, double CommittedGpuHours, double OnDemandGpuHours, double SpotGpuHours)
{
    /// <summary>Everything paid.</summary>
    public Usd Total => Commitment + OnDemand + Spot;
}

/// <summary>How much to commit to, and what then follows.</summary>
/// <param name="Commitments">What to commit to; only those above zero.</param>
/// <param name="Cost">What the curve costs with them.</param>
public sealed record BillingPlan(IReadOnlyList<Committed> Commitments, BillingCost Cost)
{
    /// <summary>GPUs committed, all kinds together.</summary>
    public double CommittedGpus => Commitments.Sum(committed => committed.Gpus);
}

/// <summary>What a plan made for one forecast costs when demand comes out differently.</summary>
/// <param name="Error">Demand over forecast less 1: 0.2 = 20 % more than forecast.</param>
/// <param name="Plan">What the plan costs then.</param>
/// <param name="Best">What the best plan would have cost, had one known.</param>
public readonly record struct ForecastRegret(double Error, Usd Plan, Usd Best)
{
    /// <summary>What not knowing cost.</summary>
    public Usd Regret => Plan - Best;
}

/// <summary>
/// The best split of a demand curve over commitments, on-demand and spot: the screening curve on the load-duration curve
///. Exact: the GPUs stack into levels, firm work fills the lower ones, every level is used for a share of the
/// time that does not grow with its height, and takes the way to pay that is cheapest for that share.
/// </summary>
public static class BillingSplit
{
    /// <summary>The commitments of least cost. Between ties the smaller commitment wins.</summary>
    /// <param name="demand">The spans of time; hours are weighed.</param>
    /// <param name="menu">The ways to pay.</param>
    public static BillingPlan Best(IReadOnlyList<Demand> demand, PriceMenu menu)
    {
        var (levels, firmHours, allHours) = Duration(demand);
        var hours = demand.Sum(span => span.Hours);
        var flexible = menu.Flexible.Value;
        var onDemand = menu.OnDemand.Value;
        var gpus = new double[menu.Commitments.Count];
        for (var i = 0; i + 1 < levels.Length; i++)
        {
            var (firm, interruptible) = (firmHours[i], allHours[i] - firmHours[i]);
            var (best, cheapest) = (-1, (firm * onDemand) + (interruptible * flexible));
            for (var k = 0; k < gpus.Length; k++)
            {
                var (paid, used) = (menu.Commitments[k].Fixed.Value, menu.Commitments[k].WhileUsed.Value);
                var cost = (hours * paid) + (firm * Math.Min(used, onDemand)) + (interruptible * Math.Min(used, flexible));
                if (cost < cheapest - (1e-12 * hours))
                    (best, cheapest) = (k, cost);
            }

            if (best >= 0)
                gpus[best] += levels[i + 1] - levels[i];
        }

        var commitments = menu.Commitments.Select((commitment, k) => new Committed(commitment, gpus[k])).Where(c => c.Gpus > 0).ToList();
        return new BillingPlan(commitments, Cost(demand, menu, commitments));
    }

    /// <summary>What a demand curve costs under given commitments, dispatched at least cost in every span.</summary>
    public static BillingCost Cost(IReadOnlyList<Demand> demand, PriceMenu menu, IReadOnlyList<Committed> commitments)
    {
        var stack = commitments.OrderBy(committed => committed.Commitment.WhileUsed.Value).ToList();
        var hours = demand.Sum(span => span.Hours);
        var (used, onDemand, spot) = (new double[stack.Count], 0.0, 0.0);
        var spotPays = menu.Spot is { } price && price < menu.OnDemand;
        foreach (var span in demand)
        {
            var (firm, interruptible) = (span.FirmGpus, span.InterruptibleGpus);
            for (var k = 0; k < stack.Count; k++)
            {
                var whileUsed = stack[k].Commitment.WhileUsed;
                var takesFirm = whileUsed <= menu.OnDemand ? Math.Min(firm, stack[k].Gpus) : 0;
                var takesRest = whileUsed <= menu.Flexible ? Math.Min(interruptible, stack[k].Gpus - takesFirm) : 0;
                used[k] += (takesFirm + takesRest) * span.Hours;
                (firm, interruptible) = (firm - takesFirm, interruptible - takesRest);
            }

            onDemand += (spotPays ? firm : firm + interruptible) * span.Hours;
            spot += spotPays ? interruptible * span.Hours : 0;
        }

        var committed = stack
            .Select((c, k) => (c.Gpus * hours * c.Commitment.Fixed.Value) + (used[k] * c.Commitment.WhileUsed.Value))
            .Sum();
        return new BillingCost(
            new Usd((decimal)committed),
            new Usd((decimal)(onDemand * menu.OnDemand.Value)),
            new Usd((decimal)(spot * menu.Flexible.Value)),
            used.Sum(), onDemand, spot);
    }

    /// <summary>What the plan made for the forecast costs when demand is off by each of the errors.</summary>
    /// <param name="forecast">What the plan was made for.</param>
    /// <param name="menu">The ways to pay.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="errors">Demand over forecast less 1, each above -1.</param>
    public static IReadOnlyList<ForecastRegret> Regret(
        IReadOnlyList<Demand> forecast, PriceMenu menu, BillingPlan plan, IEnumerable<double> errors) =>
        [.. errors.Select(error =>
        {
            var actual = forecast.Select(span => span.Times(1 + error)).ToList();
            return new ForecastRegret(error, Cost(actual, menu, plan.Commitments).Total, Best(actual, menu).Cost.Total);
        })];

    /// <summary>The levels where the load-duration curve steps, ascending from zero, and the hours in which demand exceeds each.</summary>
    private static (double[] Levels, double[] FirmHours, double[] AllHours) Duration(IReadOnlyList<Demand> demand)
    {
        var (firm, firmHours) = Sorted(demand, span => span.FirmGpus);
        var (all, allHours) = Sorted(demand, span => span.Gpus);
        var levels = new double[firm.Length + all.Length + 1];
        firm.CopyTo(levels, 1);
        all.CopyTo(levels, firm.Length + 1);
        Array.Sort(levels);
        return (levels, HoursAbove(levels, firm, firmHours), HoursAbove(levels, all, allHours));
    }

    private static (double[] Gpus, double[] Hours) Sorted(IReadOnlyList<Demand> demand, Func<Demand, double> gpus)
    {
        var keys = demand.Select(gpus).ToArray();
        var hours = demand.Select(span => span.Hours).ToArray();
        Array.Sort(keys, hours);
        return (keys, hours);
    }

    private static double[] HoursAbove(double[] levels, double[] gpus, double[] hours)
    {
        var above = new double[levels.Length];
        var (next, exceeded) = (gpus.Length - 1, 0.0);
        for (var i = levels.Length - 1; i >= 0; i--)
        {
            for (; next >= 0 && gpus[next] > levels[i]; next--)
                exceeded += hours[next];
            above[i] = exceeded;
        }

        return above;
    }
}
