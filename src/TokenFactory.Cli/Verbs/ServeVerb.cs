using System.CommandLine;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>serve: the gateway.</summary>
internal static class ServeVerb
{
    private const string Purpose = "Serves models behind one OpenAI address: routes by cost, meters every token in dollars and joules.";

    private const string Sets = "Sets a key of the file: listen=0.0.0.0:8080, pools.h100.replicas=4. KEY= takes one away. May be repeated.";

    public static Command Command(Terminal terminal)
    {
        var command = new Command("serve", Purpose);
        var file = new Argument<string?>("FACTORY.yaml")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "The factory. Default: two virtual replicas of different GPUs on loopback.",
        };
        var set = new Option<string[]>("--set") { HelpName = "KEY=VALUE", Description = Sets, Arity = ArgumentArity.OneOrMore };
        var check = new Option<bool>("--check") { Description = "Reads the file, says what it makes of it, and starts nothing." };
        command.Arguments.Add(file);
        command.Options.Add(set);
        command.Options.Add(check);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file) ?? ServeRunner.DefaultFile;
            var changes = SimulateChanges.Read(parsed.GetValue(set) ?? [], null);
            var runner = new ServeRunner(terminal, path, Read);
            return parsed.GetValue(check) ? runner.Check(parsed, common) : runner.Run(parsed.GetValue(common.Json));

            Factory Read()
            {
                var catalog = common.Catalog(parsed, terminal, "points", "api-prices", "tiers", "engines");
                var calibration = common.Calibration(parsed, terminal, catalog);
                return new ServeInput(Settings.OfFile(path, changes), catalog, calibration, common.Today(parsed, terminal)).Read();
            }
        });
        return command;
    }
}
