using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Performance.Calibration;

/// <summary>
/// Fits a <see cref="CalibrationSet"/> to measured points, one thing after the other, each on what those before leave over: factors of step
/// terms, corrections of times, factors of first-token terms, rates, power.
/// </summary>
public sealed class Calibrator
{
    /// <summary>Fewer rows than this identify nothing.</summary>
    public const int FewestRows = 20;

    /// <summary>The kinds of likeness that correct times per token.</summary>
    public static IReadOnlyList<Likeness> TimeLikenesses { get; } =
    [
        new("model", 0.02),
        new("model+engine", 0.02),
        new("model+bits+vendor", 0.01),
        new("model+bits+engine+vendor", 0.02),
        new("bits+vendor", 0.005),
        new("spread+model", 0.05),
        new("spread+engine+vendor", 0.005),
        new("spread+architecture", 0.01),
    ];

    /// <summary>
    /// The kinds of likeness that correct, on top, times of deployments that speculate or split prefill from decode: these never move
    /// a plain one.
    /// </summary>
    public static IReadOnlyList<Likeness> VariantLikenesses { get; } =
    [
        new("mode+speculation", 0.02),
        new("spread+bits+mode+speculation", 0.05),
        new("mode+speculation+engine+vendor", 0.02),
        new("model+mode+speculation", 0.02),
        new("model+bits+engine+mode+speculation", 0.02),
    ];

    /// <summary>
    /// The kinds of likeness that correct tokens per second where everything is given at once: how full engines keep a model's batches,
    /// and lengths that benchmarks of it do not publish.
    /// </summary>
    public static IReadOnlyList<Likeness> OfflineLikenesses { get; } = [new("model", 0.03), new("model+bits", 0.03)];

    /// <summary>The kinds of likeness that correct times to the first token.</summary>
    public static IReadOnlyList<Likeness> FirstTokenLikenesses { get; } =
        [new("model+engine", 0.02), new("model+engine+speculation", 0.05), new("model+mode+speculation", 0.02)];

    /// <summary>The kinds of likeness that correct watts.</summary>
    public static IReadOnlyList<Likeness> WattLikenesses { get; } =
    [
        new("model", 0.03),
        new("model+vendor", 0.02),
        new("model+bits+vendor", 0.02),
        new("mode+speculation", 0.01),
    ];

    private const double GlobalPull = 5;
    private const double KnownPull = 200;
    private const double StackPull = 20;
    private const double StackPullPerRow = 0.2;

    /// <summary>Share of a factor that all rows together must decide, else it stays what is assumed before any measurement.</summary>
    private const double DecidedByAll = 0.5;

    /// <summary>Share of a factor that a group's rows must decide, else it stays the common one.</summary>
    private const double DecidedByGroup = 0.1;

    private const double PowerPullPerRow = 0.3;
    private const double TimeNoise = 0.05;
    private const double VariantNoise = 0.15;
    private const double WattNoise = 0.02;

    private readonly IReadOnlyList<Sample> _samples;
    private readonly CalibrationSet _prior;
    private readonly double _globalPull;

    /// <summary>A calibrator over samples of serving and of power.</summary>
    /// <param name="samples">What was measured.</param>
    /// <param name="prior">
    /// What is known already, for a fleet of its own to be calibrated on top of others' measurements; null to start from physics alone.
    /// </param>
    public Calibrator(IReadOnlyList<Sample> samples, CalibrationSet? prior = null)
    {
        _samples = Sample.Distinct(samples.Where(sample => sample.Counts));
        _prior = prior ?? CalibrationSet.Prior;
        _globalPull = prior is null ? GlobalPull : KnownPull;
    }

    /// <summary>Fits everything.</summary>
    /// <param name="included">Which samples may be looked at.</param>
    public CalibrationSet Fit(Predicate<Sample>? included = null)
    {
        var samples = included is null ? _samples : [.. _samples.Where(sample => included(sample))];
        var held = new HashSet<string>(_prior.Assumed, StringComparer.Ordinal);
        var set = _prior with { Steps = Steps(samples, held), Assumed = held };
        set = set with { Times = set.Times.Plus(Times(samples, set, plain: true)) };
        set = set with { Variants = set.Variants.Plus(Times(samples, set, plain: false)) };
        set = set with { FirstTokens = FirstTokens(samples, set, held) };
        set = set with { FirstTokenTimes = set.FirstTokenTimes.Plus(FirstTokenTimes(samples, set)) };
        set = set with { Rates = RatesOf(samples, set) };
        set = set with { Offline = set.Offline.Plus(Offline(samples, set)) };
        set = set with { Power = Power(samples, set, held) };
        return set with { Watts = set.Watts.Plus(Watts(samples, set)) };
    }

