namespace TokenFactory.Workload;

/// <summary>
/// A stream of random numbers that follows from a seed and a name alone (SplitMix64): every subsystem, session or replica has its own, so
/// that one that draws more does not move what the others draw.
/// </summary>
public sealed class Draws
{
    private ulong _state;

    /// <summary>A stream.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="name">What draws from it, "arrivals chat".</param>
    /// <param name="index">Which of several alike, a session or a replica.</param>
    public Draws(ulong seed, string name, long index = 0)
    {
        var hash = 14695981039346656037UL;
        foreach (var letter in name)
            hash = (hash ^ letter) * 1099511628211UL;
        _state = Mix(seed ^ Mix(hash ^ Mix((ulong)index)));
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Bits()
    {
        _state += 0x9E3779B97F4A7C15UL;
        return Mix(_state);
    }

    /// <summary>Evenly from 0 (included) to 1 (excluded).</summary>
    public double Share() => (Bits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Evenly from 0 (excluded) to 1 (included): its logarithm is finite.</summary>
    public double PositiveShare() => 1 - Share();

    /// <summary>Evenly between 0 and 1, both excluded: every quantile of it is finite.</summary>
    public double InnerShare() => ((Bits() >> 12) + 0.5) * (1.0 / (1UL << 52));

    /// <summary>A whole number from 0 to below <paramref name="count"/>, at least 1.</summary>
    public int Below(int count) => (int)(Share() * count);

    /// <summary>The identity that follows from a seed, a name and a number: never 0, which stands for none.</summary>
    public static ulong Identity(ulong seed, string name, long index = 0)
    {
        var bits = new Draws(seed, name, index).Bits();
        return bits == 0 ? 1 : bits;
    }

    /// <summary>Scatters the bits of a number over all of another.</summary>
    public static ulong Mix(ulong bits)
    {
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9UL;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBUL;
        return bits ^ (bits >> 31);
    }
}
