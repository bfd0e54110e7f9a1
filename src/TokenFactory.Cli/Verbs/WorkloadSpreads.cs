using System.Globalization;
using TokenFactory.Cli.Input;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// Reads lengths, times and counts of a workload: a number, or one of lognormal, uniform, nominal, exponential, geometric, empirical and
/// trace with its figures. A number may have its coefficient of variation beside it (input_cv, output_cv, user_cv, first_cv, think_cv):
/// it is then the mean of a lognormal distribution.
/// </summary>
/// <param name="folder">Where paths in the settings begin.</param>
internal sealed class WorkloadSpreads(string folder)
{
    private const int MostTokens = 10_000_000;
    private const double MostSeconds = 1e8;
    private const double MostTurns = 1e6;
    private const double MostCv = 100;
    private const double MostSigma = 10;
    private static readonly string[] Kinds = ["lognormal", "uniform", "nominal", "exponential", "geometric", "empirical", "trace"];
    private readonly Dictionary<string, IReadOnlyList<(int Input, int Output)>?> _samples = new(StringComparer.Ordinal);

    /// <summary>Tokens of a prompt (or of a trace's answers); null where absent or wrong.</summary>
    public Spread? Tokens(Settings settings, string key, bool answers = false) => Spread(settings, key, 1, MostTokens, answers);

    /// <summary>Seconds; null where absent or wrong.</summary>
    public Spread? Seconds(Settings settings, string key) => Spread(settings, key, 0, MostSeconds, null);

    /// <summary>Turns of a session (turns, or turns_mean for a geometric number); null where absent or wrong.</summary>
    public Spread? Turns(Settings settings)
    {
        settings.Exclude("turns", "turns_mean", "Give one of the two");
        if (!settings.Has("turns_mean"))
            settings.Require("turns", "Give turns of a session, such as 5 or {geometric: {mean: 5}}");
        return settings.Number("turns_mean", 1, MostTurns) is { } mean
            ? new Geometric(mean)
            : Spread(settings, "turns", 1, MostTurns, null);
    }

    /// <summary>Prompts and answers: together from a trace (lengths), or each for itself.</summary>
    public Lengths? Lengths(Settings settings, string input)
    {
        var output = "output_tokens";
        if (settings.Item("lengths") is { } together)
        {
            settings.Exclude("lengths", input, "Give one of the two");
            settings.Exclude("lengths", output, "Give one of the two");
            together.Require("trace", "Name a trace whose pairs of prompt and answer are drawn");
            return together.Text("trace") is { } path && Sample(together, path) is { } pairs ? new SampledLengths(pairs) : null;
        }

        settings.Require(input, "Give tokens, such as 1000 or {lognormal: {mean: 1000, cv: 1}}");
        settings.Require(output, "Give tokens, such as 250 or {lognormal: {mean: 250, cv: 1}}");
        var correlation = settings.Number("length_correlation", -1, 1) ?? 0;
        return (Tokens(settings, input), Tokens(settings, output, answers: true)) is ({ } prompts, { } answers)
            ? new PairedLengths(prompts, answers, correlation)
            : null;
    }

    private Spread? Spread(Settings settings, string key, double least, double most, bool? answers)
    {
        if (!settings.Has(key))
            return null;
        if (!settings.IsItem(key))
        {
            var number = least > 0 ? settings.Whole(key, (int)least) : settings.Number(key, least, most);
            if (number > most)
                settings.Note(key, $"is {number}", $"Give at most {most:N0}");
            var cv = key == "turns" ? null : settings.Number(key[..key.LastIndexOf('_')] + "_cv", 0, MostCv);
            return number is not { } value || value > most ? null
                : cv > 0 ? TokenFactory.Workload.Lognormal.OfMean(value, cv.Value, least, most)
                : new Constant(value);
        }

        var given = settings.Item(key)!;
        var kinds = Array.FindAll(Kinds, given.Has);
        if (kinds.Length == 1)
            return Of(kinds[0], given, least, most, answers);
        var what = kinds.Length == 0 ? "names no distribution" : "names several distributions";
        settings.Note(key, what, $"Give a number or one of {string.Join(", ", Kinds)}");
        return null;
    }

