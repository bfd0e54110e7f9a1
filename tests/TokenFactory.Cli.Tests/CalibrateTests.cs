using System.Text.RegularExpressions;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>calibrate: what it fits, what it refuses, and what it leaves behind.</summary>
public sealed class CalibrateTests
{
    private const string Excerpt = "tests/data/measured-excerpt.csv";

    [Fact]
    public void Keeps_the_catalogs_factors_for_a_small_fleet_and_writes_a_layer_that_is_used()
    {
        using var folder = new TemporaryFolder();
        var fleet = folder.Write("fleet.csv", Rows(line => line.Contains("llama-3.1-70b,", StringComparison.Ordinal)));
        var run = Program.Run("calibrate", "--from", fleet, "--out", Path.Combine(folder.Root, "mine", "calibration"), "--source", "our fleet", "--json");
        Assert.Equal(0, run.Code);
        Assert.Equal(["fleet.csv", "mine/calibration/errors.csv", "mine/calibration/serving.csv"], folder.Files());
        var factors = File.ReadAllText(Path.Combine(folder.Root, "mine", "calibration", "serving.csv"));
        Assert.Contains("\"our fleet; over: ", factors, StringComparison.Ordinal);
        Assert.Contains(",2026-11,measured", factors, StringComparison.Ordinal);
        Assert.Contains("TPOT", Program.Run("calibrate", "--from", fleet, "--catalog", Path.Combine(folder.Root, "mine")).Out, StringComparison.Ordinal);
        var changed = run.Json.GetProperty("change").EnumerateArray().First(row => row.GetProperty("metric").GetString() == "TPOT");
        Assert.Equal(40, changed.GetProperty("rows").GetInt32());
        Assert.InRange(changed.GetProperty("blind_median_error").GetDouble(), 0, 0.25);
    }

    [Fact]
    public void Corrections_follow_a_fleet_that_is_slower_than_the_public_ones()
    {
        using var folder = new TemporaryFolder();
        var slow = folder.Write("slow.csv", Scaled(1.5));
        var json = Program.Run("calibrate", "--from", slow, "--json").Json;
        var changed = json.GetProperty("change").EnumerateArray().First(row => row.GetProperty("metric").GetString() == "TPOT");
        var (before, after) = (changed.GetProperty("catalog_median_error").GetDouble(), changed.GetProperty("blind_median_error").GetDouble());
        Assert.True(before > 0.25 && after < before * 0.7, $"{before} {after}");
    }

    [Theory]
    [InlineData("catalog")]
    [InlineData("none")]
    public void Refuses_a_table_whose_times_are_too_long_to_be_milliseconds(string start)
    {
        using var folder = new TemporaryFolder();
        var microseconds = folder.Write("microseconds.csv", Scaled(1000));
        var run = Program.Run("calibrate", "--from", microseconds, "--base", start, "--out", Path.Combine(folder.Root, "out"));
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains("60 of 60 rows with TPOT are more than 2.5 times off the model", run.Err, StringComparison.Ordinal);
        Assert.Contains("Check units", run.Err, StringComparison.Ordinal);
        Assert.Equal(["microseconds.csv"], folder.Files());
    }

