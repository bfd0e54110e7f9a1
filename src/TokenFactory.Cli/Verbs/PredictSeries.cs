using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>A setting and the values that a curve gives it.</summary>
/// <param name="Key">Which setting.</param>
/// <param name="Values">Its values, ascending.</param>
internal sealed record PredictSeries(string Key, IReadOnlyList<double> Values)
{
    private const int MostPoints = 200;

    private static readonly string[] Keys = ["concurrency", "requests_per_second", "tp", "input_tokens", "output_tokens", "power_cap_w"];

    /// <summary>Reads "concurrency=1..512" (doubling) or "concurrency=1,8,64"; notes what is wrong with it.</summary>
    public static PredictSeries? Read(string text, PredictRequest? request, Terms terms)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        var key = (at < 0 ? text : text[..at]).Trim().Replace('-', '_');
        if (at < 0 || !Keys.Contains(key))
        {
            Note(
                at < 0 ? "which names no values" : "which is no setting of a curve",
                $"Write KEY=1..512 or KEY=1,8,64 with one of {string.Join(", ", Keys)}");
            return null;
        }

        if (Parse(text[(at + 1)..]) is not { } values)
        {
            Note("which holds no ascending numbers above zero", $"Write {key}=1..512 (doubling) or {key}=1,8,64");
            return null;
        }

        if (values.Count > MostPoints || values[^1] > 1e7)
            Note($"which holds {values.Count} values up to {values[^1]:G6}", $"Give up to {MostPoints}, none above 10000000");
        if (key != "requests_per_second" && (values[0] < 1 || (key == "tp" && values.Any(value => value != Math.Floor(value)))))
            Note($"which holds {values[0]}", key == "tp" ? "Give whole numbers of 1 or more" : "Give numbers of 1 or more");
        else if (key == "tp" && request is not null)
            CheckTensor(values, request);
        else if (key == "power_cap_w" && request is not null && PowerLimits.Wrong(values[0], request.One.Gpu) is { } wrong)
            Note($"where power_cap_w {wrong.Says}", wrong.Remedy);
        foreach (var other in Contradicted(key).Where(other => terms.Of(other) is not null))
            terms.Of(other)!.Note(other, $"contradicts --sweep {key}", "Give one of them");
        return new PredictSeries(key, values);

        void CheckTensor(IReadOnlyList<double> tensors, PredictRequest asked)
        {
            foreach (var tensor in tensors)
            {
                if (Spreading.Undivided(asked.One.Model, (int)tensor) is { } why)
                    Note($"where {tensor} {why}", $"Give some of {string.Join(", ", Spreading.Tensors(asked.One.Model))}");
            }

            if (asked.Pool.Expert is { } experts && tensors.Any(tensor => (long)tensor * asked.Pool.AttentionData % experts != 0))
                Note($"and --ep {experts} does not divide all of its GPUs", "Leave --ep out, or give multiples of it");
        }

        void Note(string what, string remedy) =>
            terms.Flags.Mistakes.Add(new Mistake("command line", $"--sweep is '{text}', {what}", remedy));
    }

    /// <summary>The setting in words, without its unit.</summary>
    public string Name => Key == "power_cap_w" ? "power cap" : Key.Replace('_', ' ');

    /// <summary>The setting at a value in words: "concurrency 32", "power cap 400 W".</summary>
    public string At(double value) => $"{Name} {PredictSweep.Value(value)}{(Key == "power_cap_w" ? " W" : "")}";

    /// <summary>The request with a value of the curve.</summary>
    public PredictRequest With(PredictRequest request, double value) => Key switch
    {
        "tp" => request with { Pool = request.Pool with { Tensor = (int)value } },
        "input_tokens" => request with { Load = request.Load with { InputTokens = value } },
        "output_tokens" => request with { Load = request.Load with { OutputTokens = value } },
        "power_cap_w" => request with { One = request.One with { PowerCap = new Watts(value) } },
        "concurrency" => request with { Load = request.Load with { Concurrency = value } },
        _ => request with { Load = request.Load with { Arrival = Arrival.OpenLoop, Concurrency = null, RequestsPerSecond = value } },
    };

    /// <summary>Settings that a curve over a key leaves no room for.</summary>
    public static IReadOnlyList<string> Contradicted(string key) => key switch
    {
        "concurrency" => ["concurrency", "requests_per_second"],
        "requests_per_second" => ["requests_per_second", "concurrency"],
        _ => [key],
    };

    private static List<double>? Parse(string text)
    {
        var ends = text.Split("..");
        if (ends.Length == 2)
        {
            return Number(ends[0]) is { } first && Number(ends[1]) is { } last && first <= last && first > 0 && last / first < 1e12
                ? Doubling(first, last)
                : null;
        }

        var numbers = text.Split(',').Select(Number).ToList();
        if (ends.Length > 2 || numbers.Exists(number => number is not > 0))
            return null;
        var values = numbers.Select(number => number!.Value).ToList();
        return values.Zip(values.Skip(1)).All(pair => pair.First < pair.Second) ? values : null;
    }

    private static List<double> Doubling(double first, double last)
    {
        var values = new List<double>();
        for (var value = first; value < last; value *= 2)
            values.Add(value);
        values.Add(last);
        return values;
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;
}
