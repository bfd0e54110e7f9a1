using System.Net;

namespace TokenFactory.Gateway.Virtual;

/// <summary>How a virtual engine answers, beside how fast.</summary>
public sealed record VirtualOptions
{
    /// <summary>Where it listens; port 0 for any that is free. Default: loopback, any port.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>What chance follows from: lengths and words of answers, faults.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Mean length in tokens of answers that end by themselves, at least 1.</summary>
    public double MeanOutputTokens { get; init; } = 256;

    /// <summary>Standard deviation of the logarithm of that length; 0 for all alike.</summary>
    public double OutputSpread { get; init; } = 0.6;

    /// <summary>Longest body in bytes.</summary>
    public long BodyBytes { get; init; } = 256L << 20;

    /// <summary>Most writes of tokens a second to all streams: with more streams than that, several tokens leave at once. First tokens and
    /// ends
    /// are never held back.</summary>
    public int WritesPerSecond { get; init; } = 25_000;

    /// <summary>Faults from the start, in the words of <see cref="FaultPlan.Parse"/>; empty for none.</summary>
    public string Faults { get; init; } = "";

    /// <summary>Whether POST /virtual/faults may change the faults while it runs.</summary>
    public bool FaultControl { get; init; }
}
