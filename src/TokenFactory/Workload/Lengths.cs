namespace TokenFactory.Workload;

/// <summary>Lengths of a prompt (or of what a user adds to it) and of its answer, in tokens, both at least 1.</summary>
public abstract record Lengths
{
    /// <summary>Mean length of a prompt in tokens.</summary>
    public abstract double MeanInput { get; }

    /// <summary>Mean length of an answer in tokens.</summary>
    public abstract double MeanOutput { get; }

    /// <summary>A prompt and its answer.</summary>
    public abstract (int Input, int Output) Draw(Draws draws);
}

/// <summary>Each from its own distribution, linked where long prompts go with long or short answers.</summary>
/// <param name="Input">Tokens of a prompt.</param>
/// <param name="Output">Tokens of an answer.</param>
/// <param name="Correlation">Correlation of the two on the scale of the normal distribution (a Gaussian copula), from -1 to 1.</param>
public sealed record PairedLengths(Spread Input, Spread Output, double Correlation = 0) : Lengths
{
    /// <inheritdoc/>
    public override double MeanInput => Input.Mean;

    /// <inheritdoc/>
    public override double MeanOutput => Output.Mean;

    /// <inheritdoc/>
    public override (int Input, int Output) Draw(Draws draws)
    {
        var (first, second) = (draws.InnerShare(), draws.InnerShare());
        if (Correlation != 0)
        {
            var z = (Correlation * Normal.Quantile(first)) + (Math.Sqrt(1 - (Correlation * Correlation)) * Normal.Quantile(second));
            second = Math.Clamp(Normal.Share(z), 1e-15, 1 - 1e-15);
        }

        return (Input.WholeAt(first), Output.WholeAt(second));
    }
}

/// <summary>One of some recorded pairs, each as likely as the others: what belongs together stays together.</summary>
public sealed record SampledLengths : Lengths
{
    private readonly (int Input, int Output)[] _pairs;

    /// <summary>Pairs to draw from, at least one.</summary>
    public SampledLengths(IEnumerable<(int Input, int Output)> pairs)
    {
        _pairs = [.. pairs];
        if (_pairs.Length == 0)
            throw new ArgumentException("Nothing to draw from: give one pair or more.", nameof(pairs));
    }

    /// <summary>Pairs held.</summary>
    public IReadOnlyList<(int Input, int Output)> Pairs => _pairs;

    /// <inheritdoc/>
    public override double MeanInput => _pairs.Average(pair => (double)pair.Input);

    /// <inheritdoc/>
    public override double MeanOutput => _pairs.Average(pair => (double)pair.Output);

    /// <inheritdoc/>
    public override (int Input, int Output) Draw(Draws draws) => _pairs[draws.Below(_pairs.Length)];
}

/// <summary>Keeps a fair sample of a stream of any length in bounded memory (reservoir sampling).</summary>
/// <typeparam name="T">What is sampled.</typeparam>
public sealed class Reservoir<T>
{
    /// <summary>Most items that are kept unless told.</summary>
    public const int Usual = 16_384;

    private readonly Draws _draws = new(0, "reservoir");
    private readonly List<T> _kept = [];
    private readonly int _most;

    /// <summary>An empty sample.</summary>
    /// <param name="most">Most items that are kept.</param>
    public Reservoir(int most = Usual) => _most = most;

    /// <summary>What was kept; in order of the stream where all of it was.</summary>
    public IReadOnlyList<T> Kept => _kept;

    /// <summary>How many went by.</summary>
    public long Seen { get; private set; }

    /// <summary>Shows it the next item.</summary>
    public void Add(T item)
    {
        Seen++;
        if (_kept.Count < _most)
        {
            _kept.Add(item);
            return;
        }

        var place = (long)(_draws.Share() * Seen);
        if (place < _most)
            _kept[(int)place] = item;
    }
}
