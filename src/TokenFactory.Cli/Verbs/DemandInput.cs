using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;

namespace TokenFactory.Cli.Verbs;

/// <summary>A demand curve as it was asked for.</summary>
/// <param name="Demand">The spans.</param>
/// <param name="Text">In words.</param>
/// <param name="MillionTokens">How many tokens are asked for over all of it, where known.</param>
internal sealed record DemandLoad(IReadOnlyList<Demand> Demand, string Text, double? MillionTokens);

/// <summary>Reads the demand: a CSV, a flat load, or a typical workload.</summary>
internal sealed class DemandInput(Terms terms, string? path)
{
    private const double MillionsPerTokenHour = 3600 / 1e6;
    private const double MostGpus = 1e9;
    private const double MostHours = 1e6;
    private const double HoursPerYear = OwnedCost.HoursPerYear;

    /// <summary>The lowest mean of the daily wave, its sharpest form: a tenth of the peak and a few busy hours.</summary>
    private const double LeastWave = 0.2;

    private static readonly string[] Optional =
        ["gpus", "tokens_per_second", "interruptible_gpus", "interruptible_tokens_per_second"];

    public DemandLoad Read()
    {
        foreach (var settings in new[] { terms.Flags, terms.File }.OfType<Settings>())
        {
            settings.Exclude("demand", "gpus", "Give the curve or a flat load");
            settings.Exclude("demand", "utilisation", "Give the curve or a flat load");
            settings.Exclude("demand", "hours", "Give the curve or a flat load");
            settings.Exclude("demand", "workload", "Give the curve or a typical load");
        }

        var interruptible = terms.Number("interruptible", 0, 1)?.Value;
        var perGpu = terms.Number("tokens_per_second_per_gpu")?.Value;
        return terms.Of("demand") is { } settings2 && settings2.Text("demand") is { } file
            ? FromCsv(settings2, file, perGpu, interruptible)
            : Flat(interruptible, perGpu);
    }

    private DemandLoad Flat(double? interruptible, double? perGpu)
    {
        var workload = ReadWorkload();
        var gpus = terms.Number("gpus", atMost: MostGpus)?.Value ?? workload?.Gpus;
        var utilisation = terms.Number("utilisation", double.Epsilon, 1)?.Value ?? workload?.Utilisation ?? 1;
        var hours = terms.Number("hours", atMost: MostHours)?.Value ?? HoursPerYear;
        if (gpus is null && terms.Of("gpus") is null && terms.Of("workload") is null)
        {
            terms.Flags.Note(
                "demand",
                "is missing, and so is a flat load",
                "Give --demand FILE.csv, or --gpus N with --utilisation, or --workload");
        }

        var share = interruptible ?? workload?.Interruptible ?? 0;
        var peak = gpus ?? 1;
        if (workload?.Name == "bursty")
        {
            if (utilisation < LeastWave)
            {
                (terms.Of("utilisation") ?? terms.Flags).Note(
                    "utilisation",
                    $"is {utilisation}, flatter than a daily wave",
                    $"Give {LeastWave} or more, or a curve with --demand");
            }

            var average = $"{utilisation:0%}".Replace("%", " %", StringComparison.Ordinal);
            var assumed = workload.Assumption.Replace("35 %", average, StringComparison.Ordinal);
            var wave = Wave(peak, utilisation, hours, share);
            return new DemandLoad(wave, $"{assumed}, peak {peak:0.##} GPUs", Millions(wave, perGpu));
        }

        List<Demand> demand = [Span(hours * utilisation, peak, share)];
        if (utilisation < 1)
            demand.Add(new Demand(hours * (1 - utilisation), 0, 0));
        var said = workload is null ? "" : $" ({workload.Name}: {workload.Assumption})";
        var text = $"{peak:0.##} GPUs for {utilisation * 100:0.#} % of {hours:N0} hours{said}";
        return new DemandLoad(demand, text, Millions(demand, perGpu));
    }

    private Workload? ReadWorkload()
    {
        if (terms.Of("workload") is not { } settings || settings.Text("workload") is not { } name)
            return null;
        if (Array.Find(Workload.Known, known => known.Name == name) is { } workload)
            return workload;
        settings.Note("workload", $"is '{name}'", $"Write one of {string.Join(", ", Workload.Known.Select(known => known.Name))}");
        return null;
    }

    /// <summary>
    /// A day's wave, hour by hour: peak x (floor + (1 - floor) x ((1 + sin) / 2)^k, with k such that the mean is as asked.
    /// </summary>
    private static List<Demand> Wave(double peak, double mean, double hours, double interruptible)
    {
        const double Floor = 0.1;
        const int HoursPerDay = 24;
        var (low, high) = (0.01, 60.0);
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Mean(middle) > mean ? (middle, high) : (low, middle);
        }

        return
        [
            .. Enumerable.Range(0, HoursPerDay)
                .Select(hour => Span(hours / HoursPerDay, Math.Round(peak * Level(hour, low)), interruptible)),
        ];

        double Mean(double power) => Enumerable.Range(0, HoursPerDay).Average(hour => Level(hour, power));

