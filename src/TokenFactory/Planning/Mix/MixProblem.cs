namespace TokenFactory.Planning.Mix;

/// <summary>What a mix is to be best at.</summary>
public enum MixObjective
{
    /// <summary>Fewest dollars an hour.</summary>
    UsdPerHour,

    /// <summary>Fewest watts.</summary>
    Watts,

    /// <summary>Most revenue less cost.</summary>
    Profit,
}

/// <summary>What can keep a mix from being better, or from being.</summary>
public enum MixLimitKind
{
    /// <summary>A stock of GPUs; the key is the stock's.</summary>
    Stock,

    /// <summary>Dollars an hour.</summary>
    UsdPerHour,

    /// <summary>Watts.</summary>
    Watts,

    /// <summary>GPUs of all options together.</summary>
    Gpus,

    /// <summary>Replicas of an option; the key is its name.</summary>
    Most,

    /// <summary>What is asked for; the key is a bucket's name, or empty for all alike.</summary>
    Demand,

    /// <summary>A bucket that no option can serve at its promise; the key is its name.</summary>
    Promise,

    /// <summary>A bucket with a promise that only one pool could serve, which may be taken away; the key is its name.</summary>
    JointPreemption,
}

/// <summary>One limit of a problem.</summary>
/// <param name="Kind">Of what.</param>
/// <param name="Key">Which, where there may be several; else empty.</param>
public readonly record struct MixLimit(MixLimitKind Kind, string Key = "");

/// <summary>A machine that is rented whole.</summary>
/// <param name="Gpus">GPUs in it.</param>
/// <param name="UsdPerHour">Dollars an hour of the whole machine.</param>
public readonly record struct MixMachine(int Gpus, double UsdPerHour)
{
    /// <summary>The stock that its GPUs count to; null for the one by whose key it is listed.</summary>
    public string? Stock { get; init; }

    /// <summary>Machines that hold so many GPUs.</summary>
    public int For(int gpus) => (gpus + Gpus - 1) / Gpus;
}

/// <summary>What is asked for, what can be had, and what limits it.</summary>
public sealed record MixProblem
{
    /// <summary>What can be had.</summary>
    public required IReadOnlyList<MixOption> Options { get; init; }

    /// <summary>What is asked for.</summary>
    public required IReadOnlyList<MixBucket> Buckets { get; init; }

    /// <summary>GPUs that there are, by stock; a stock that is not listed has no limit.</summary>
    public IReadOnlyDictionary<string, int> Stocks { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>
    /// Machines, by the stock whose GPUs stand in them: they are rented whole, and their GPUs are shared by whatever replicas fit. A stock
    /// that is not listed is paid for GPU by GPU, in the price of its options.
    /// </summary>
    public IReadOnlyDictionary<string, MixMachine> Machines { get; init; } = new Dictionary<string, MixMachine>(StringComparer.Ordinal);

    /// <summary>Most dollars an hour, of those that the plan decides about; null for no limit.</summary>
    public double? MostUsdPerHour { get; init; }

    /// <summary>Most watts at the site's meter; null for no limit.</summary>
    public double? MostWatts { get; init; }

    /// <summary>Most GPUs; null for no limit.</summary>
    public int? MostGpus { get; init; }

    /// <summary>
    /// Replicas that every option with promised work holds above what that work needs: 1 keeps the promises when a replica fails.
    /// Work without a promise may run on them meanwhile.
    /// </summary>
    public int Spare { get; init; }

    /// <summary>What to be best at.</summary>
    public MixObjective Objective { get; init; }

    /// <summary>The same problem with one limit moved up: what is it worth? Of demand: scaled by 1 plus the amount.</summary>
    /// <param name="limit">A limit that has an amount: not a promise, and no joint preemption.</param>
    /// <param name="by">By how much, in the limit's unit.</param>
    public MixProblem With(MixLimit limit, double by) => limit.Kind switch
    {
        MixLimitKind.Stock => this with
        {
            Stocks = Stocks.ToDictionary(
                stock => stock.Key, stock => stock.Value + (stock.Key == limit.Key ? (int)by : 0), StringComparer.Ordinal),
        },
        MixLimitKind.UsdPerHour => this with { MostUsdPerHour = MostUsdPerHour + by },
        MixLimitKind.Watts => this with { MostWatts = MostWatts + by },
        MixLimitKind.Gpus => this with { MostGpus = MostGpus + (int)by },
        MixLimitKind.Most => this with
        {
            Options = [.. Options.Select(option => option.Name == limit.Key ? option with { Most = option.Most + (int)by } : option)],
        },
        MixLimitKind.Demand => this with { Buckets = [.. Buckets.Select(bucket => Scaled(bucket, limit.Key, 1 + by))] },
        _ => throw new ArgumentException($"A {limit.Kind} has no amount.", nameof(limit)),
    };

    private static MixBucket Scaled(MixBucket bucket, string key, double factor) =>
        key.Length == 0 || bucket.Name == key ? bucket with { RequestsPerSecond = bucket.RequestsPerSecond * factor } : bucket;
}
