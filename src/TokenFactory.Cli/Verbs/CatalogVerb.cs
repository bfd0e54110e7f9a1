using System.CommandLine;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>catalog: what exists, what it costs, and who says so.</summary>
internal static class CatalogVerb
{
    public static Command Command(Terminal terminal)
    {
        var command = new Command("catalog", "The GPUs, models, engines, prices and points behind the numbers.");
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var report = CatalogList.Of(common.Catalog(parsed, terminal), null, null, common.Today(parsed, terminal));
            App.Print(report, terminal, common, parsed);
            return App.Done;
        });
        command.Subcommands.Add(List(terminal));
        command.Subcommands.Add(Show(terminal));
        command.Subcommands.Add(Check(terminal));
        command.Subcommands.Add(AddModel(terminal));
        command.Subcommands.Add(ImportPrices(terminal));
        return command;
    }

    private static Command List(Terminal terminal)
    {
        var kind = new Argument<string?>("KIND")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = $"One of {string.Join(", ", CatalogList.Kinds)}. Default: how many of each.",
        };
        var filter = new Argument<string?>("FILTER") { Arity = ArgumentArity.ZeroOrOne, Description = "A text that the row must contain." };
        var common = new CommonFlags();
        var command = new Command("list", "Find things in the catalog.") { kind, filter };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal);
            var report = CatalogList.Of(catalog, parsed.GetValue(kind), parsed.GetValue(filter), common.Today(parsed, terminal));
            App.Print(report, terminal, common, parsed);
            return App.Done;
        });
        return command;
    }

    private static Command Show(Terminal terminal)
    {
        var name = new Argument<string>("NAME")
        {
            Description = "An accelerator, model, engine, provider, tier set, point or site-defaults, in any spelling.",
        };
        var common = new CommonFlags();
        var command = new Command("show", "Every number of a thing, with its source.") { name };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal);
            var overlays = common.Overlays(parsed, terminal).SelectMany(folder => Files.Layer(folder));
            IReadOnlyList<CatalogFile> files = [.. Files.Layer(Files.BuiltInCatalog), .. overlays];
            var show = new CatalogShow(catalog, files, common.Today(parsed, terminal));
            App.Print(show.Of(parsed.GetRequiredValue(name)), terminal, common, parsed);
            return App.Done;
        });
        return command;
    }

    private static Command Check(Terminal terminal)
    {
        var common = new CommonFlags();
        var command = new Command("check", "Whether every entry is well formed, named once and sourced. Exit code 1 where one is not.");
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var mistakes = new List<Mistake>();
            var catalog = common.Catalog(parsed, terminal, mistakes);
            common.Calibration(parsed, terminal, catalog, mistakes);
            var report = CatalogCheck.Of(catalog, mistakes, common.Today(parsed, terminal));
            App.Print(report, terminal, common, parsed);
            return mistakes.Count == 0 ? App.Done : App.AnswerIsNo;
        });
        return command;
    }

    private static Command AddModel(Terminal terminal)
    {
        var path = new Argument<string>("CONFIG.json") { Description = "A Hugging Face config.json." };
        var key = new Option<string?>("--key")
        {
            Description = "Name of the entry. Default: from the file's _name_or_path or its folder.",
            HelpName = "NAME",
        };
        var from = new Option<string?>("--source") { Description = "Where the file comes from. Default: its name.", HelpName = "TEXT" };
        var dry = new Option<bool>("--dry-run") { Description = "Say what would be added, write nothing." };
        var common = new CommonFlags();
        var command = new Command("add-model", "Read a Hugging Face config.json into a model shape and add it to your catalog.")
        {
            path, key, from, dry,
        };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.CatalogBefore(parsed, terminal);
            var folder = common.Target(parsed, terminal);
            var addition = ModelAddition.Read(
                parsed.GetRequiredValue(path), parsed.GetValue(key), parsed.GetValue(from), catalog, common.Today(parsed, terminal));
            var written = parsed.GetValue(dry) ? null : addition.Write(folder);
            App.Print(addition.Report(written), terminal, common, parsed);
            return App.Done;
        });
        return command;
    }

    private static Command ImportPrices(Terminal terminal)
    {
        var path = new Argument<string>("FILE.csv")
        {
            Description = $"Columns {string.Join(", ", PriceSheet.Required)}; optional {string.Join(", ", PriceSheet.Optional)}.",
        };
        var dry = new Option<bool>("--dry-run") { Description = "Say what would change, write nothing." };
        var common = new CommonFlags();
        var command = new Command("import-prices", "Take a provider's price sheet into your catalog, in place of all its rows.")
        {
            path, dry,
        };
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.CatalogBefore(parsed, terminal);
            var folder = common.Target(parsed, terminal);
            var import = PriceImport.Read(parsed.GetRequiredValue(path), catalog, common.Today(parsed, terminal));
            var written = parsed.GetValue(dry) ? null : import.Write(folder);
            App.Print(import.Report(written), terminal, common, parsed);
            return App.Done;
        });
        return command;
    }
}