    [Fact]
    public void Uses_no_row_that_beats_the_memory_bandwidth()
    {
        using var folder = new TemporaryFolder();
        var seconds = folder.Write("seconds.csv", Scaled(0.001));
        var run = Program.Run("calibrate", "--from", seconds);
        Assert.Equal(2, run.Code);
        Assert.Contains("60 rows cannot be used", run.Err, StringComparison.Ordinal);
        Assert.Contains("less time than reading the weights does", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_which_rows_it_takes_for_something_else()
    {
        using var folder = new TemporaryFolder();
        var mixed = folder.Write("mixed.csv", Scaled(4, line => line.Contains("gpt-oss-120b,b200", StringComparison.Ordinal)));
        var aside = Program.Run("calibrate", "--from", mixed, "--json").Json.GetProperty("set_aside").EnumerateArray().ToList();
        var tpot = Assert.Single(aside, row => row.GetProperty("metric").GetString() == "TPOT");
        Assert.Equal("gpt-oss-120b b200", $"{tpot.GetProperty("model").GetString()} {tpot.GetProperty("gpu").GetString()}");
        Assert.Equal(10, tpot.GetProperty("rows").GetInt32());
        Assert.InRange(tpot.GetProperty("ratio").GetDouble(), 2.5, 6);
    }

    [Fact]
    public void Says_what_the_rows_do_not_identify()
    {
        var run = Program.Run("calibrate", "--from", Excerpt, "--base", "none", "--json");
        Assert.Equal(0, run.Code);
        var unknown = run.Json.GetProperty("not_identified").EnumerateArray()
            .Select(row => $"{row.GetProperty("table").GetString()} {row.GetProperty("terms").GetString()}").ToList();
        Assert.Contains(unknown, row => row.StartsWith("power awake", StringComparison.Ordinal));
        Assert.Contains(unknown, row => row.StartsWith("step ", StringComparison.Ordinal) && row.Contains("dispatched-layers", StringComparison.Ordinal));
        Assert.Equal(2, run.Json.GetProperty("unused")[0].GetProperty("rows").GetInt32());
    }

    [Fact]
    public void With_one_cell_it_holds_nothing_out_and_says_so()
    {
        using var folder = new TemporaryFolder();
        var one = folder.Write("one.csv", Rows(line => line.Contains("llama-3.1-70b,b200", StringComparison.Ordinal)));
        var run = Program.Run("calibrate", "--from", one, "--out", Path.Combine(folder.Root, "out"));
        Assert.Equal(0, run.Code);
        Assert.Contains("only one cell", run.Out, StringComparison.Ordinal);
        Assert.Equal(["one.csv", "out/errors.csv", "out/serving.csv"], folder.Files());
        var kept = File.ReadAllLines(Path.Combine(folder.Root, "out", "errors.csv"));
        Assert.Equal(Repository.Text("catalog", "calibration", "errors.csv").TrimEnd().Split('\n').Order(), kept.Order());
    }

    [Fact]
    public void With_one_cell_and_no_base_it_leaves_a_catalog_that_is_read_without_bands()
    {
        using var folder = new TemporaryFolder();
        var one = folder.Write("one.csv", Rows(line => line.Contains("llama-3.1-70b,b200", StringComparison.Ordinal)));
        var run = Program.Run("calibrate", "--from", one, "--base", "none", "--out", Path.Combine(folder.Root, "mine", "calibration"));
        Assert.True(run.Code == 0, run.Err);
        var answer = Program.Run("predict", "--model", "llama-3.1-70b", "--gpu", "b200", "--catalog", Path.Combine(folder.Root, "mine"), "--json");
        Assert.True(answer.Code == 0, answer.Err);
        Assert.All(
            answer.Json.GetProperty("figures").EnumerateArray(),
            row => Assert.Equal(System.Text.Json.JsonValueKind.Null, row.GetProperty("low").ValueKind));
    }

    [Theory]
    [InlineData("ttft_mean_ms", "1e-9", "the first token comes within 0.1 ms")]
    [InlineData("tpot_mean_ms", "1e9", "a token takes more than a minute")]
    [InlineData("input_len_tok", "1e12", "input_len_tok is 1000000000000")]
    public void One_row_that_cannot_be_does_not_spoil_the_others(string column, string value, string reason)
    {
        using var folder = new TemporaryFolder();
        var lines = Rows(_ => true).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var at = Array.IndexOf(lines[0].Split(','), column);
        var fields = Regex.Split(lines[14], ",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)");
        Assert.True(double.TryParse(fields[at], out _), $"{column} is '{fields[at]}'");
        fields[at] = value;
        lines[14] = string.Join(',', fields);
        var run = Program.Run("calibrate", "--from", folder.Write("one-off.csv", string.Join('\n', lines) + "\n"));
        Assert.True(run.Code == 0, run.Err);
        Assert.StartsWith("59 of 62 rows can be used", run.Out, StringComparison.Ordinal);
        Assert.Contains(reason, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_the_same_twice()
    {
        var once = Program.Run("calibrate", "--from", Excerpt, "--base", "none").Out;
        Assert.Equal(once, Program.Run("calibrate", "--from", Excerpt, "--base", "none").Out);
    }

    [Fact]
    public void Refuses_too_few_rows_and_says_why_the_others_cannot_be_used()
    {
        using var folder = new TemporaryFolder();
        var few = folder.Write("few.csv", Rows(line => line.Contains("gpt-oss-120b,b200", StringComparison.Ordinal) || line.Contains("mlperf", StringComparison.Ordinal)));
        var run = Program.Run("calibrate", "--from", few, "--out", Path.Combine(folder.Root, "out"));
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains("10 of 12 rows can be used, and fewer than 20 identify nothing", run.Err, StringComparison.Ordinal);
        Assert.Contains("2 rows cannot be used, first t00592: the row names no single kind of GPU", run.Err, StringComparison.Ordinal);
        Assert.Equal(["few.csv"], folder.Files());
    }

    [Fact]
    public void Refuses_all_mistakes_of_all_files_at_once()
    {
        using var folder = new TemporaryFolder();
        var text = Rows(_ => true);
        var first = folder.Write("first.csv", text.Replace(",21.4659,", ",fast,", StringComparison.Ordinal));
        var second = folder.Write("second.csv", "row_id,tpot_means_ms\na,5\na,6\n");
        var run = Program.Run("calibrate", "--from", first, "--from", second, "--from", "nowhere.csv", "--out", Path.Combine(folder.Root, "out"));
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains($"{first}:2: column 'tpot_mean_ms' is 'fast'", run.Err, StringComparison.Ordinal);
        Assert.Contains($"{second}: unknown column 'tpot_means_ms'. Did you mean 'tpot_mean_ms'?", run.Err, StringComparison.Ordinal);
        Assert.Contains($"{second}:3: column 'row_id' is 'a' a second time", run.Err, StringComparison.Ordinal);
        Assert.Contains("nowhere.csv: does not exist", run.Err, StringComparison.Ordinal);
        Assert.Equal(["first.csv", "second.csv"], folder.Files());
    }

    [Theory]
    [InlineData("--from is missing", "calibrate")]
    [InlineData("--from names 'tests/data/measured-excerpt.csv' 2 times", "calibrate", "--from", Excerpt, "--from", Excerpt)]
    [InlineData("--base is 'all'. Write catalog or none", "calibrate", "--from", Excerpt, "--base", "all")]
    [InlineData("--kernels contradicts --from", "calibrate", "--from", Excerpt, "--kernels", "docs")]
    [InlineData("--kernels is 'nowhere', which is no folder", "calibrate", "--kernels", "nowhere")]
    [InlineData("gemm.csv: does not exist", "calibrate", "--kernels", "docs")]
    [InlineData("--out is 'README.md', which is a file", "calibrate", "--from", Excerpt, "--out", "README.md")]
    public void Names_what_is_wrong_with_the_command_line(string message, params string[] arguments)
    {
        var run = Program.Run(arguments);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
    }

    private static string Rows(Predicate<string> wanted)
    {
        var lines = Repository.Text("tests", "data", "measured-excerpt.csv").TrimEnd('\n').Split('\n');
        return string.Join('\n', lines.Take(1).Concat(lines.Skip(1).Where(line => wanted(line)))) + "\n";
    }

    /// <summary>The excerpt with its times per token multiplied; only fields before them are quoted.</summary>
    private static string Scaled(double factor, Predicate<string>? which = null)
    {
        var lines = Rows(line => !line.Contains("mlperf", StringComparison.Ordinal)).TrimEnd('\n').Split('\n');
        var column = lines[0].Split(',').Length - Array.IndexOf(lines[0].Split(','), "tpot_mean_ms");
        return string.Join('\n', lines.Take(1).Concat(lines.Skip(1).Select(line =>
        {
            var fields = line.Split(',');
            if (which is not null && !which(line))
                return line;
            fields[^column] = (double.Parse(fields[^column]) * factor).ToString("R");
            return string.Join(',', fields);
        }))) + "\n";
    }
}
