using System.Globalization;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>report: on a table that a gateway's ledger wrote, right and wrong.</summary>
public sealed class ReportVerbTests
{
    private const string Table = "examples/usage.csv";

    [Theory]
    [InlineData("tenant", "research|web")]
    [InlineData("model", "llama-3.1-70b|llama-3.1-8b")]
    [InlineData("pool", "h100|h200")]
    [InlineData("replica", "h100-0|h100-1|h200-0")]
    [InlineData("class", "batch|chat")]
    [InlineData("Day", "2026-11-22")]
    [InlineData("hour", "2026-11-22T07:00:00Z")]
    public void Sums_by_each_dimension_and_all_come_to_the_same(string by, string groups)
    {
        using var folder = new TemporaryFolder();
        var csv = Path.Combine(folder.Root, "report.csv");
        var outcome = Program.Run("report", "--read", Table, "--by", by, "--csv", csv);
        Assert.True(outcome.Code == 0, outcome.Err);
        Assert.StartsWith("49 requests in the table: 83,569 tokens, charged $0.0108, cost $0.0274, margin -$0.0166.", outcome.Out, StringComparison.Ordinal);
        var rows = File.ReadAllLines(csv)[1..].Select(line => line.Split(',')).ToList();
        Assert.Equal(groups.Split('|'), rows.Select(row => row[0]));
        Assert.Equal(49, rows.Sum(row => int.Parse(row[1], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void A_table_is_written_again_as_it_was_read()
    {
        using var folder = new TemporaryFolder();
        var again = Path.Combine(folder.Root, "again.csv");
        Assert.Equal(0, Program.Run("report", "--read", Table, "--records-csv", again).Code);
        Assert.Equal(File.ReadAllLines(Repository.Path(Table)).Order(StringComparer.Ordinal), File.ReadAllLines(again).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("id", "", "column 'id' is empty. Fill it in.")]
    [InlineData("attempts", "0", "column 'attempts' is '0'. Give a whole number from 1 to 2,147,483,647.")]
    [InlineData("attempts", "5000000000", "column 'attempts' is '5000000000'.")]
    [InlineData("fresh_tokens", "1.5", "column 'fresh_tokens' is '1.5'. Give a whole number from 0 to 1,000,000,000,000.")]
    [InlineData("reasoning_tokens", "67", "column 'reasoning_tokens' is '67'. It is part of output_tokens: give 0 to 66.")]
    [InlineData("charged_usd", "-1", "column 'charged_usd' is '-1'. Give a number from 0 to 100,000,000.")]
    [InlineData("joules", "NaN", "column 'joules' is 'NaN'.")]
    [InlineData("ended_s", "", "column 'ended_s' is ''.")]
    [InlineData("outcome", "lost", "column 'outcome' is 'lost'. Write completed, cancelled, failed.")]
    [InlineData("tokens_from", "0", "column 'tokens_from' is '0'. Write engine, counted, estimated.")]
    public void A_wrong_cell_is_told_with_its_line_and_remedy(string column, string value, string told)
    {
        using var folder = new TemporaryFolder();
        var outcome = Program.Run("report", "--read", Changed(folder, column, value));
        Assert.Equal((2, ""), (outcome.Code, outcome.Out));
        Assert.Contains($"usage.csv:2: {told}", outcome.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_table_is_refused_in_one_line()
    {
        var outcome = Program.Run("report", "--read", "tests/data/measured-excerpt.csv");
        Assert.Equal((2, ""), (outcome.Code, outcome.Out));
        Assert.StartsWith(
            "error: tests/data/measured-excerpt.csv: is no table of records: column 'id' is missing, and ",
            outcome.Err,
            StringComparison.Ordinal);
        Assert.Single(outcome.Err.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("--last is ''", "--last", "")]
    [InlineData("--last is '0d'. Give more than 0m and at most 40000d", "--last", "0d")]
    [InlineData("--last is '99999999999d'. Give more than 0m", "--last", "99999999999d")]
    [InlineData("--from is '1900-01-01'. Give a time from 1970-01-01 to 2255-01-01", "--from", "1900-01-01")]
    [InlineData("--last is '5x'", "--last", "5x")]
    [InlineData("--to is '2300-01-01'", "--to", "2300-01-01")]
    [InlineData("--from is 'yesterday'", "--from", "yesterday")]
    [InlineData("--last contradicts --from and --to", "--last", "1h", "--from", "2026-11-22")]
    [InlineData("--by is 'hour,Hour'", "--by", "hour,Hour")]
    [InlineData("--by names ''", "--by", "")]
    [InlineData("names more than one of --read, --store and --postgres-env", "--store", "x")]
    [InlineData("--prices goes with --focus", "--prices", "examples/serve-two-models.yaml")]
    public void A_wrong_flag_is_told_alone(string told, params string[] flags)
    {
        var outcome = Program.Run(["report", "--read", Table, .. flags]);
        Assert.Equal((2, ""), (outcome.Code, outcome.Out));
        Assert.StartsWith($"error: command line: {told}", outcome.Err, StringComparison.Ordinal);
        Assert.Single(outcome.Err.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_time_without_requests_is_a_no()
    {
        var outcome = Program.Run("report", "--read", Table, "--from", "2026-11-20", "--to", "2026-11-21");
        Assert.Equal((1, ""), (outcome.Code, outcome.Err));
        Assert.StartsWith("No request ended from 2026-11-20 00:00 to 2026-11-21 00:00 UTC.", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_ledger_that_is_away_or_damaged_is_told()
    {
        using var folder = new TemporaryFolder();
        var missing = Program.Run("report", "--store", folder.Root);
        Assert.Equal(2, missing.Code);
        Assert.Contains("there is no ledger", missing.Err, StringComparison.Ordinal);
        folder.Write("ledger.db", new string('x', 20_000));
        var damaged = Program.Run("report", "--store", folder.Root);
        Assert.Equal(2, damaged.Code);
        Assert.StartsWith("error: ledger: ", damaged.Err, StringComparison.Ordinal);
        Assert.Contains("is damaged", damaged.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_focus_file_with_the_factorys_prices_bills_each_class_of_tokens_at_its_own()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Root, "focus.csv");
        var outcome = Program.Run("report", "--read", Table, "--focus", path, "--prices", "examples/serve-two-models.yaml");
        Assert.True(outcome.Code == 0, outcome.Err);
        var lines = File.ReadAllLines(path);
        var names = lines[0].Split(',');
        var rows = lines[1..].Select(line => line.Split(',')).ToList(); // the columns that are read stand before the first quoted one
        Assert.Equal(0.010797850m, rows.Sum(row => Number(row, "BilledCost")));
        var prices = rows.Select(row => (Words(row, "ChargeDescription"), Number(row, "ListUnitPrice"), Number(row, "ContractedUnitPrice"))).Distinct();
        Assert.Equal(
            [
                ("Cached Input tokens of llama-3.1-8b", 0.025m, 0.025m),
                ("Fresh Input tokens of llama-3.1-70b", 0.4m, 0.4m),
                ("Fresh Input tokens of llama-3.1-8b", 0.05m, 0.05m),
                ("Output tokens of llama-3.1-70b", 1.2m, 1.2m),
                ("Output tokens of llama-3.1-8b", 0.2m, 0.2m),
            ],
            prices.OrderBy(price => price.Item1, StringComparer.Ordinal));

        string Words(string[] row, string name) => row[Array.IndexOf(names, name)];
        decimal Number(string[] row, string name) => decimal.Parse(Words(row, name), CultureInfo.InvariantCulture);
    }

    [Fact]
    public void A_focus_file_that_would_break_the_specification_is_not_written()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Root, "focus.csv");
        var outcome = Program.Run("report", "--read", Changed(folder, "tenant", "null"), "--focus", path);
        Assert.Equal(2, outcome.Code);
        Assert.StartsWith("error: --focus: would break FOCUS 1.2", outcome.Err, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    /// <summary>The table with another value in its first row.</summary>
    private static string Changed(TemporaryFolder folder, string column, string value)
    {
        var lines = File.ReadAllLines(Repository.Path(Table));
        var cells = lines[1].Split(',');
        cells[Array.IndexOf(lines[0].Split(','), column)] = value;
        lines[1] = string.Join(',', cells);
        return folder.Write("usage.csv", string.Join('\n', lines) + "\n");
    }
}
