namespace TokenFactory.Planning.Mix;

/// <summary>A replica that can be had: a model on GPUs in some shape, from someone, paid for somehow.</summary>
public sealed record MixOption
{
    /// <summary>What it is called in answers.</summary>
    public required string Name { get; init; }

    /// <summary>Key of the accelerator.</summary>
    public string Gpu { get; init; } = "";

    /// <summary>GPUs of a replica.</summary>
    public int Gpus { get; init; } = 1;

    /// <summary>
    /// Dollars an hour of a replica that the plan decides about, without what is paid for whole machines: 0 for a commitment that is paid
    /// anyway.
    /// </summary>
    public double UsdPerHour { get; init; }

    /// <summary>Dollars an hour of a replica that are paid, whenever that was decided.</summary>
    public double PaidUsdPerHour { get; init; }

    /// <summary>Watts of a replica at the site's meter.</summary>
    public double Watts { get; init; }

    /// <summary>
    /// By bucket of the problem: the share of a replica that one request a second of it takes at its promise; infinite where the
    /// promise cannot be kept, or the model is another.
    /// </summary>
    public required IReadOnlyList<double> Loads { get; init; }

    /// <summary>GPUs of a replica that come from each stock, by its key.</summary>
    public IReadOnlyDictionary<string, int> Draws { get; init; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Whether the provider may take it away (spot).</summary>
    public bool Interruptible { get; init; }

    /// <summary>What is taken away together, when it is: a GPU type in a zone. Empty for the option alone.</summary>
    public string Pool { get; init; } = "";

    /// <summary>Share of the time in which the pool is gone, 0 to 1.</summary>
    public double Unavailable { get; init; }

    /// <summary>Replicas that there must be.</summary>
    public int Least { get; init; }

    /// <summary>Replicas that there may be; null for any number.</summary>
    public int? Most { get; init; }

    /// <summary>GPUs of a replica that come from a stock.</summary>
    internal int Draw(string stock) => Draws.TryGetValue(stock, out var gpus) ? gpus : 0;

    /// <summary>The pool's key, of its own where none is given.</summary>
    internal string Domain => Pool.Length > 0 ? Pool : Name;
}

/// <summary>Requests that are alike: of one service, in one range of input and output lengths, with one promise.</summary>
public sealed record MixBucket
{
    /// <summary>What it is called in answers.</summary>
    public required string Name { get; init; }

    /// <summary>The service that it belongs to.</summary>
    public string Service { get; init; } = "default";

    /// <summary>How many come each second.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>Share of the time in which its promise may break; 1 for work without one, which may be interrupted.</summary>
    public double LostTolerated { get; init; }

    /// <summary>Dollars that an answered request brings.</summary>
    public double ValuePerRequest { get; init; }

    /// <summary>Whether requests may be turned away where revenue is the objective.</summary>
    public bool MayBeRefused { get; init; }

    /// <summary>Whether it has a promise.</summary>
    public bool Promised => LostTolerated < 1;
}
