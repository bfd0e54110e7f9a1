using System.CommandLine;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>price: what a million tokens costs, by GPU, provider and billing.</summary>
internal static class PriceVerb
{
    /// <summary>Settings that describe points; a file has its own.</summary>
    private static readonly Flag[] PointFlags =
    [
        new("gpu", "Accelerator, in any spelling. May be repeated. Default: every one with a published point.", Many: true),
        new("model", "Model, in any spelling. May be repeated.", Many: true),
        new("tokens_per_second_per_gpu", "Throughput per GPU, over all GPUs of the deployment. Default: the catalog's published points."),
        new("tokens_per_second", "Throughput of the whole deployment; needs --gpus, or --prefill-gpus and --decode-gpus."),
        new("gpus", "GPUs of the deployment."),
        new("prefill_gpus", "GPUs that prefill, in a disaggregated deployment."),
        new("decode_gpus", "GPUs that decode, in a disaggregated deployment."),
        new("counts", "What the throughput counts: output, total (input + output) or unstated. Default: unstated."),
        new("watts_per_gpu", "Power per GPU in W. Default: measured with the point, else TDP."),
        new("power_boundary", "Where --watts-per-gpu is measured: chip, board, chassis, it or facility. Default: board."),
        new("usd_per_gpu_hour", "Price of a GPU-hour in $. Default: the catalog's offers."),
        new("provider", "Provider of the price; 'all' for every one. May be repeated. Default: the cheapest.", Many: true),
        new(
            "billing",
            "on-demand, spot, reserved-1y, reserved-3y, owned; 'all' for every one. May be repeated. "
                + "Default: on-demand, or what is offered where that is not.",
            Many: true),
        new("region", "A text that the offer's region contains."),
        new("capital_usd", "Purchase price of a GPU in $: adds what owning it costs per hour."),
    ];

    /// <summary>Settings that hold for all points, from flags or file.</summary>
    private static readonly Flag[] TermFlags =
    [
        new("utilisation", "Served tokens over what the point could produce, above 0 to 1. Default: 1."),
        new("availability", "Share of the paid hours in which the GPUs can serve, above 0 to 1. Default: 1."),
        new("pue", "Facility over IT power. Default: the catalog's site-defaults, liquid for racks, else air."),
        new("usd_per_kwh", "Electricity in $ per kWh. Default: the catalog's site-defaults."),
        new("carbon_g_per_kwh", "Carbon of the grid in gCO2 per kWh; adds gCO2 per million tokens."),
        new("sell_usd_per_million", "What a million of these tokens sells for in $; adds revenue and margin."),
        new("api_usd_per_million", "An API's price in $ per million tokens; adds the utilisation at which self-hosting breaks even."),
        new("prefill_share", "Share of GPU time spent on prefill, 0 to 1; adds the cost by token class. Default: prefill GPUs over all."),
        new("cache_hit_rate", "Share of the input tokens found in the cache, 0 to 1. Default: 0."),
        new("cached_weight", "Work of a cached input token relative to a fresh one, 0 to 1. Default: 0.1."),
        new("vs", "Baseline for savings: a billing (on-demand), a provider or a GPU."),
        new("power_at", "Boundary of tokens/W and J/token: board, it or facility. Default: board, or that of wider watts that are given."),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("price", "What a million tokens costs, by GPU, provider and billing; tokens per watt; margin.");
        var file = new Argument<string?>("FILE.yaml") { Arity = ArgumentArity.ZeroOrOne, Description = "Points to price; see examples/." };
        var every = new Option<bool>("--all-points") { Description = "Every published point, not only the cheapest of each GPU." };
        command.Arguments.Add(file);
        var flags = new SettingFlags(command, [.. PointFlags, .. TermFlags]);
        var common = new CommonFlags();
        command.Options.Add(every);
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file);
            var terms = new Terms(flags.Read(parsed), path is null ? null : Settings.OfFile(path), common.Today(parsed, terminal));
            var catalog = path is null && !terms.Flags.Has("model")
                ? common.Catalog(parsed, terminal, "models", "engines")
                : common.Catalog(parsed, terminal, "engines");
            if (path is not null)
                RefuseBoth(terms.Flags, path);
            var request = PriceRequest.Read(terms, catalog, parsed.GetValue(every));
            terms.Conclude();
            App.Print(PriceReport.Of(request), terminal, common, parsed);
            return App.Done;
        });
        return command;
    }

    private static void RefuseBoth(Settings flags, string path)
    {
        foreach (var flag in PointFlags.Where(flag => flags.Has(flag.Key)))
            flags.Note(flag.Key, $"contradicts {path}, which describes its own points", "Give one of them");
    }
}
