using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>replay: on a log that a gateway wrote, whole and damaged.</summary>
public sealed class ReplayVerbTests
{
    private const string Log = "examples/events.jsonl";
    private const string Factory = "examples/serve-two-models.yaml";

    [Fact]
    public void The_log_of_a_gateway_comes_out_the_same()
    {
        var outcome = Program.Run("replay", Log, Factory);
        Assert.Equal((0, ""), (outcome.Code, outcome.Err));
        Assert.StartsWith("examples/events.jsonl: all 49 decisions come out the same, over 289 events.", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_decision_that_differs_is_told_in_words_also_on_a_narrow_terminal()
    {
        using var folder = new TemporaryFolder();
        var lines = File.ReadAllLines(Repository.Path(Log));
        var at = Array.FindLastIndex(lines, line => line.Contains("\"decision\"", StringComparison.Ordinal));
        lines[at] = lines[at].Replace("\"replica\":1", "\"replica\":0", StringComparison.Ordinal);
        var outcome = Program.RunIn(80, Program.NoCatalog, "replay", folder.Write("events.jsonl", string.Join('\n', lines)), Factory);
        Assert.Equal((1, ""), (outcome.Code, outcome.Err));
        Assert.Contains("1 of 49 decisions come out otherwise", outcome.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains($"line {at + 1}: request", outcome.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(17, "\"model\":1", "\"model\":7", "line 18 is damaged: 'model' is 7.")]
    [InlineData(17, "\"model\":1", "\"model\":-1", "line 18 is damaged: 'model' is -1.")]
    [InlineData(17, "\"class\":1", "\"class\":9", "line 18 is damaged: 'class' is 9.")]
    [InlineData(17, "\"tenant\":1", "\"tenant\":2000000000", "line 18 is damaged: 'tenant' is 2000000000.")]
    [InlineData(17, "\"prompt\":", "\"prompt\":-", "line 18 is damaged: 'prompt' is -")]
    [InlineData(17, "\"model\":1", "\"model\":x", "line 18 is damaged: 'x' is an invalid start of a value. Name the log,")]
    [InlineData(17, "Queued", "Cued", "line 18 is damaged: ")]
    [InlineData(17, "Queued", "Reported", "line 18 is damaged: request 4 was not queued.")]
    [InlineData(4, "\"replica\":0", "\"replica\":5", "line 5 tells what cannot have happened: ")]
    [InlineData(0, "\"models\"", "\"model\"", "is no log of events: its first line lists no models.")]
    [InlineData(0, "\"usd_per_hour\":0.9", "\"usd_per_hour\":0.8", "was written under another setup: models[0].pools[1].usd_per_hour is 0.8 in the log and 0.9 in the factory file.")]
    [InlineData(0, "\"models\":[", "\"models\":[{},", "was written under another setup: models has 3 entries in the log and 2 in the factory file.")]
    public void A_log_that_is_damaged_or_of_another_factory_is_refused_and_not_a_fault_of_the_program(int line, string before, string after, string told)
    {
        using var folder = new TemporaryFolder();
        var outcome = Program.Run("replay", Changed(folder, line, before, after), Factory, "--trace", Path.Combine(folder.Root, "trace.jsonl"));
        Assert.Equal((2, ""), (outcome.Code, outcome.Out));
        Assert.Contains($"events.jsonl: {told}", outcome.Err, StringComparison.Ordinal);
        Assert.Equal(["events.jsonl"], folder.Files());
    }

    [Fact]
    public void A_processor_that_rounds_otherwise_is_no_other_setup()
    {
        using var folder = new TemporaryFolder();
        var outcome = Program.Run("replay", Changed(folder, 0, "\"decode_s\":0.00691783924596", "\"decode_s\":0.00691783924597"), Factory);
        Assert.Equal((0, ""), (outcome.Code, outcome.Err));
    }

    [Fact]
    public void Where_lines_are_missing_it_says_how_far_it_came()
    {
        using var folder = new TemporaryFolder();
        var lines = File.ReadAllLines(Repository.Path(Log));
        lines[200] = "{\"lost\":12}";
        var outcome = Program.Run("replay", folder.Write("events.jsonl", string.Join('\n', lines)), Factory);
        Assert.Equal((1, ""), (outcome.Code, outcome.Err));
        Assert.Contains("It could not be followed further: 12 lines are missing at line 201", outcome.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_goes_on_across_missing_lines_without_the_request_that_was_queued_in_them()
    {
        using var folder = new TemporaryFolder();
        var lines = File.ReadAllLines(Repository.Path(Log));
        Assert.Contains("\"Queued\"", lines[17], StringComparison.Ordinal);
        lines[17] = "{\"lost\":1}";
        var trace = Path.Combine(folder.Root, "trace.jsonl");
        var outcome = Program.Run("replay", folder.Write("events.jsonl", string.Join('\n', lines)), Factory, "--trace", trace);
        Assert.Equal((1, ""), (outcome.Code, outcome.Err));
        Assert.Equal(48, File.ReadAllLines(trace).Length);
    }

    [Fact]
    public void Its_requests_are_a_trace_that_the_twin_replays()
    {
        using var folder = new TemporaryFolder();
        var trace = Path.Combine(folder.Root, "trace.jsonl");
        var written = Program.Run("replay", Log, Factory, "--trace", trace, "--model", "llama-3.1-8b");
        Assert.Equal((0, ""), (written.Code, written.Err));
        Assert.Contains("40 requests written to", written.Out, StringComparison.Ordinal);
        var run = Program.Run("simulate", "examples/simulate-replay.yaml", "--trace", trace, "--set", "workload.class=default");
        Assert.True(run.Code is 0 or 1, run.Err);
        Assert.Contains("40", run.Out, StringComparison.Ordinal);
    }

    private static string Changed(TemporaryFolder folder, int line, string before, string after)
    {
        var lines = File.ReadAllLines(Repository.Path(Log));
        Assert.Contains(before, lines[line], StringComparison.Ordinal);
        lines[line] = lines[line].Replace(before, after, StringComparison.Ordinal);
        return folder.Write("events.jsonl", string.Join('\n', lines));
    }
}
