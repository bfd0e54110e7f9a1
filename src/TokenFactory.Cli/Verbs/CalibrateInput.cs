using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Measured;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a calibration is made from.</summary>
/// <param name="Files">The files as the user named them.</param>
/// <param name="Rows">Rows that they hold.</param>
/// <param name="Samples">Rows that can be laid out as deployments.</param>
/// <param name="Unused">The others, with the reason of each.</param>
/// <param name="Site">Assumptions about sites.</param>
internal sealed record CalibrateInput(
    IReadOnlyList<string> Files, int Rows, IReadOnlyList<Sample> Samples, IReadOnlyList<UnusedRow> Unused, SiteDefaults Site)
{
    /// <summary>Columns of numbers that are looked at; the words for them in <see cref="ServingPoint"/>.</summary>
    private static readonly string[] Numbers =
    [
        "gpu_count", "tp", "pp", "ep", "dp", "input_len_tok", "output_len_tok", "concurrency", "batch_size", "request_rate_rps",
        "output_tok_s_total", "total_tok_s_per_gpu", "ttft_mean_ms", "tpot_mean_ms", "tpot_p50_ms", "avg_power_w_per_gpu",
        "power_cap_w_per_gpu", "prefill_gpus",
    ];

    private static readonly string[] Measures =
        ["tpot_mean_ms", "tpot_p50_ms", "ttft_mean_ms", "total_tok_s_per_gpu", "output_tok_s_total", "avg_power_w_per_gpu"];

    /// <summary>Columns of published tables that are nobody's misspelling.</summary>
    private static readonly string[] NearButRight = ["total_tok_s", "decode_gpus"];

    /// <summary>Reads tables of measurements.</summary>
    /// <exception cref="Refusal">A file cannot be read, or a field is wrong; all mistakes of all files at once.</exception>
    public static CalibrateInput Read(IReadOnlyList<string> paths, CatalogContents catalog, CalibrationInput calibration)
    {
        var mistakes = new List<Mistake>();
        var points = new List<ServingPoint>();
        foreach (var path in paths)
        {
            try
            {
                var text = Input.Files.Text(path);
                points.AddRange(ServingPoints.Read(text, path, mistakes));
                Check(text, path, mistakes);
            }
            catch (Refusal unreadable)
            {
                mistakes.AddRange(unreadable.Mistakes);
            }
        }

        Refusal.IfAny(mistakes);
        var reader = new SampleReader(catalog, calibration.Kernels);
        var read = new (Sample? Sample, UnusedRow? Unused)[points.Count];
        Parallel.For(0, points.Count, Bounded, i => read[i] = reader.Read(points[i]));
        return new CalibrateInput(
            paths,
            points.Count,
            [.. read.Select(each => each.Sample).OfType<Sample>()],
            [.. read.Select(each => each.Unused).OfType<UnusedRow>()],
            catalog.Site);
    }

    /// <summary>As many at once as there are processors.</summary>
    public static ParallelOptions Bounded { get; } = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    /// <summary>Fields that must be numbers and are not, and columns that are nearly one that is looked at.</summary>
    private static void Check(string text, string path, List<Mistake> mistakes)
    {
        var line = text.AsSpan().TrimStart('\uFEFF').ToString().Split('\n', 2)[0];
        var header = line.TrimEnd('\r').Split(',').Select(name => name.Trim().Trim('"')).Where(name => name.Length > 0).Distinct().ToList();
        if (!header.Contains("row_id"))
            return;
        foreach (var column in header.Where(column => column.Length > 5 && !Numbers.Contains(column) && !NearButRight.Contains(column)))
        {
            var near = Numbers.Where(known => known.Length > 5 && !header.Contains(known))
                .FirstOrDefault(known => Names.Distance(column, known) == 1);
            if (near is not null)
                mistakes.Add(new Mistake(path, $"unknown column '{column}'", $"Did you mean '{near}'?"));
        }

        if (!Measures.Any(header.Contains))
            mistakes.Add(new Mistake(path, "measures nothing", $"Add one of the columns {string.Join(", ", Measures)}"));
        var fields = new List<Mistake>();
        var rows = CsvTable.Read(text, path, ["row_id"], header, fields);
        fields.Clear(); // the shape of the table is noted already
        foreach (var row in rows)
        {
            foreach (var column in Numbers.Where(column => row[column].Length > 0 && !IsNumber(column, row[column])))
                row.Note(column, $"is '{row[column]}'", "Give a number of zero or more, or leave it empty");
        }

        mistakes.AddRange(fields);
    }

    /// <summary>A rate of arrivals may be "inf": everything at once.</summary>
    private static bool IsNumber(string column, string text) =>
        (column == "request_rate_rps" && text == "inf")
        || (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number >= 0
            && number <= CsvRow.Largest);
}
