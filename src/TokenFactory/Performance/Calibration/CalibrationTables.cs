using System.Globalization;
using System.Text;
using TokenFactory.Catalog;

namespace TokenFactory.Performance.Calibration;

/// <summary>
/// Calibration as two tables: serving.csv holds every factor, errors.csv how wrong the predictions were where they had not looked.
/// </summary>
public static class CalibrationTables
{
    private const string AssumedText = "assumed: the measurements do not decide it";

    private static readonly string[] FactorColumns = ["table", "group", "term", "value", "source", "date", "kind"];
    private static readonly string[] ErrorColumns = ["metric", "scope", "rows", "cells", "median_error", "mean_error", "spread_80"];

    /// <summary>Measured over predicted that such a share lies below; where they are missing, errors lie evenly on both sides.</summary>
    private static readonly string[] QuantileColumns = ["ratio_10", "ratio_50", "ratio_90"];

    /// <summary>Writes the factors.</summary>
    /// <param name="set">The calibration.</param>
    /// <param name="source">What it was fitted to.</param>
    public static string Write(CalibrationSet set, Source source)
    {
        var text = new StringBuilder();
        text.Append(string.Join(',', FactorColumns)).Append('\n');
        foreach (var (stack, terms) in set.Steps.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Terms("step", stack, Enum.GetValues<StepTerm>(), term => terms[term]);
        foreach (var (stack, terms) in set.FirstTokens.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Terms("first-token", stack, Enum.GetValues<FirstTokenTerm>(), term => terms[term]);
        foreach (var (stack, terms) in set.Fronts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Terms("front", stack, Enum.GetValues<FrontTerm>(), term => terms[term]);
        foreach (var (architecture, terms) in set.Power.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Terms("power", architecture, Enum.GetValues<PowerTerm>(), term => terms[term]);
        foreach (var (load, factor) in set.Rates.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            Row("rate", load, "factor", factor);
        Levels("time-correction", set.Times);
        Levels("variant-correction", set.Variants);
        Levels("offline-correction", set.Offline);
        Levels("first-token-correction", set.FirstTokenTimes);
        Levels("watt-correction", set.Watts);
        return text.ToString();

        void Terms<T>(string table, string group, T[] terms, Func<T, double> value)
            where T : struct, Enum
        {
            foreach (var term in terms)
                Row(table, group, TermWords.Of(term), value(term), set.Assumed.Contains(CalibrationSet.Factor(table, group, term)));
        }

        void Levels(string table, Corrections corrections)
        {
            foreach (var (level, log) in corrections.LogFactors.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                Row(table, level, "log-factor", log);
        }

        void Row(string table, string group, string term, double value, bool assumed = false)
        {
            var (who, kind) = assumed ? (AssumedText, SourceKind.Estimated) : (source.Text, source.Kind);
            text.Append(CultureInfo.InvariantCulture, $"{table},{group},{term},{value:G5},");
            text.Append(CultureInfo.InvariantCulture, $"{Quoted(who)},{source.Date},{TermWords.Of(kind)}\n");
        }
    }

    /// <summary>Writes the error bands.</summary>
    public static string Write(IReadOnlyList<ErrorBand> bands)
    {
        var text = new StringBuilder();
        text.Append(string.Join(',', ErrorColumns.Concat(QuantileColumns))).Append('\n');
        foreach (var band in bands)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{TermWords.Of(band.Metric)},{band.Scope},{band.Rows},{band.Cells},{band.Median:F4},{band.Mean:F4},");
            text.Append(CultureInfo.InvariantCulture, $"{band.Spread:F4},{band.Low:F4},{band.Middle:F4},{band.High:F4}\n");
        }

        return text.ToString();
    }

    /// <summary>Reads the factors; a table without rows of its own keeps what is known before any measurement.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="where">Its name, for messages.</param>
    /// <param name="mistakes">Where mistakes go.</param>
    public static (CalibrationSet Set, Source? Source) Read(string text, string where, ICollection<Mistake> mistakes)
    {
        var rows = CsvTable.Read(text, where, FactorColumns, [], mistakes);
        var tables = rows.GroupBy(row => row["table"], StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal);
        foreach (var row in rows.Where(row => !Known.Contains(row["table"])))
            row.Note("table", $"is '{row["table"]}'", $"Use one of {string.Join(", ", Known)}");
        var prior = CalibrationSet.Prior;
        var set = prior with
        {
            Steps = Grouped(Table("step"), prior.Steps, (ref StepTerms terms, StepTerm term, double value) => terms[term] = value),
            FirstTokens = Grouped(
                Table("first-token"),
                prior.FirstTokens,
                (ref FirstTokenTerms terms, FirstTokenTerm term, double value) => terms[term] = value),
            Fronts = Grouped(Table("front"), prior.Fronts, (ref FrontTerms terms, FrontTerm term, double value) => terms[term] = value),
            Power = Grouped(Table("power"), prior.Power, (ref PowerTerms terms, PowerTerm term, double value) => terms[term] = value),
            Rates = RatesIn(Table("rate")),
            Times = Levels(Table("time-correction"), Calibrator.TimeLikenesses),
            Variants = Levels(Table("variant-correction"), Calibrator.VariantLikenesses),
            Offline = Levels(Table("offline-correction"), Calibrator.OfflineLikenesses),
            FirstTokenTimes = Levels(Table("first-token-correction"), Calibrator.FirstTokenLikenesses),
            Watts = Levels(Table("watt-correction"), Calibrator.WattLikenesses),
            Assumed = rows.Where(row => row["kind"] == "estimated")
                .Select(row => $"{row["table"]} {row["group"]} {row["term"]}")
                .ToHashSet(StringComparer.Ordinal),
        };
        return (set, rows.Select(SourceOf).FirstOrDefault(source => source is { Kind: not SourceKind.Estimated }));

        List<CsvRow> Table(string name) => tables.GetValueOrDefault(name) ?? [];
    }

    /// <summary>Reads the error bands.</summary>
    public static IReadOnlyList<ErrorBand> ReadErrors(string text, string where, ICollection<Mistake> mistakes) =>
        text.Trim() is var only && !only.Contains('\n') && only.StartsWith(string.Join(',', ErrorColumns), StringComparison.Ordinal)
        ? []
        : [.. CsvTable.Read(text, where, ErrorColumns, QuantileColumns, mistakes).Select(BandOf)];

    private static ErrorBand BandOf(CsvRow row)
    {
        const double least = 1e-4;
        var band = new ErrorBand(
            MetricOf(row),
            row["scope"],
            (int)(row.Number("rows") ?? 0),
            (int)(row.Number("cells") ?? 0),
            row.Number("median_error", 0) ?? 0,
            row.Number("mean_error", 0) ?? 0,
            row.Number("spread_80") ?? 1);
        return band with
        {
            Low = Of("ratio_10") ?? band.Low,
            Middle = Of("ratio_50") ?? band.Middle,
            High = Of("ratio_90") ?? band.High,
        };

        double? Of(string column) => row[column].Length > 0 ? row.Number(column, least) : null;
    }

    private static readonly string[] Known =
    [
        "step", "first-token", "front", "power", "rate", "time-correction", "variant-correction",
        "offline-correction", "first-token-correction",
        "watt-correction",
    ];

    private delegate void Setter<T, TTerm>(ref T terms, TTerm term, double value);

    private static Dictionary<string, T> Grouped<T, TTerm>(List<CsvRow> rows, IReadOnlyDictionary<string, T> prior, Setter<T, TTerm> set)
        where T : struct
        where TTerm : struct, Enum
    {
        var groups = new Dictionary<string, T>(prior, StringComparer.Ordinal);
        var any = prior.Values.First();
        var terms = Enum.GetValues<TTerm>().ToDictionary(TermWords.Of, term => term, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (!terms.TryGetValue(row["term"], out var term))
            {
                row.Note("term", $"is '{row["term"]}'", $"Use one of {string.Join(", ", terms.Keys)}");
                continue;
            }

            var own = groups.GetValueOrDefault(row["group"], any);
            set(ref own, term, row.Number("value", 0) ?? 0);
            groups[row["group"]] = own;
        }

        return groups;
    }

    private static Dictionary<string, double> RatesIn(List<CsvRow> rows)
    {
        var rates = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (!rates.TryAdd(row["group"], row.Number("value", 0) ?? 1))
                row.Note("group", $"is '{row["group"]}' a second time", "Keep one row of each");
        }

        return rates;
    }

    private static Corrections Levels(List<CsvRow> rows, IReadOnlyList<Likeness> likenesses)
    {
        var levels = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (double.TryParse(row["value"], NumberStyles.Float, CultureInfo.InvariantCulture, out var log)
                && Math.Abs(log) <= Corrections.Limit * 2)
                levels[row["group"]] = log;
            else
                row.Note("value", $"is '{row["value"]}'", "Give the natural logarithm of a factor between a quarter and four");
        }

        return new Corrections(likenesses, levels);
    }

    private static Metric MetricOf(CsvRow row)
    {
        if (Choice.Of<Metric>(row["metric"]) is { } metric)
            return metric;
        row.Note("metric", $"is '{row["metric"]}'", $"Use one of {string.Join(", ", Enum.GetValues<Metric>().Select(TermWords.Of))}");
        return Metric.Tpot;
    }

    private static Source? SourceOf(CsvRow row) =>
        SourceDate.Parse(row["date"]) is { } date && SourceKinds.Parse(row["kind"]) is { } kind
            ? new Source(kind, row["source"], date)
            : null;

    private static string Quoted(string text) => text.Contains(',') || text.Contains('"') ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
}
