using TokenFactory.Cli.Output;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>Small pictures of a trace made of letters: lengths by powers of two, and the rate over time.</summary>
internal static class WorkloadBars
{
    private const int MostLetters = 40;
    private const int Parts = 16;
    private const string Eighths = " ▏▎▍▌▋▊▉";

    /// <summary>How many lengths lie between one power of two and the next.</summary>
    public static IReadOnlyList<(double From, double To, long Count)> Powers(LogHistogram lengths)
    {
        var bins = new List<(double From, double To, long Count)>();
        for (var from = Math.Pow(2, Math.Floor(Math.Log2(Math.Max(1, lengths.Min)))); from <= lengths.Max; from *= 2)
            bins.Add((from, (from * 2) - 1, lengths.CountUpTo((from * 2) - 0.5) - lengths.CountUpTo(from - 0.5)));
        return bins;
    }

    /// <summary>Lengths as bars.</summary>
    public static Section Lengths(string key, string title, LogHistogram lengths)
    {
        var bins = Powers(lengths);
        var most = bins.Max(bin => bin.Count);
        return new Section(
            key,
            title,
            [
                new Column("from_tokens", "from"),
                new Column("to_tokens", "to tokens"),
                new Column("requests", "requests"),
                new Column("share", "share"),
                new Column("bar", "", Rank: 1, Number: false),
            ],
            [
                .. bins.Select(bin => (Cell[])
                [
                    new(bin.From, bin.From.ToString("N0", null)),
                    new(bin.To, bin.To.ToString("N0", null)),
                    new(bin.Count, bin.Count.ToString("N0", null)),
                    new((double)bin.Count / lengths.Count, Spell.Percent((double)bin.Count / lengths.Count)),
                    new(null, Bar(bin.Count, most)),
                ]),
            ]);
    }

    /// <summary>The rate over time as bars.</summary>
    public static Section Rates(TraceProfile profile)
    {
        var rates = profile.Rate.Rates(Parts, profile.DurationSeconds);
        var width = Math.Ceiling((double)profile.Rate.Bins.Count / Parts) * profile.Rate.BinSeconds;
        var most = rates.Max();
        return new Section(
            "rate",
            "Requests over time",
            [
                new Column("from_s", "from s"),
                new Column("requests_per_second", "requests/s"),
                new Column("bar", "", Rank: 1, Number: false),
            ],
            [.. rates.Select(Row)]);

        Cell[] Row(double rate, int i) => [WorkloadReport.Number(i * width), WorkloadReport.Number(rate), new(null, Bar(rate, most))];
    }

    /// <summary>A bar to an eighth of a letter.</summary>
    private static string Bar(double value, double most)
    {
        var eighths = most > 0 ? (int)Math.Round(value / most * MostLetters * 8) : 0;
        return new string('█', eighths / 8) + (eighths % 8 > 0 ? Eighths[eighths % 8].ToString() : "");
    }
}