        static double Level(int hour, double power)
        {
            var wave = (1 + Math.Sin(2 * Math.PI * (hour - 8) / HoursPerDay)) / 2;
            return Floor + ((1 - Floor) * Math.Pow(wave, power));
        }
    }

    /// <summary>Millions of tokens that the GPUs make while they are asked for; null where their speed is not known.</summary>
    private static double? Millions(List<Demand> demand, double? perGpu) =>
        perGpu is { } rate ? demand.Sum(span => span.Gpus * span.Hours) * rate * MillionsPerTokenHour : null;

    private static Demand Span(double hours, double gpus, double interruptible) =>
        new(hours, gpus * (1 - interruptible), gpus * interruptible);

    private DemandLoad FromCsv(Settings settings, string file, double? perGpu, double? interruptible)
    {
        var nextTo = settings == terms.File && path is not null && !Path.IsPathRooted(file)
            ? Path.Combine(Path.GetDirectoryName(path) ?? "", file)
            : file;
        var mistakes = new List<Mistake>();
        var rows = CsvTable.Read(Text(nextTo), nextTo, ["time"], Optional, mistakes);
        var inTokens = rows.Count > 0 && rows[0]["tokens_per_second"].Length > 0;
        if (rows.Count > 0 && rows[0]["gpus"].Length > 0 == inTokens)
        {
            var what = inTokens ? "has both gpus and tokens_per_second" : "has neither gpus nor tokens_per_second";
            mistakes.Add(new Mistake(nextTo, what, "Give one of the two columns"));
        }

        if (inTokens && perGpu is null)
        {
            settings.Note(
                "tokens_per_second_per_gpu",
                "is missing, and the demand is in tokens/s",
                "Say how many tokens per second a GPU makes");
        }

        var stray = inTokens ? "interruptible_gpus" : "interruptible_tokens_per_second";
        if (rows.Any(row => row[stray].Length > 0))
        {
            var what = $"counts demand in {(inTokens ? "tokens/s" : "GPUs")} and '{stray}' in the other";
            mistakes.Add(new Mistake(nextTo, what, "Give both in one unit"));
        }

        var spans = Spans(rows, mistakes);
        var demand = rows.Select((row, i) => Of(row, spans[i], inTokens ? perGpu ?? 1 : null, interruptible)).ToList();
        if (mistakes.Count > 0)
            throw new Refusal([.. terms.Mistakes, .. mistakes]);
        var tokens = inTokens
            ? rows.Select((row, i) => (row.Number("tokens_per_second", 0) ?? 0) * spans[i]).Sum() * MillionsPerTokenHour
            : Millions(demand, perGpu);
        if (demand.TrueForAll(span => span.Gpus == 0))
            throw new Refusal(nextTo, "asks for nothing in any row", "Give a demand above zero somewhere");
        return new DemandLoad(demand, $"{rows.Count:N0} rows of {Path.GetFileName(file)}", tokens);
    }

    private string Text(string file)
    {
        try
        {
            return Files.Text(file);
        }
        catch (Refusal unreadable)
        {
            throw new Refusal([.. terms.Mistakes, .. unreadable.Mistakes]);
        }
    }

    private static Demand Of(CsvRow row, double hours, double? perGpu, double? interruptible)
    {
        var (all, some) = perGpu is null ? ("gpus", "interruptible_gpus") : ("tokens_per_second", "interruptible_tokens_per_second");
        var gpus = Gpus(row, all, perGpu);
        if (row[some].Length == 0)
            return Span(hours, gpus, interruptible ?? 0);
        var may = row.Number(some, 0) ?? 0;
        var total = row.Number(all, 0) ?? 0;
        if (may > total)
            row.Note(some, $"is {row[some]}, more than {all}", $"{all} counts all demand, the interruptible part included");
        var firm = Math.Min(gpus, Whole(Math.Max(0, total - may), perGpu));
        return new Demand(hours, firm, gpus - firm);
    }

    private static double Gpus(CsvRow row, string column, double? perGpu) => Whole(row.Number(column, 0) ?? 0, perGpu);

    /// <summary>Whole GPUs: tokens need ceil(tokens per second / tokens per second and GPU). A demand in GPUs stays as it is.</summary>
    private static double Whole(double demand, double? perGpu) => perGpu is null ? demand : Math.Ceiling(demand / perGpu.Value);

    /// <summary>Hours from each row to the next; the last row lasts as long as the one before it.</summary>
    private static List<double> Spans(IReadOnlyList<CsvRow> rows, List<Mistake> mistakes)
    {
        var times = rows.Select(row => Hours(row, mistakes)).ToList();
        var spans = new List<double>();
        for (var i = 0; i + 1 < times.Count; i++)
        {
            var hours = times[i + 1] - times[i];
            if (hours <= 0)
                rows[i + 1].Note("time", $"is '{rows[i + 1]["time"]}', not after the row before", "Sort the rows by time, each time once");
            spans.Add(hours);
        }

        spans.Add(spans.Count == 0 ? 1 : spans[^1]);
        return spans;
    }

    /// <summary>A time as hours: a plain number of hours, or a date with time (UTC where it says no zone).</summary>
    private static double Hours(CsvRow row, List<Mistake> mistakes)
    {
        var text = row["time"];
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var hours) && double.IsFinite(hours))
            return hours;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return time.UtcTicks / (double)TimeSpan.TicksPerHour;
        mistakes.Add(new Mistake(row.Where, $"column 'time' is '{text}'", "Write hours (0, 1, 2) or 2026-11-21T08:00:00Z"));
        return double.NaN;
    }
}
