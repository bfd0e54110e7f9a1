using System.CommandLine;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>billing: how much to reserve, what to run on demand, what on spot.</summary>
internal static class BillingVerb
{
    private static readonly Flag[] Flags =
    [
        new("gpu", "Accelerator whose offers to take, in any spelling."),
        new("provider", "Provider whose offers to take. Default: the cheapest of each billing."),
        new("on_demand_usd", "$ per GPU-hour on demand. Default: the catalog's offer."),
        new("spot_usd", "$ per GPU-hour on spot; 'none' to do without. Default: the catalog's offer."),
        new("reserved_1y_usd", "$ per GPU-hour committed for a year; 'none' to do without. Default: the catalog's offer."),
        new("reserved_3y_usd", "$ per GPU-hour committed for three years; 'none' to do without. Default: the catalog's offer."),
        new(
            "demand",
            "CSV with columns time and gpus or tokens_per_second; optional interruptible_gpus or interruptible_tokens_per_second."),
        new("tokens_per_second_per_gpu", "Turns a demand in tokens/s into GPUs."),
        new("gpus", "Flat load: GPUs while it runs."),
        new("utilisation", "Flat load: share of the hours in which it runs, above 0 to 1. Default: 1."),
        new("hours", "Flat load: hours that are planned. Default: 8760, a year."),
        new("workload", "development, stable, bursty or batch: a typical load, to be changed by --gpus and --utilisation."),
        new("interruptible", "Share of the demand that may be interrupted, 0 to 1. Default: what the CSV says, else 0."),
        new("mean_hours_to_preemption", "Spot: mean hours from start to preemption. Default: the catalog's site-defaults."),
        new("restart_minutes", "Spot: minutes to provision, load weights and warm up. Default: the catalog's site-defaults."),
        new("request_seconds", "Spot: seconds a batch request takes; it is its own checkpoint. Default: the catalog's site-defaults."),
        new("checkpoint_seconds", "Spot: seconds to write a checkpoint, for work that is not made of requests; the interval is Daly's."),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("billing", "How much to reserve, what to run on demand and what on spot, for a demand curve.");
        var file = new Argument<string?>("FILE.yaml")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "The same settings as the flags, by key; flags win.",
        };
        command.Arguments.Add(file);
        var flags = new SettingFlags(command, Flags);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal, "models", "engines", "points");
            var today = common.Today(parsed, terminal);
            var path = parsed.GetValue(file);
            var terms = new Terms(flags.Read(parsed), path is null ? null : Settings.OfFile(path), today);
            var request = BillingRequest.Read(terms, catalog, path);
            terms.Conclude();
            App.Print(BillingReport.Of(request), terminal, common, parsed);
            return App.Done;
        });
        return command;
    }
}
