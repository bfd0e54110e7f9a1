using MathNet.Numerics.LinearAlgebra.Double;

namespace TokenFactory.Performance.Calibration;

/// <summary>
/// Factors that deployments with a trait in common share beyond what the step model explains: how mature an engine's kernels for a model
/// are, options that labels do not tell. Fitted as random effects: each kind of likeness has a variance, so that a trait seen once moves
/// little and an unseen one nothing.
/// </summary>
public sealed class Corrections
{
    /// <summary>No correction moves a time by more than this factor either way (as a natural logarithm).</summary>
    public const double Limit = 0.7;

    /// <summary>Deployments that are off by more than this (as a natural logarithm) run something else than their labels say.</summary>
    public const double Another = 0.9;

    private readonly IReadOnlyList<Likeness> _likenesses;
    private readonly Dictionary<string, double> _logFactors;

    /// <summary>Corrections from a table.</summary>
    /// <param name="likenesses">The kinds of likeness.</param>
    /// <param name="logFactors">Natural logarithm of the factor by level, as <see cref="Likeness.Level"/> names it.</param>
    public Corrections(IReadOnlyList<Likeness> likenesses, IReadOnlyDictionary<string, double> logFactors) =>
        (_likenesses, _logFactors) = (likenesses, new Dictionary<string, double>(logFactors, StringComparer.Ordinal));

    /// <summary>No corrections.</summary>
    public static Corrections None { get; } = new([], new Dictionary<string, double>());

    /// <summary>Natural logarithm of the factor by level.</summary>
    public IReadOnlyDictionary<string, double> LogFactors => _logFactors;

    /// <summary>What the last fit did not look at, as it is off by more than <see cref="Another"/>; not kept in tables.</summary>
    public IReadOnlyList<SetAside> SetAside { get; private init; } = [];

    /// <summary>The factor on the model's time (or power) for a deployment.</summary>
    public double Factor(Traits traits)
    {
        double log = 0;
        foreach (var likeness in _likenesses)
            log += _logFactors.GetValueOrDefault(likeness.Level(traits));
        return Math.Exp(Math.Clamp(log, -Limit, Limit));
    }

    /// <summary>These corrections and what a later fit found on top of them.</summary>
    public Corrections Plus(Corrections later)
    {
        var sums = new Dictionary<string, double>(_logFactors, StringComparer.Ordinal);
        foreach (var (level, log) in later._logFactors)
            sums[level] = sums.GetValueOrDefault(level) + log;
        return new Corrections([.. _likenesses.Union(later._likenesses)], sums) { SetAside = later.SetAside };
    }

    /// <summary>Fits the corrections to what the model leaves over.</summary>
    /// <param name="left">Traits and natural logarithm of measured over modelled, row by row.</param>
    /// <param name="likenesses">The kinds of likeness, each with its variance.</param>
    /// <param name="noise">Variance of a group's own that nothing shares.</param>
    public static Corrections Fit(IEnumerable<(Traits Traits, double Log)> left, IReadOnlyList<Likeness> likenesses, double noise)
    {
        const double rowNoise = 0.05;
        var alike = left.GroupBy(row => row.Traits)
            .Select(group => (Traits: group.Key, Log: Median([.. group.Select(row => row.Log)]), Rows: group.Count()))
            .ToLookup(group => Math.Abs(group.Log) < Another);
        var groups = alike[true].ToList();
        SetAside[] aside = [.. alike[false].Select(group => new SetAside(group.Traits, Math.Exp(group.Log), group.Rows))];
        if (groups.Count == 0)
            return new Corrections(likenesses, new Dictionary<string, double>()) { SetAside = aside };
        var levels = groups.Select(group => likenesses.Select(likeness => likeness.Level(group.Traits)).ToArray()).ToList();
        var likeness = DenseMatrix.Create(groups.Count, groups.Count, (i, j) =>
        {
            double shared = i == j ? noise + (rowNoise / groups[i].Rows) : 0;
            for (var k = 0; k < likenesses.Count; k++)
            {
                if (levels[i][k] == levels[j][k])
                    shared += likenesses[k].Variance;
            }

            return shared;
        });
        var pulls = likeness.Cholesky().Solve(DenseVector.Create(groups.Count, i => groups[i].Log));
        var factors = new Dictionary<string, double>(StringComparer.Ordinal);
        for (var i = 0; i < groups.Count; i++)
        {
            for (var k = 0; k < likenesses.Count; k++)
                factors[levels[i][k]] = factors.GetValueOrDefault(levels[i][k]) + (likenesses[k].Variance * pulls[i]);
        }

        return new Corrections(likenesses, factors) { SetAside = aside };
    }

    /// <summary>The middle of the numbers; the mean of the two middle ones of an even count.</summary>
    internal static double Median(double[] numbers)
    {
        Array.Sort(numbers);
        var middle = numbers.Length / 2;
        return numbers.Length % 2 == 1 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
    }
}

/// <summary>Deployments so far from the model that they are taken to run something else than their labels say.</summary>
/// <param name="Traits">What they have in common.</param>
/// <param name="Ratio">Median of measured over modelled.</param>
/// <param name="Rows">Measured rows.</param>
public sealed record SetAside(Traits Traits, double Ratio, int Rows);

/// <summary>A kind of likeness: deployments that agree in these traits share a correction of this variance (of the logarithm).</summary>
/// <param name="Traits">Names of the traits, "model+bits+engine".</param>
/// <param name="Variance">Variance of the shared correction.</param>
public sealed record Likeness(string Traits, double Variance)
{
    private readonly string[] _names = Traits.Split('+');

    /// <summary>The level that a deployment is on, "model=llama-3.1-70b bits=8 engine=vllm".</summary>
    public string Level(Traits traits) => string.Join(' ', _names.Select(name => $"{name}={Value(traits, name)}"));

    private static string Value(Traits traits, string name) => name switch
    {
        "model" => traits.Model,
        "gpu" => traits.Gpu,
        "engine" => traits.Engine,
        "vendor" => traits.Vendor,
        "architecture" => traits.Architecture,
        "bits" => traits.Bits,
        "spread" => traits.Spread,
        "mode" => traits.Mode,
        "speculation" => traits.Speculation,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "No such trait"),
    };
}
