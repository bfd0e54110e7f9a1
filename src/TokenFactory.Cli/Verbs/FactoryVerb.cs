using System.CommandLine;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>factory: what a site of so many megawatts makes and earns, and how to split its power.</summary>
internal static class FactoryVerb
{
    private static readonly Flag[] Flags =
    [
        new("mw", "Power of the site at its meter, in MW."),
        new("gpu", "Accelerator to fill it with, in any spelling. May be repeated for a mix.", Many: true),
        new("model", "Model whose published points give tokens per GPU. Default: deepseek-r1."),
        new("tiers", "Set of service tiers in the catalog. Default: gtc-2026."),
        new("pue", "Facility over IT power. Default: the catalog's site-defaults, liquid for racks of 72, else air."),
        new("headroom", "Share of the power kept free, 0 to 1. Default: 0."),
        new("utilisation", "Sold tokens over what the GPUs could make, above 0 to 1. Default: the catalog's site-defaults."),
        new("availability", "Share of the hours in which GPUs can serve, above 0 to 1. Default: the catalog's site-defaults."),
        new("usd_per_gpu_hour", "Cost of a GPU-hour in $. Default: the catalog's cheapest offer of --billing."),
        new("billing", "Offer that gives the cost: owned, reserved-3y, reserved-1y, on-demand, spot. Default: owned."),
        new("provider", "Provider of that offer. Default: the cheapest."),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("factory", "What a site of so many megawatts makes and earns, and how to split its power between tiers.");
        var file = new Argument<string?>("FILE.yaml")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "A site with its GPUs and tiers; see examples/. Flags win.",
        };
        command.Arguments.Add(file);
        var flags = new SettingFlags(command, Flags);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal);
            var today = common.Today(parsed, terminal);
            var path = parsed.GetValue(file);
            var terms = new Terms(flags.Read(parsed), path is null ? null : Settings.OfFile(path), today);
            var request = new FactoryInput(terms, catalog).Read();
            terms.Conclude();
            var report = FactoryReport.Of(request, out var pays);
            App.Print(report, terminal, common, parsed);
            return pays ? App.Done : App.AnswerIsNo;
        });
        return command;
    }
}
