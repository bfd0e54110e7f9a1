using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Cli.Verbs;

namespace TokenFactory.Cli;

/// <summary>The command line. Exit codes: 0 done, 1 the answer is no, 2 could not answer.</summary>
internal static class App
{
    public const int Done = 0;
    public const int AnswerIsNo = 1;
    public const int CouldNotAnswer = 2;

    public static int Run(IReadOnlyList<string> arguments, Terminal terminal)
    {
        try
        {
            var root = Root(terminal);
            if (arguments.Count == 0)
            {
                terminal.Out.Write(Overview.Text);
                return Done;
            }

            var parsed = root.Parse(arguments);
            if (parsed.Errors.Count > 0 || TakenForFiles(parsed).Any())
                throw new Refusal([.. Explain(parsed)]);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.Err,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (Refusal refusal)
        {
            var mistakes = refusal.Mistakes.Distinct().ToList();
            foreach (var mistake in mistakes.Take(MostMistakes))
                terminal.Err.WriteLine($"error: {mistake}");
            if (mistakes.Count > MostMistakes)
                terminal.Err.WriteLine($"error: and {mistakes.Count - MostMistakes:N0} more.");
            return CouldNotAnswer;
        }
        catch (IOException failure)
        {
            var why = failure.Message.TrimEnd('.');
            terminal.Err.WriteLine($"error: standard output cannot be written: {why}. Make room, or send it elsewhere.");
            return CouldNotAnswer;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            terminal.Err.WriteLine($"error: the program failed, which is a fault of its own: {failure.GetType().Name}: {failure.Message}");
            return CouldNotAnswer;
        }
    }

    /// <summary>Mistakes that are told one by one: who has more made one mistake many times.</summary>
    private const int MostMistakes = 100;

    private static Command Root(Terminal terminal)
    {
        var root = new Command("tokenfactory", "Token Factory: what tokens cost in dollars and joules, and how to make them cheaper.");
        root.Options.Add(new HelpOption());
        root.Options.Add(new VersionOption());
        root.Subcommands.Add(PriceVerb.Command(terminal));
        root.Subcommands.Add(BillingVerb.Command(terminal));
        root.Subcommands.Add(FactoryVerb.Command(terminal));
        root.Subcommands.Add(PredictVerb.Command(terminal));
        root.Subcommands.Add(WorkloadVerb.Command(terminal));
        root.Subcommands.Add(SimulateVerb.Command(terminal));
        root.Subcommands.Add(PlanVerb.Command(terminal));
        root.Subcommands.Add(AuditVerb.Command(terminal));
        root.Subcommands.Add(ServeVerb.Command(terminal));
        root.Subcommands.Add(KeysVerb.Command(terminal));
        root.Subcommands.Add(TenantsVerb.Command(terminal));
        root.Subcommands.Add(ReplicasVerb.Command(terminal));
        root.Subcommands.Add(ReportVerb.Command(terminal));
        root.Subcommands.Add(ReplayVerb.Command(terminal));
        root.Subcommands.Add(EngineVerb.Command(terminal));
        root.Subcommands.Add(BenchVerb.Command(terminal));
        root.Subcommands.Add(CalibrateVerb.Command(terminal));
        root.Subcommands.Add(CatalogVerb.Command(terminal));
        return root;
    }

    /// <summary>
    /// What is wrong with the words of the command line. A flag that nobody knows is named once, without the words behind it.
    /// </summary>
    private static IEnumerable<Mistake> Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var help = $"See 'tokenfactory {Path(parsed)}--help'";
        var unknown = TakenForFiles(parsed).Concat(parsed.UnmatchedTokens).Where(word => word.StartsWith('-') && word.Length > 1).ToList();
        if (unknown.Count == 0)
            unknown = [.. parsed.UnmatchedTokens.Take(1)];
        foreach (var word in unknown)
        {
            var flag = word.StartsWith('-');
            var known = flag ? command.Options.Select(option => option.Name) : command.Subcommands.Select(sub => sub.Name);
            var near = Names.Nearest(word, known);
            yield return new Mistake(
                "command line",
                flag ? $"unknown flag '{word}'" : $"'{word}' is not expected here",
                near is null ? help : $"Did you mean '{near}'?");
        }

        var others = parsed.Errors
            .Where(error => !parsed.UnmatchedTokens.Any(word => error.Message.Contains($"'{word}'", StringComparison.Ordinal)));
        foreach (var error in others)
        {
            if (unknown.Count == 0 || error.SymbolResult is OptionResult)
                yield return new Mistake("command line", error.Message.TrimEnd('.'), help);
        }
    }

    /// <summary>Misspelt flags that the parser took for the name of a file.</summary>
    private static IEnumerable<string> TakenForFiles(ParseResult parsed) =>
        parsed.CommandResult.Children
            .OfType<ArgumentResult>()
            .SelectMany(argument => argument.Tokens)
            .Select(token => token.Value)
            .Where(word => word.StartsWith("--", StringComparison.Ordinal));

    private static string Path(ParseResult parsed) =>
        (parsed.CommandResult.Parent is CommandResult { Command.Name: not "tokenfactory" } parent ? parent.Command.Name + " " : "")
        + (parsed.CommandResult.Command.Name == "tokenfactory" ? "" : parsed.CommandResult.Command.Name + " ");

    /// <summary>Prints a report as the flags ask.</summary>
    public static void Print(Report report, Terminal terminal, CommonFlags flags, ParseResult parsed)
    {
        if (parsed.GetValue(flags.Json))
            JsonOutput.Print(report, terminal.Out);
        else
            TextOutput.Print(report, terminal, parsed.GetValue(flags.Sources));
    }
}
