using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Usage records as a table, for spreadsheets and for reports elsewhere. Times are seconds since 1970 UTC.</summary>
internal static class ReportRecords
{
    private static readonly (string Name, Func<UsageRecord, string> Of)[] Columns =
    [
        ("id", record => record.Id),
        ("tenant", record => record.Tenant),
        ("key", record => record.Key),
        ("model", record => record.Model),
        ("pool", record => record.Pool),
        ("replica", record => record.Replica),
        ("class", record => record.Class),
        ("endpoint", record => record.Endpoint),
        ("outcome", record => Word(record.Outcome)),
        ("error", record => record.Error),
        ("arrival_s", record => Seconds(record.Arrival)),
        ("dispatched_s", record => Seconds(record.Dispatched)),
        ("first_token_s", record => record.FirstToken is { } at ? Seconds(at) : ""),
        ("ended_s", record => Seconds(record.Ended)),
        ("attempts", record => Whole(record.Attempts)),
        ("fresh_tokens", record => Whole(record.Tokens.Fresh)),
        ("cached_tokens", record => Whole(record.Tokens.Cached)),
        ("output_tokens", record => Whole(record.Tokens.Output)),
        ("reasoning_tokens", record => Whole(record.Tokens.Reasoning)),
        ("tokens_from", record => Word(record.TokensFrom)),
        ("charged_usd", record => Usd(record.Charged)),
        ("usage_cost_usd", record => Usd(record.UsageCost)),
        ("allocation_cost_usd", record => Usd(record.AllocationCost)),
        ("joules", record => record.Joules.ToString("R", CultureInfo.InvariantCulture)),
        ("joules_at", record => record.JoulesAt),
        ("joules_from", record => record.JoulesFrom),
    ];

    public static string Header { get; } = string.Join(',', Columns.Select(column => column.Name));

    /// <summary>A record as a row.</summary>
    public static string Line(UsageRecord record) => string.Join(',', Columns.Select(column => Quoted(column.Of(record))));

    /// <summary>The records of a table.</summary>
    /// <exception cref="Refusal">Rows are wrong; all of them at once.</exception>
    public static IReadOnlyList<UsageRecord> Read(string path)
    {
        var mistakes = new List<Mistake>();
        var rows = CsvTable.Read(Files.Text(path), path, [.. Columns.Select(column => column.Name)], [], mistakes);
        RefuseHeader(path, [.. mistakes.Where(mistake => mistake.Where == path)]);
        var read = rows.Select(row => new RecordRow(row).Read()).ToList();
        Refusal.IfAny(mistakes);
        return read;
    }

    /// <summary>Refuses a table whose columns are wrong, before its rows: of another table all of them would be.</summary>
    private static void RefuseHeader(string path, IReadOnlyList<Mistake> mistakes)
    {
        const int Few = 3;
        Refusal.IfAny(mistakes.Count <= Few
            ? mistakes
            : [new Mistake(
                path,
                $"is no table of records: {mistakes[0].What}, and {mistakes.Count - 1} other columns are wrong",
                "Name a file that --records-csv wrote")]);
    }

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Seconds(Instant at) => ((decimal)at.Nanoseconds / 1_000_000_000).ToString("0.#########", CultureInfo.InvariantCulture);

    private static string Whole(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Usd(Usd usd) => usd.Value.ToString("0.#########", CultureInfo.InvariantCulture);

    private static string Quoted(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    /// <summary>One row, cell by cell.</summary>
    private sealed class RecordRow(CsvRow row)
    {
        private const long MostTokens = 1_000_000_000_000;
        private const decimal MostSeconds = 9_000_000_000m; // the year 2255: nanoseconds since 1970 still fit
        private const decimal MostUsd = 100_000_000m;
        private const double MostJoules = 1e15;

        public UsageRecord Read() => new()
        {
            Id = row.Required("id"),
            Tenant = row.Required("tenant"),
            Key = Text("key"),
            Model = row.Required("model"),
            Pool = Text("pool"),
            Replica = Text("replica"),
            Class = Text("class"),
            Endpoint = Text("endpoint"),
            Outcome = One<Outcome>("outcome"),
            Error = Text("error"),
            Arrival = At("arrival_s"),
            Dispatched = At("dispatched_s"),
            FirstToken = Text("first_token_s").Length > 0 ? At("first_token_s") : null,
            Ended = At("ended_s"),
            Attempts = (int)Whole("attempts", 1, int.MaxValue),
            Tokens = Tokens(),
            TokensFrom = One<TokensFrom>("tokens_from"),
            Charged = new Usd(Number("charged_usd", MostUsd)),
            UsageCost = new Usd(Number("usage_cost_usd", MostUsd)),
            AllocationCost = new Usd(Number("allocation_cost_usd", MostUsd)),
            Joules = Joules(),
            JoulesAt = Text("joules_at"),
            JoulesFrom = Text("joules_from"),
        };

        private string Text(string column) => row[column];

        private Instant At(string column) => new((long)(Number(column, MostSeconds) * 1_000_000_000));

        private TokenCounts Tokens()
        {
            var output = Whole("output_tokens", 0, MostTokens);
            var reasoning = Whole("reasoning_tokens", 0, MostTokens);
            if (reasoning > output)
                row.Note("reasoning_tokens", $"is '{reasoning}'", $"It is part of output_tokens: give 0 to {output}");
            return new TokenCounts(Whole("fresh_tokens", 0, MostTokens), Whole("cached_tokens", 0, MostTokens), output, reasoning);
        }

        private long Whole(string column, long least, long most)
        {
            if (long.TryParse(Text(column), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
                return number;
            row.Note(column, $"is '{Text(column)}'", string.Create(CultureInfo.InvariantCulture, $"Give a whole number from {least} to {most:#,0}"));
            return 0;
        }

        private decimal Number(string column, decimal most)
        {
            if (decimal.TryParse(Text(column), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0 && number <= most)
                return number;
            row.Note(column, $"is '{Text(column)}'", string.Create(CultureInfo.InvariantCulture, $"Give a number from 0 to {most:#,0}"));
            return 0;
        }

        /// <summary>As a double from the first: through a decimal its last digit would be another.</summary>
        private double Joules()
        {
            if (double.TryParse(Text("joules"), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= MostJoules)
                return number;
            row.Note("joules", $"is '{Text("joules")}'", "Give a number of 0 or more");
            return 0;
        }

        private T One<T>(string column)
            where T : struct, Enum
        {
            if (Enum.TryParse<T>(Text(column), ignoreCase: true, out var value) && Text(column).All(char.IsLetter))
                return value;
            row.Note(column, $"is '{Text(column)}'", $"Write {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}");
            return default;
        }
    }
}
