using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>No verb writes over a file that it reads, or writes one file twice.</summary>
public sealed class FilePlacesTests
{
    private const string Log = "examples/events.jsonl";
    private const string Factory = "examples/serve-two-models.yaml";
    private const string Trace = "examples/traces/azure-code.csv";
    private const string Audited = "examples/audit-naive.yaml";
    private const string Server = "http://127.0.0.1:1";

    [Theory]
    [InlineData($"--trace is '{Log}', which is read", "replay", Log, Factory, "--trace", Log)]
    [InlineData($"--trace is '{Factory}', which is read", "replay", Log, Factory, "--trace", Factory)]
    [InlineData("--focus is './x.csv', and so is --csv", "report", "--focus", "./x.csv", "--csv", "x.csv")]
    [InlineData("--records-csv is 'rec.csv', which is read", "report", "--read", "rec.csv", "--records-csv", "rec.csv")]
    [InlineData("--csv is 's/ledger.db', which is read", "report", "--store", "s", "--csv", "s/ledger.db")]
    [InlineData("--summary is 'a.csv', and so is --csv", "bench", Server, "--csv", "a.csv", "--summary", "a.csv", "--gpu", "h100")]
    [InlineData($"--csv is '{Trace}', which is read", "bench", Server, "--trace", Trace, "--csv", Trace)]
    [InlineData($"--fit is '{Trace}', which is read", "workload", "describe", Trace, "--fit", Trace)]
    [InlineData($"--out is '{Trace}', which is read", "workload", "make", "--like", Trace, "--out", Trace)]
    [InlineData($"--html is '{Audited}', which is read", "audit", Audited, "--html", Audited)]
    public void Refuses_what_would_overwrite_another_and_writes_nothing(string message, params string[] arguments)
    {
        var run = Program.Run(arguments);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Equal($"error: command line: {message}. Name another file.\n", run.Err);
    }

    [Fact]
    public void An_empty_name_is_no_fault_of_the_program()
    {
        var run = Program.Run("bench", Server, "--csv", "");
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("cannot be written: its name is empty. Name a file", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_is_the_file_behind_it_and_a_device_takes_what_comes()
    {
        using var folder = new TemporaryFolder();
        var (log, link) = (folder.Write("log.jsonl", File.ReadAllText(Repository.Path(Log))), Path.Combine(folder.Root, "link"));
        File.CreateSymbolicLink(link, log);
        var linked = Program.Run("replay", log, Factory, "--trace", link);
        Assert.Contains($"--trace is '{link}', which is read", linked.Err, StringComparison.Ordinal);
        var devices = Program.Run("report", "--store", folder.Root, "--csv", "/dev/null", "--focus", "/dev/null");
        Assert.DoesNotContain("and so is", devices.Err, StringComparison.Ordinal);
    }
}
