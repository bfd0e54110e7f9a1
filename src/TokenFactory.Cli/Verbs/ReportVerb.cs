using System.CommandLine;
using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Store.Reports;

namespace TokenFactory.Cli.Verbs;

/// <summary>report: what tokens really cost, from the ledger.</summary>
internal static class ReportVerb
{
    private const string Purpose = "What each token really cost, in dollars and joules, per tenant, model, replica or hour: from the gateway's ledger.";

    public static Command Command(Terminal terminal)
    {
        var command = new Command("report", Purpose);
        var by = Option("--by", "WHAT[,WHAT]", "Tenant, key, model, pool, replica, class, hour or day; one or two of them. Default: tenant.");
        var last = Option("--last", "SPAN", "The time until now: 90m, 24h, 7d. Default: 24h.");
        var from = Option("--from", "TIME", "Beginning, UTC: 2026-11-01 or 2026-11-01T08:00.");
        var to = Option("--to", "TIME", "End, UTC, not included. Default: now.");
        var store = Option("--store", "DIR", "Folder of the gateway's store. Default: .tokenfactory.");
        var postgres = Option("--postgres-env", "NAME", "Variable that holds the connection string of PostgreSQL, where the ledger is there.");
        var read = Option("--read", "FILE.csv", "Reports on a table that --records-csv wrote instead of a ledger.");
        var records = Option("--records-csv", "FILE.csv", "Writes every record of the time as a row.");
        var csv = Option("--csv", "FILE.csv", "Writes the report's rows.");
        var focus = Option("--focus", "FILE.csv", "Writes the time as a FOCUS 1.2 file, which was checked against that specification.");
        var prices = Option("--prices", "FACTORY.yaml", "With --focus: the factory file whose prices are its list prices. Default: what was charged per token.");
        foreach (var option in (Option<string?>[])[by, last, from, to, store, postgres, read, records, csv, focus, prices])
            command.Options.Add(option);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var mistakes = new List<Mistake>();
            var span = new ReportSpan(TimeProvider.System.GetUtcNow().UtcDateTime, mistakes).Read(
                parsed.GetValue(last), parsed.GetValue(from), parsed.GetValue(to), parsed.GetValue(read) is not null);
            var asked = new ReportAsked(
                Dimensions(parsed.GetValue(by) ?? "tenant", mistakes),
                span.From,
                span.To,
                parsed.GetValue(read),
                parsed.GetValue(store),
                parsed.GetValue(postgres),
                parsed.GetValue(records),
                parsed.GetValue(csv),
                parsed.GetValue(focus),
                parsed.GetValue(prices));
            Exclude(asked, mistakes);
            mistakes.AddRange(FilePlaces.Clashes(
                [asked.Read, asked.Prices, ReportRunner.Ledger(asked)],
                [("--csv", asked.Csv), ("--records-csv", asked.Records), ("--focus", asked.Focus)]));
            Refusal.IfAny(mistakes);
            return new ReportRunner(terminal, common, parsed, asked).Run();
        });
        return command;
    }

    private static Option<string?> Option(string name, string value, string what) => new(name) { HelpName = value, Description = what };

    private static IReadOnlyList<Dimension> Dimensions(string text, List<Mistake> mistakes)
    {
        var read = new List<Dimension>();
        foreach (var word in text.Split(','))
        {
            if (Enum.TryParse<Dimension>(word, ignoreCase: true, out var one) && word.All(char.IsLetter))
                read.Add(one);
            else
                mistakes.Add(new("command line", $"--by names '{word}'", $"Write {string.Join(", ", Enum.GetNames<Dimension>()).ToLowerInvariant()}"));
        }

        if (read.Count > 2 || read.Distinct().Count() < read.Count)
            mistakes.Add(new("command line", $"--by is '{text}'", "Name one or two different ones"));
        return read;
    }

    private static void Exclude(ReportAsked asked, List<Mistake> mistakes)
    {
        if (new[] { asked.Read, asked.Store, asked.Postgres }.Count(one => one is not null) > 1)
            mistakes.Add(new("command line", "names more than one of --read, --store and --postgres-env", "Say once where the records are"));
        if (asked.Prices is not null && asked.Focus is null)
            mistakes.Add(new("command line", "--prices goes with --focus", "Name the file to write with --focus"));
    }
}

/// <summary>What a report is asked for.</summary>
internal sealed record ReportAsked(
    IReadOnlyList<Dimension> By,
    DateTime From,
    DateTime To,
    string? Read,
    string? Store,
    string? Postgres,
    string? Records,
    string? Csv,
    string? Focus,
    string? Prices);

/// <summary>Reads a span of time from the command line.</summary>
internal sealed class ReportSpan(DateTime now, List<Mistake> mistakes)
{
    private static readonly string[] Formats = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ssZ", "yyyy-MM-ddTHH:mmZ"];

    /// <summary>Instants are nanoseconds since 1970, which end in 2262.</summary>
    private static readonly DateTime Latest = new(2255, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The span; all of a table unless something is said.</summary>
    public (DateTime From, DateTime To) Read(string? last, string? from, string? to, bool table)
    {
        if (last is not null && (from ?? to) is not null)
            mistakes.Add(new("command line", "--last contradicts --from and --to", "Give one or the other"));
        if (table && (last ?? from ?? to) is null)
            return (DateTime.UnixEpoch, Latest);
        var before = mistakes.Count;
        var end = to is null ? now : Moment("--to", to);
        var begin = from is not null ? Moment("--from", from) : end - Length(last ?? "24h");
        if (begin >= end && mistakes.Count == before)
            mistakes.Add(new("command line", $"the time from {begin:u} to {end:u} is empty", "Let it begin before it ends"));
        return (begin, end);
    }

    private DateTime Moment(string flag, string text)
    {
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        var isTime = DateTime.TryParseExact(text, Formats, CultureInfo.InvariantCulture, Utc, out var moment);
        if (isTime && moment >= DateTime.UnixEpoch && moment <= Latest)
            return moment;
        var remedy = isTime
            ? $"Give a time from {DateTime.UnixEpoch:yyyy-MM-dd} to {Latest:yyyy-MM-dd}"
            : "Write a UTC time as 2026-11-01 or 2026-11-01T08:00";
        mistakes.Add(new("command line", $"{flag} is '{text}'", remedy));
        return now;
    }

    private TimeSpan Length(string text)
    {
        const double MostDays = 40_000;
        double? unit = text.LastOrDefault() switch { 'm' => 1.0 / 60, 'h' => 1, 'd' => 24, _ => null };
        var hours = unit is not null
            && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number * unit
            : null;
        if (hours is > 0 and <= MostDays * 24)
            return TimeSpan.FromHours(hours.Value);
        var remedy = hours is null ? "Write minutes, hours or days: 90m, 24h, 7d" : $"Give more than 0m and at most {MostDays:0}d";
        mistakes.Add(new("command line", $"--last is '{text}'", remedy));
        return TimeSpan.FromHours(24);
    }
}
