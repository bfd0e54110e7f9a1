using System.Diagnostics;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>What a stranger meets before the program runs, and the program as a process of its own.</summary>
public sealed class LauncherTests
{
    [Fact]
    public void With_no_verb_it_shows_what_it_can_do()
    {
        var run = Program.Run();
        Assert.Equal(0, run.Code);
        Assert.All(new[] { "price", "billing", "factory", "catalog", "Exit codes" }, word => Assert.Contains(word, run.Out, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_the_sdk_it_says_which_one_and_how_to_get_it()
    {
        using var tools = new TemporaryFolder();
        foreach (var tool in new[] { "bash", "dirname", "cat", "find" })
            File.CreateSymbolicLink(Path.Combine(tools.Root, tool), Tool(tool));
        var run = Start(Tool("bash"), [Repository.Path("tokenfactory"), "price"], ("PATH", tools.Root));
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(".NET 10 SDK", run.Err, StringComparison.Ordinal);
        Assert.Contains("https://dotnet.microsoft.com/download/dotnet/10.0", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void As_a_process_it_keeps_results_errors_and_exit_code_apart()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "TokenFactory.Cli.dll");
        var good = Start("dotnet", [program, "price", "--gpu", "h100", "--json"]);
        Assert.Equal(0, good.Code);
        Assert.Empty(good.Err);
        Assert.Equal("price", good.Json.GetProperty("verb").GetString());
        Assert.DoesNotContain('\u001b', good.Out);
        var bad = Start("dotnet", [program, "price", "--gpu", "h1000"]);
        Assert.Equal(2, bad.Code);
        Assert.Empty(bad.Out);
        Assert.StartsWith("error: command line: --gpu names 'h1000'", bad.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void The_width_of_a_terminal_may_be_told()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "TokenFactory.Cli.dll");
        var run = Start("dotnet", [program, "catalog", "list", "accelerators"], ("COLUMNS", "80"));
        Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= 80, line));
    }

    private static string Tool(string name) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, name)).First(File.Exists);

    private static Outcome Start(string file, IReadOnlyList<string> arguments, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["TOKENFACTORY_CATALOG"] = Program.NoCatalog;
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output, error.Result);
    }
}
