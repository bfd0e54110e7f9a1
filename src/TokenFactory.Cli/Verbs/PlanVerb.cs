using System.CommandLine;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>plan: the cheapest fleet that keeps its promises, why, and the files to deploy it.</summary>
internal static class PlanVerb
{
    private static readonly Flag[] Flags =
    [
        new("model", "Model that is served."),
        new("requests_per_second", "Mean rate of requests (Poisson)."),
        new("input_tokens", "Mean prompt in tokens, with the shared system prompt left out."),
        new("output_tokens", "Mean answer in tokens."),
        new("system_prompt_tokens", "Tokens that every prompt begins with. Default: 0."),
        new("length_cv", "How much lengths vary: deviation over mean of a lognormal distribution. Default: 0.7."),
        new("ttft_s", "Promised time to the first token in seconds."),
        new("tpot_ms", "Promised mean time per output token after the first in milliseconds."),
        new("end_to_end_s", "Promised time of a whole answer in seconds."),
        new("deadline_s", "Time by which batch work must be done, in seconds."),
        new("percentile", "Share of requests that keep each promise: 50, 90, 95 or 99. Default: 95."),
        new("confidence",
            "Per cent of deployments as strange as the plan's that must keep each promise by prediction's own error: "
            + "50 to 99. Default: the prediction at its word."),
        new("gpu", "Accelerator on offer, in any spelling. May be repeated. Default: every one that somebody offers.", Many: true),
        new("provider", "Provider that may be asked. May be repeated. Default: anybody.", Many: true),
        new("region", "Part of the name of a region that may be used. May be repeated.", Many: true),
        new("billing",
            "on-demand, spot, reserved-1y, reserved-3y, owned or all. May be repeated. "
            + "Default: on-demand, and spot for batch work.",
            Many: true),
        new("demand", "CSV of demand by the hour: time, and share (times the mean rate) or a column of requests per second per service."),
        new("objective", "cost, tokens-per-watt or profit. Default: cost."),
        new("usd_per_month", "Most dollars per month of 730 hours."),
        new("mw", "Power of the site at its meter, in MW."),
        new("gpus", "Most GPUs of all kinds together."),
        new("pue", "Facility over IT power. Default: the catalog's site-defaults."),
        new("carbon_g_per_kwh", "Grams of CO2 per kWh at the meter."),
        new("carbon_kg_per_month", "Most kilograms of CO2 per month."),
        new("precision",
            "Formats of weights that may be used: bf16, fp8, int4, nvfp4 ... May be repeated. Default: the checkpoint's own and fp8.",
            Many: true),
        new("kv_precision", "Formats of the KV cache: bf16, fp8. May be repeated. Default: both.", Many: true),
        new("engine", "vllm, sglang or tensorrt-llm. May be repeated. Default: vllm.", Many: true),
        new("tp", "GPUs that share each layer. May be repeated. Default: powers of two up to 8.", Many: true),
        new("pp", "Pipeline stages. May be repeated. Default: 1, and 2 over two machines.", Many: true),
        new("attention_dp", "Groups of attention of a mixture of experts. May be repeated. Default: powers of two.", Many: true),
        new("token_budget", "Most prompt tokens per step. May be repeated. Default: 512, 2048 and 8192.", Many: true),
        new("clocks",
            "Clocks as shares of the highest, 0.3 to 1. May be repeated. "
            + "Default: 1, and 0.85 and 0.7 where the objective is tokens-per-watt.",
            Many: true),
        new("draft_tokens", "Tokens that a draft model proposes per step: tried beside none. May be repeated.", Many: true),
        new("acceptance", "Share of proposed tokens that are kept, 0 to 1."),
        new("disaggregated", "Pools of their own for prompts and answers: try, no or only. Default: try."),
        new("host_kv_gb_per_gpu",
            "Host memory per GPU that may hold a copy of the prefix cache, in GB; 0 for never. "
            + "Default: 100, tried where prompts begin alike."),
        new("most_gpus_per_replica", "Most GPUs of one replica. Default: 16."),
        new("spare_replicas", "Replicas that every pool with promises has beyond its need. Default: 0."),
        new("mean_hours_to_preemption", "Mean time that spot is kept, in hours. Default: the catalog's site-defaults."),
        new("restart_minutes", "Time to come back from a preemption, in minutes. Default: the catalog's site-defaults."),
        new("finalists", "Fleets that the twin verifies. Default: 4."),
        new("verify_requests",
            "Requests of each service that the twin replays; 0 for none. "
            + "Default: 6000, or a minute of them if that is more, at most 60,000."),
        new("seed", "What chance follows from. Default: 1."),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("plan", "The cheapest fleet that keeps its promises, why, and the files to deploy it.");
        var file = new Argument<string?>("FILE.yaml")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "What is served, promised, on offer and limited; see examples/. Flags win.",
        };
        command.Arguments.Add(file);
        var set = new Option<string[]>("--set")
        {
            HelpName = "KEY=VALUE",
            Description = "Sets a key of the file: limits.mw=2, promises.0.ttft_s=0.5. May be repeated.",
            Arity = ArgumentArity.OneOrMore,
        };
        var why = new Option<bool>("--why")
        {
            Description = "Says what binds, what each promise and limit costs, why others lost, "
                + "and what if predictions or prices are wrong.",
        };
        var frontier = new Option<bool>("--frontier")
        {
            Description = "Shows replicas that nothing beats in speed per user and tokens per MW, or dollars.",
        };
        var html = new Option<string?>("--html") { HelpName = "FILE.html", Description = "Writes a page: the frontier, costs, what-ifs." };
        var schedule = new Option<string?>("--schedule-csv")
        {
            HelpName = "FILE.csv",
            Description = "With --demand: writes GPUs by replica and billing, a row for each hour.",
        };
        var emit = new Option<string?>("--emit")
        {
            HelpName = "DIR",
            Description = "Writes the files that run the plan: Compose, Kubernetes, SkyPilot, launch scripts, gateway, a README.",
        };
        foreach (var option in (Option[])[set, why, frontier, html, schedule, emit])
            command.Options.Add(option);
        var flags = new SettingFlags(command, Flags);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal, "points", "api-prices", "tiers");
            var calibration = common.Calibration(parsed, terminal, catalog);
            var path = parsed.GetValue(file);
            var settings = path is null ? null : Settings.OfFile(path, SimulateChanges.Read(parsed.GetValue(set) ?? [], null));
            if (path is null && parsed.GetValue(set) is { Length: > 0 })
                throw new Refusal("command line", "--set changes a file, and none is named", "Name a file, or use the flags");
            var terms = new Terms(flags.Read(parsed), settings, common.Today(parsed, terminal));
            var request = new PlanInput(terms, catalog, calibration).Read();
            var asked = new PlanAsked(
                parsed.GetValue(why), parsed.GetValue(frontier), parsed.GetValue(html), parsed.GetValue(schedule), parsed.GetValue(emit));
            return new PlanRunner(terminal, common, parsed, catalog, calibration).Run(request, asked, path);
        });
        return command;
    }
}
