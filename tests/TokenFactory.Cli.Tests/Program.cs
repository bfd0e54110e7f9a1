using System.Text.Json;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>What a run of the program left behind.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Out">Standard output.</param>
/// <param name="Err">Standard error.</param>
internal sealed record Outcome(int Code, string Out, string Err)
{
    public JsonElement Json => JsonDocument.Parse(Out).RootElement;
}

/// <summary>Runs the program as a user would, in this process: the same entry, with its terminal and its day handed in.</summary>
internal static class Program
{
    /// <summary>The day on which the documentation's output was printed.</summary>
    public static readonly DateOnly Day = new(2026, 11, 21);

    public static string NoCatalog { get; } = Path.Combine(Path.GetTempPath(), "tokenfactory-tests-no-catalog");

    public static Outcome Run(params string[] arguments) => RunIn(null, NoCatalog, arguments);

    /// <summary>Runs it and presses Ctrl-C: it is asked that often whether to stop before the answer is yes.</summary>
    public static Outcome Interrupted(int after, params string[] arguments) =>
        With(terminal => terminal with { Stopped = () => after-- <= 0 }, null, NoCatalog, arguments);

    public static Outcome RunIn(int? width, string userCatalog, params string[] arguments) =>
        With(terminal => terminal, width, userCatalog, arguments);

    private static Outcome With(Func<Terminal, Terminal> changed, int? width, string userCatalog, string[] arguments)
    {
        // Paths in commands are relative to the repository, as in the documentation; the test runner stands elsewhere.
        Directory.SetCurrentDirectory(Repository.Root);
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = App.Run(arguments, changed(new Terminal(output, error, width, Colour: false, Day, userCatalog)));
        return new Outcome(code, output.ToString(), error.ToString());
    }
}

/// <summary>A folder that is gone when the test is done.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Directory.CreateDirectory(Root);

    public string Root { get; } = Path.Combine(Path.GetTempPath(), "tokenfactory-" + Guid.NewGuid().ToString("N"));

    public string Write(string name, string text)
    {
        var path = Path.Combine(Root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public IReadOnlyList<string> Files() =>
        [.. Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