    private Dictionary<string, StepTerms> Steps(IReadOnlyList<Sample> samples, HashSet<string> held)
    {
        var rows = samples.Where(s => s.Plain && !s.Point.Speculates && s.Point.MeasuredTpot > 0)
            .Select(s => (s.Traits.Stack, Row: TermArrays.Of(s.TokenTerms, 1e3 / s.Point.MeasuredTpot!.Value)))
            .ToList();
        double[] most = [.. Enum.GetValues<StepTerm>().Select(Priors.MostStep)];
        var known = _prior.Steps.ToDictionary(pair => pair.Key, pair => TermArrays.Of(pair.Value), StringComparer.Ordinal);
        return ByGroup<StepTerm>("step", rows, known, most, held)
            .ToDictionary(pair => pair.Key, pair => TermArrays.To<StepTerms>(pair.Value), StringComparer.Ordinal);
    }

    private static Corrections Times(IReadOnlyList<Sample> samples, CalibrationSet set, bool plain)
    {
        var predictor = new Predictor(set);
        var left = new List<(Traits, double)>();
        foreach (var sample in samples.Where(s => s.Point.MeasuredTpot > 0 && s.Load.Arrival is Arrival.ClosedLoop or Arrival.StaticBatch))
        {
            if (plain != (sample.Aggregated && !sample.Point.Speculates))
                continue;
            var modelled = predictor.Predict(sample.Prepared).Tpot;
            if (modelled > 0)
                left.Add((sample.Traits, Math.Log(sample.Point.MeasuredTpot!.Value / 1e3 / modelled)));
        }

        return plain ? Corrections.Fit(left, TimeLikenesses, TimeNoise) : Corrections.Fit(left, VariantLikenesses, VariantNoise);
    }

    private Dictionary<string, FirstTokenTerms> FirstTokens(IReadOnlyList<Sample> samples, CalibrationSet set, HashSet<string> held)
    {
        var rows = new List<(string, double[])>();
        foreach (var sample in samples.Where(s => s.Plain && s.Point.MeasuredTtft > 0))
        {
            var eye = new Lens(sample.Prepared, set);
            var inFlight = sample.Prepared.InFlight;
            var (mix, _, tpot) = eye.Token(inFlight);
            var terms = eye.FirstToken(mix, tpot, inFlight);
            rows.Add((sample.Traits.Stack, TermArrays.Of(terms, 1e3 / sample.Point.MeasuredTtft!.Value)));
        }

        double[] most = [.. Enumerable.Repeat(Priors.MostFirstToken, FirstTokenTerms.Count)];
        var known = _prior.FirstTokens.ToDictionary(pair => pair.Key, pair => TermArrays.Of(pair.Value), StringComparer.Ordinal);
        return ByGroup<FirstTokenTerm>("first-token", rows, known, most, held)
            .ToDictionary(pair => pair.Key, pair => TermArrays.To<FirstTokenTerms>(pair.Value), StringComparer.Ordinal);
    }

    private static Corrections FirstTokenTimes(IReadOnlyList<Sample> samples, CalibrationSet set)
    {
        var predictor = new Predictor(set);
        var left = samples.Where(s => s.Point.MeasuredTtft > 0 && s.Load.Arrival == Arrival.ClosedLoop)
            .Select(s => (s.Traits, Modelled: predictor.Predict(s.Prepared).Ttft, Measured: s.Point.MeasuredTtft!.Value / 1e3))
            .Where(row => row.Modelled > 0)
            .Select(row => (row.Traits, Math.Log(row.Measured / row.Modelled)));
        return Corrections.Fit(left, FirstTokenLikenesses, TimeNoise);
    }

    private Dictionary<string, double> RatesOf(IReadOnlyList<Sample> samples, CalibrationSet set)
    {
        var predictor = new Predictor(set);
        var ratios = new Dictionary<string, List<double>>(StringComparer.Ordinal);
        foreach (var sample in samples)
        {
            if (MeasuredOutput(sample) is not { } measured
                || predictor.Predict(sample.Prepared) is not { Fits: true, Saturated: false } prediction)
                continue;
            var kind = Rates.Key(sample.Load.Arrival, sample.Load);
            if (!ratios.TryGetValue(kind, out var list))
                ratios[kind] = list = [];
            list.Add(measured / prediction.OutputTokensPerSecond);
        }

        var rates = new Dictionary<string, double>(_prior.Rates, StringComparer.Ordinal);
        foreach (var (kind, list) in ratios.Where(pair => pair.Value.Count >= FewestRows && pair.Key != Rates.Open))
            rates[kind] = set.Rates.GetValueOrDefault(kind, 1) * Corrections.Median([.. list]);
        return rates;
    }

