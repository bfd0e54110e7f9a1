using System.CommandLine;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// A flag that is read as a setting of the same name: its key in YAML, what it means, whether it may be given more than once.
/// </summary>
/// <param name="Key">"tokens_per_second_per_gpu" for --tokens-per-second-per-gpu.</param>
/// <param name="Help">What it means, with its unit and default.</param>
/// <param name="Many">Whether it may be repeated.</param>
internal sealed record Flag(string Key, string Help, bool Many = false)
{
    public string Name => "--" + Key.Replace('_', '-');

    /// <summary>A shorter name, "--rate"; null for none.</summary>
    public string? Short { get; init; }
}

/// <summary>The flags that every verb takes.</summary>
internal sealed class CommonFlags
{
    public Option<bool> Json { get; } = new("--json") { Description = "Print JSON for machines instead of tables." };

    public Option<bool> Sources { get; } = new("--sources") { Description = "Say where each figure comes from." };

    private Option<string[]> Overlay { get; } = new("--catalog")
    {
        Description = "A folder of your own catalog entries, laid over the built-in ones. May be repeated; the last wins.",
        HelpName = "DIR",
        Arity = ArgumentArity.OneOrMore,
    };

    private Option<string?> AsOf { get; } = new("--as-of")
    {
        Description = "The day by which prices are judged stale. Default: today.",
        HelpName = "YYYY-MM-DD",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(Json);
        command.Options.Add(Sources);
        command.Options.Add(Overlay);
        command.Options.Add(AsOf);
    }

    public DateOnly Today(ParseResult parsed, Terminal terminal)
    {
        if (parsed.GetValue(AsOf) is not { } text)
            return terminal.Today;
        return SourceDate.Parse(text) is { } date && date.Earliest == date.Latest
            ? date.Earliest
            : throw new Refusal("command line", $"--as-of is '{text}'", "Give a day as YYYY-MM-DD");
    }

    /// <summary>The folders laid over the built-in catalog: the user's own where it exists, then those named.</summary>
    public IReadOnlyList<string> Overlays(ParseResult parsed, Terminal terminal)
    {
        var named = parsed.GetValue(Overlay) ?? [];
        if (File.Exists(terminal.UserCatalog))
            throw new Refusal("TOKENFACTORY_CATALOG", $"is '{terminal.UserCatalog}', which is a file", "Name a folder");
        return Directory.Exists(terminal.UserCatalog) ? [terminal.UserCatalog, .. named] : named;
    }

    /// <summary>
    /// The folder that an addition goes to: the last one named with --catalog, else the user's own. It need not exist yet.
    /// </summary>
    public string Target(ParseResult parsed, Terminal terminal) => parsed.GetValue(Overlay)?.LastOrDefault() ?? terminal.UserCatalog;

    /// <summary>The catalog as this run sees it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="terminal">Where the user's own catalog lies.</param>
    /// <param name="unread">Folders that the verb does not need: a quick answer does not read what it will not use.</param>
    /// <exception cref="Refusal">A folder is missing, or an entry is wrong; all mistakes at once.</exception>
    public CatalogContents Catalog(ParseResult parsed, Terminal terminal, params string[] unread)
    {
        var mistakes = new List<Mistake>();
        var contents = Catalog(parsed, terminal, mistakes, unread);
        Refusal.IfAny(mistakes);
        return contents;
    }

    public CatalogContents Catalog(ParseResult parsed, Terminal terminal, List<Mistake> mistakes, params string[] unread)
    {
        var overlays = Overlays(parsed, terminal);
        foreach (var folder in overlays.Where(folder => !Directory.Exists(folder)))
            mistakes.Add(new Mistake("command line", $"--catalog is '{folder}', which is no folder", "Create it, or name another"));
        Refusal.IfAny(mistakes);
        return Read(overlays, mistakes, unread);
    }

    /// <summary>The catalog before an addition to <see cref="Target"/>, which is made when it is written.</summary>
    /// <exception cref="Refusal">An entry is wrong; all mistakes at once.</exception>
    public CatalogContents CatalogBefore(ParseResult parsed, Terminal terminal)
    {
        var mistakes = new List<Mistake>();
        var target = Target(parsed, terminal);
        if (File.Exists(target))
            throw new Refusal("command line", $"--catalog is '{target}', which is a file", "Name a folder");
        var contents = Read([.. Overlays(parsed, terminal).Where(folder => folder != target || Directory.Exists(folder))], mistakes, []);
        Refusal.IfAny(mistakes);
        return contents;
    }

    /// <summary>The calibration as this run sees it.</summary>
    /// <exception cref="Refusal">A table is wrong; all mistakes at once.</exception>
    public CalibrationInput Calibration(ParseResult parsed, Terminal terminal, CatalogContents catalog)
    {
        var mistakes = new List<Mistake>();
        var input = Calibration(parsed, terminal, catalog, mistakes);
        Refusal.IfAny(mistakes);
        return input;
    }

    public CalibrationInput Calibration(ParseResult parsed, Terminal terminal, CatalogContents catalog, List<Mistake> mistakes) =>
        CalibrationInput.Read([Files.BuiltInCatalog, .. Overlays(parsed, terminal)], catalog.Accelerators, mistakes);

    private static CatalogContents Read(IReadOnlyList<string> overlays, List<Mistake> mistakes, string[] unread)
    {
        return CatalogReader.Read([.. overlays.Prepend(Files.BuiltInCatalog).Select(folder => Files.Layer(folder, Wanted))], mistakes);

        bool Wanted(string path) =>
            !Array.Exists([CalibrationInput.Folder, .. unread], folder => path.StartsWith(folder + "/", StringComparison.Ordinal));
    }
}

/// <summary>Flags that stand for settings, defined once per verb.</summary>
internal sealed class SettingFlags
{
    private readonly List<(Flag Flag, Option Option, Func<ParseResult, IReadOnlyList<string>> Read)> _flags = [];

    public SettingFlags(Command command, params IEnumerable<Flag> flags)
    {
        foreach (var flag in flags)
        {
            if (flag.Many)
                Add(command, flag, new Option<string[]>(flag.Name), values => values);
            else
                Add(command, flag, new Option<string>(flag.Name), value => [value]);
        }
    }

    /// <summary>What was given; mistakes name each flag as it was typed.</summary>
    public Settings Read(ParseResult parsed)
    {
        var names = _flags.ToDictionary(
            one => one.Flag.Key,
            one => parsed.GetResult(one.Option)?.IdentifierToken?.Value ?? one.Flag.Short ?? one.Flag.Name,
            StringComparer.Ordinal);
        return Settings.OfFlags(
            _flags.Select(one => (one.Flag.Key, one.Read(parsed))),
            key => names.GetValueOrDefault(key) ?? "--" + key.Replace('_', '-'));
    }

    private void Add<T>(Command command, Flag flag, Option<T> option, Func<T, IReadOnlyList<string>> values)
    {
        option.Description = flag.Help;
        option.HelpName = "VALUE";
        if (flag.Short is { } name)
            option.Aliases.Add(name);
        command.Options.Add(option);
        _flags.Add((flag, option, parsed => parsed.GetValue(option) is { } given ? values(given) : []));
    }
}