    private Spread? Of(string kind, Settings given, double least, double most, bool? answers)
    {
        switch (kind)
        {
            case "lognormal":
                return given.Item(kind) is { } figures ? Lognormal(figures, least, most) : null;
            case "uniform":
                return Values(given, kind, least, most) is not { } ends ? null
                    : ends is [var low, var high] && low <= high ? new Uniform(low, high)
                    : Refuse("is no pair of a lower and a higher bound", "Write [800, 1000]");
            case "nominal":
                return given.Whole(kind, 1) is { } nominal ? Uniform.OfNominal(nominal) : null;
            case "exponential":
                return given.Item(kind) is { } mean && Mean(mean, double.Epsilon, most) is { } pause ? new Exponential(pause) : null;
            case "geometric":
                return given.Item(kind) is { } count && Mean(count, 1, most) is { } times ? new Geometric(times) : null;
            case "empirical":
                return Values(given, kind, least, most) is { } values ? new Empirical(values) : null;
            default:
                if (answers is null)
                    return Refuse("holds no times between turns", "Give another distribution");
                return given.Text(kind) is { } path && Sample(given, path) is { } pairs
                    ? new Empirical(pairs.Select(pair => (double)(answers.Value ? pair.Output : pair.Input)))
                    : null;
        }

        Spread? Refuse(string what, string remedy)
        {
            given.Note(kind, what, remedy);
            return null;
        }
    }

    private static double? Mean(Settings figures, double least, double most)
    {
        figures.Require("mean", "Give the mean");
        return figures.Number("mean", least, most);
    }

    private static Lognormal? Lognormal(Settings figures, double least, double most)
    {
        var (mean, median) = (figures.Number("mean", double.Epsilon, most), figures.Number("median", double.Epsilon, most));
        var (cv, sigma) = (figures.Number("cv", 0, MostCv), figures.Number("sigma", 0, MostSigma));
        var (low, high) = (figures.Number("min", 0, most) ?? least, figures.Number("max", double.Epsilon, most) ?? most);
        figures.Exclude("mean", "median", "Give one of the two");
        figures.Exclude("cv", "sigma", "Give one of the two");
        if (!figures.Has("mean") && !figures.Has("median"))
            figures.Require("mean", "Give the mean or the median");
        if (!figures.Has("cv") && !figures.Has("sigma"))
            figures.Require("cv", "Give the coefficient of variation, or sigma, the deviation of the logarithm");
        var middle = mean ?? median;
        if (middle is null || (cv ?? sigma) is null)
            return null;
        if (low > high || middle < low || middle > high)
        {
            var what = $"is {middle.Value.ToString(CultureInfo.InvariantCulture)}, outside of min {low} to max {high}";
            figures.Note(mean is null ? "median" : "mean", what, "Let min and max lie around it");
            return null;
        }

        var deviation = sigma ?? TokenFactory.Workload.Lognormal.SigmaOf(cv!.Value);
        return new Lognormal(median ?? mean!.Value / Math.Exp(deviation * deviation / 2), deviation, low, high);
    }

    private static List<double>? Values(Settings given, string key, double least, double most)
    {
        var texts = given.Texts(key);
        var values = new List<double>();
        foreach (var text in texts)
        {
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
                values.Add(value);
            else
                given.Note(key, $"holds '{text}'", $"Give numbers from {least} to {most:N0}");
        }

        if (texts.Count == 0)
            given.Note(key, "holds no number", "Write [800, 1000]");
        return values.Count == texts.Count && values.Count > 0 ? values : null;
    }

    /// <summary>Pairs of a trace's lengths; each file is read once.</summary>
    private IReadOnlyList<(int Input, int Output)>? Sample(Settings settings, string path)
    {
        var full = Path.Combine(folder, path);
        if (_samples.TryGetValue(full, out var known))
            return known;
        var log = new TraceLog();
        try
        {
            var pairs = TraceSample.Pairs(WorkloadTrace.LinesOf(full), log);
            settings.Mistakes.AddRange(WorkloadTrace.Named(full, log.Mistakes));
            return _samples[full] = log.MistakeCount == 0 ? pairs : null;
        }
        catch (Refusal refusal)
        {
            settings.Mistakes.AddRange(refusal.Mistakes);
            return _samples[full] = null;
        }
    }
}