    private static Corrections Offline(IReadOnlyList<Sample> samples, CalibrationSet set)
    {
        var predictor = new Predictor(set);
        var left = samples.Where(s => s.Load.Arrival == Arrival.Offline && MeasuredOutput(s) > 0)
            .Select(s => (s.Traits, Modelled: predictor.Predict(s.Prepared).OutputTokensPerSecond, Measured: MeasuredOutput(s)!.Value))
            .Where(row => row.Modelled > 0)
            .Select(row => (row.Traits, Math.Log(row.Measured / row.Modelled)));
        return Corrections.Fit(left, OfflineLikenesses, TimeNoise);
    }

    private static double? MeasuredOutput(Sample sample)
    {
        var (point, load) = (sample.Point, sample.Load);
        var share = load.OutputTokens / (load.InputTokens + load.OutputTokens);
        return point.MeasuredOutput ?? (point.MeasuredTotalPerGpu * sample.Prepared.Scenario.Gpus * share);
    }

    private Dictionary<string, PowerTerms> Power(IReadOnlyList<Sample> samples, CalibrationSet set, HashSet<string> held)
    {
        var rows = new List<(string, double[])>();
        foreach (var sample in samples.Where(IsBoardPower))
        {
            var eye = new Lens(sample.Prepared, set);
            var mix = eye.Token(sample.Prepared.InFlight).Mix.Whole();
            var (terms, seconds) = eye.Token(mix);
            var busy = mix.TokenBusy(sample.Prepared.Decode, sample.Prepared.Policy);
            var gpu = sample.Prepared.Decode.Deployment.Gpu;
            var shares = PowerTerms.Of(busy, terms, seconds, mix.Occupancy(sample.Prepared.Policy), PowerScale.Of(gpu));
            var tdp = gpu.Tdp!.Value.Value.Value;
            rows.Add((sample.Traits.Architecture, TermArrays.Of(shares, tdp / sample.Point.MeasuredWatts!.Value)));
        }

        double[] most = [.. Enum.GetValues<PowerTerm>().Select(Priors.MostPower)];
        var known = _prior.Power.ToDictionary(pair => pair.Key, pair => TermArrays.Of(pair.Value), StringComparer.Ordinal);
        return ByGroup<PowerTerm>("power", rows, known, most, held, PowerPullPerRow)
            .ToDictionary(pair => pair.Key, pair => TermArrays.To<PowerTerms>(pair.Value), StringComparer.Ordinal);
    }

    private static Corrections Watts(IReadOnlyList<Sample> samples, CalibrationSet set)
    {
        var predictor = new Predictor(set);
        var left = samples.Where(s => s.Point.MeasuredWatts > 0 && s.Load.Arrival == Arrival.ClosedLoop)
            .Where(s => s.Prepared.Decode.Deployment.Gpu.Tdp is not null)
            .Select(s => (s.Traits, Modelled: predictor.Predict(s.Prepared).WattsPerGpu, Measured: s.Point.MeasuredWatts!.Value))
            .Where(row => row.Modelled > 0)
            .Select(row => (row.Traits, Math.Log(row.Measured / row.Modelled)));
        return Corrections.Fit(left, WattLikenesses, WattNoise);
    }

    private static bool IsBoardPower(Sample sample) =>
        sample.Plain && sample.Point.MeasuredWatts > 0 && sample.Prepared.Decode.Deployment.Gpu.Tdp is not null;

    /// <summary>
    /// One fit over all rows, then one per group with enough of its own, drawn towards what is known of the group, else towards the first.
    /// </summary>
    private Dictionary<string, double[]> ByGroup<TTerm>(
        string table,
        List<(string Group, double[] Row)> rows,
        Dictionary<string, double[]> known,
        double[] most,
        HashSet<string> held,
        double pullPerRow = StackPullPerRow)
        where TTerm : struct, Enum
    {
        var any = known.ContainsKey(CalibrationSet.AnyStack) ? CalibrationSet.AnyStack : CalibrationSet.AnyArchitecture;
        var fits = new Dictionary<string, double[]>(known, StringComparer.Ordinal);
        Keep(any, BoundedRegression.Fit([.. rows.Select(row => row.Row)], known[any], _globalPull, most, DecidedByAll));
        foreach (var group in rows.GroupBy(row => row.Group, StringComparer.Ordinal).Where(group => group.Count() >= FewestRows))
        {
            var own = group.Select(row => row.Row).ToList();
            var pull = (known.ContainsKey(group.Key) ? KnownPull : StackPull) + (pullPerRow * own.Count);
            Keep(group.Key, BoundedRegression.Fit(own, known.GetValueOrDefault(group.Key, fits[any]), pull, most, DecidedByGroup));
        }

        return fits;

        void Keep(string group, Regression regression)
        {
            fits[group] = regression.Coefficients;
            foreach (var (i, term) in Enum.GetValues<TTerm>().Index())
            {
                var name = CalibrationSet.Factor(table, group, term);
                if (regression.Held[i])
                    held.Add(name);
                else
                    held.Remove(name);
            }
        }
    }
}
