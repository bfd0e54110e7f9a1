using System.Globalization;
using System.Text;
using TokenFactory.Cli.Verbs;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Tests;

/// <summary>The tables that simulate writes: what a spreadsheet reads is what was written.</summary>
public sealed class SimulateTablesTests
{
    private static readonly RequestRow Row = new(
        7, SimulateRuns.Awkward, "a,b", "completed", "", 1.1, 1.2, 1.30000000000000004, 9.7, 1000, 250, 22, 3, 1, 2, 17.25, 1e-7, true);

    [Fact]
    public void Requests_survive_the_way_through_a_table_even_with_awkward_names()
    {
        var lines = Requests(Row, Row with { Id = 8, Class = "plain", Why = "said \"no\"\r\ntwice", Outcome = "shed", Kept = false });
        Assert.Equal(SimulateRequestTable.Columns, lines[0]);
        Assert.Equal(3, lines.Count);
        Assert.Equal(SimulateRuns.Awkward, At(lines, 1, "class"));
        Assert.Equal("a,b", At(lines, 1, "tenant"));
        Assert.Equal("said \"no\"\r\ntwice", At(lines, 2, "why"));
        Assert.Equal(Row.FirstTokenSeconds, Number(lines, 1, "first_token_s"));
        Assert.Equal(Row.FirstTokenSeconds - Row.ArrivalSeconds, Number(lines, 1, "ttft_s"));
        Assert.Equal((9.7 - 1.3) / 21, Number(lines, 1, "tpot_s"), 12);
        Assert.Equal(1e-7, Number(lines, 1, "usd_usage"));
        Assert.Equal("true", At(lines, 1, "kept"));
        Assert.Equal("false", At(lines, 2, "kept"));
    }

    [Fact]
    public void What_never_came_stays_empty()
    {
        var lines = Requests(Row with { Outcome = "shed", DispatchSeconds = -1, FirstTokenSeconds = -1, Replica = -1, OutputTokens = 0 });
        Assert.All(
            new[] { "dispatch_s", "first_token_s", "ttft_s", "tpot_s", "end_to_end_s", "replica" },
            name => Assert.Equal("", At(lines, 1, name)));
        Assert.Equal("9.7", At(lines, 1, "end_s"));
    }

    [Fact]
    public void Every_line_ends_as_the_standard_says()
    {
        using var output = new StringWriter();
        new SimulateRequestTable(output).Add(Row with { Class = "plain" });
        Assert.Equal(2, output.ToString().Split("\r\n").Length - 1);
        Assert.EndsWith("\r\n", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', output.ToString().Replace("\r\n", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Stretches_have_a_line_for_all_and_one_for_each_pool()
    {
        var run = SimulateRuns.Run(pools: 2, stretches: 3);
        run = run with { Pools = [run.Pools[0] with { Name = SimulateRuns.Awkward }, run.Pools[1]] };
        var lines = Stretches(run);
        Assert.Equal(1 + (3 * 3), lines.Count);
        Assert.All(lines, line => Assert.Equal(lines[0].Count, line.Count));
        Assert.Equal(["all", SimulateRuns.Awkward, "pool-1"], lines.Skip(1).Take(3).Select(line => line[2]));
        Assert.Equal(run.Intervals[1].All.BoardWatts, Number(lines, 4, "board_watts"));
        Assert.Equal(run.Intervals[1].Pools[1].KvHeld, Number(lines, 6, "kv_held_share"));
        Assert.Equal(run.Intervals[1].Arrived, Number(lines, 4, "arrived"));
        Assert.Equal("", At(lines, 5, "arrived"));
    }

    [Fact]
    public void One_pool_is_not_told_twice() => Assert.Equal(4, Stretches(SimulateRuns.Run(stretches: 3)).Count);

    private static List<List<string>> Requests(params RequestRow[] rows)
    {
        using var output = new StringWriter();
        var table = new SimulateRequestTable(output);
        foreach (var row in rows)
            table.Add(row);
        return Read(output.ToString());
    }

    private static List<List<string>> Stretches(RunReport run)
    {
        using var output = new StringWriter();
        SimulateIntervalTable.Write(run, output);
        return Read(output.ToString());
    }

    private static string At(List<List<string>> lines, int line, string column) => lines[line][lines[0].IndexOf(column)];

    private static double Number(List<List<string>> lines, int line, string column) =>
        double.Parse(At(lines, line, column), CultureInfo.InvariantCulture);

    /// <summary>A reader by the standard, letter by letter.</summary>
    private static List<List<string>> Read(string text)
    {
        var (lines, line, field, quoted) = (new List<List<string>>(), new List<string>(), new StringBuilder(), false);
        for (var i = 0; i < text.Length; i++)
        {
            if (quoted && text[i] == '"' && i + 1 < text.Length && text[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (text[i] == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && (text[i] == ',' || text[i] == '\n'))
            {
                line.Add(field.ToString());
                field.Clear();
                if (text[i] != '\n')
                    continue;
                lines.Add(line);
                line = [];
            }
            else if (quoted || text[i] != '\r')
            {
                field.Append(text[i]);
            }
        }

        Assert.False(quoted);
        Assert.Empty(line);
        return lines;
    }
}
