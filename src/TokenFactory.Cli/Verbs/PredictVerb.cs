using System.CommandLine;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>predict: how fast a deployment is, what it draws, and whether it fits; with how wrong that may be.</summary>
internal static class PredictVerb
{
    private static readonly Flag[] Flags =
    [
        new("model", "What is served, in any spelling."),
        new("gpu", "Accelerator, in any spelling."),
        new("engine", "vllm, sglang, tensorrt-llm or atom. Default: vllm."),
        new("precision", "Weights: fp32, bf16, fp8, fp8-block, int8, int4 (awq, gptq), mxfp4, nvfp4. Default: the checkpoint's own."),
        new("kv_precision", "KV cache: bf16, fp8, int8 or fp32. Default: bf16, as engines do unless told."),
        new("tp", "GPUs that share each attention layer. Default: the fewest that carry the load."),
        new("pp", "Pipeline stages. Default: 1."),
        new("ep", "GPUs that the experts are spread over. Default: all of a replica with --attention-dp, else 1."),
        new("attention_dp", "Groups of --tp GPUs that attend to their own requests and share the experts. Default: 1."),
        new("replicas", "Such deployments side by side. Default: 1."),
        new("input_tokens", "Mean prompt in tokens. Default: 1024."),
        new("output_tokens", "Mean answer in tokens. Default: 1024."),
        new("concurrency", "Requests at once, over the whole deployment. Default: 32."),
        new("requests_per_second", "Instead of --concurrency: rate at which requests arrive."),
        new("arrival_cv", "With it: variation of the time between arrivals, 1 for Poisson, 0 for a metronome. Default: 1."),
        new("cached_share", "Share of the prompt tokens that the prefix cache holds, 0 to 1. Default: 0."),
        new("shared_prefix_tokens", "Leading tokens that all prompts share, held once: a system prompt. Default: 0."),
        new("token_budget", "Most prompt tokens of one step. Default: 8192."),
        new("max_sequences", "Most sequences at once per replica. Default: what the memory holds."),
        new("memory_utilisation", "Share of the GPU memory that the engine takes, above 0 to 1. Default: 0.9."),
        new("draft_tokens", "Speculative decoding: tokens proposed per step. Default: none."),
        new("acceptance", "Probability that a proposed token is kept, given that those before it were, 0 to 1. Default: 0.65."),
        new("power_cap_w", "Power limit per GPU at its board in W: kept by lowering the clock."),
        new("clock_lock", "Clock as a share of the highest, 0.3 to 1."),
        new("usd_per_gpu_hour", "Price of a GPU-hour in $: adds what a million tokens costs."),
        new("prefill_replicas", "Replicas of a prefill pool; the keys above are then the decode pool."),
        new("prefill_tp", "Its GPUs per attention layer. Default: the fewest that fit."),
        new("prefill_ep", "Its GPUs per expert group."),
        new("prefill_attention_dp", "Its attention groups. Default: 1."),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("predict", "How fast a deployment is, what it draws and whether it fits, with how wrong that may be.");
        var file = new Argument<string?>("FILE.yaml")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "The same settings as the flags, by key; flags win.",
        };
        var sweep = Option(
            "--sweep",
            "KEY=VALUES",
            "A curve: concurrency=1..512 (doubling) or concurrency=1,8,64; "
                + "also requests_per_second, tp, input_tokens, output_tokens, power_cap_w.");
        var svg = Option("--svg", "FILE.svg", "With --sweep: draws tokens/s per user against tokens/s per GPU.");
        var from = Option("--from", "POINTS.csv", "Answers every row of a table of points; see docs/guide/predict.md.");
        var to = Option("--out", "FILE.csv", "With --from: where the answers go. Default: standard output.");
        command.Arguments.Add(file);
        command.Options.Add(sweep);
        command.Options.Add(svg);
        command.Options.Add(from);
        command.Options.Add(to);
        var flags = new SettingFlags(command, Flags);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file);
            var given = flags.Read(parsed);
            var asked = new PredictFiles(parsed.GetValue(sweep), parsed.GetValue(svg), parsed.GetValue(from), parsed.GetValue(to));
            asked.Check(given, path, parsed.GetValue(common.Json));
            var catalog = common.Catalog(parsed, terminal, "prices", "points", "api-prices", "tiers", "engines");
            if (asked.From is { } table)
                return Answer(table, asked.To, catalog, common.Calibration(parsed, terminal, catalog), terminal, common, parsed);
            var terms = new Terms(given, path is null ? null : Settings.OfFile(path), common.Today(parsed, terminal));
            var request = new PredictInput(terms, catalog).Read();
            var series = asked.Sweep is { } text ? PredictSeries.Read(text, request, terms) : null;
            terms.Conclude();
            var runner = new PredictRunner(common.Calibration(parsed, terminal, catalog), request!.One.Gpu);
            if (series is not null)
                return Sweep(PredictSweep.Of(request, series, runner), asked.Svg, terminal, common, parsed);
            var answer = runner.Of(request);
            App.Print(PredictReport.Of(answer, runner, catalog), terminal, common, parsed);
            return answer.Prediction.Fits && !answer.Prediction.Saturated ? App.Done : App.AnswerIsNo;
        });
        return command;
    }

    private static Option<string?> Option(string name, string value, string what) => new(name) { HelpName = value, Description = what };

    private static int Answer(
        string table,
        string? to,
        CatalogContents catalog,
        CalibrationInput calibration,
        Terminal terminal,
        CommonFlags common,
        ParseResult parsed)
    {
        var answers = new PredictPoints(catalog, calibration).Of(table, terminal.Err);
        var csv = PredictPoints.Csv(answers);
        if (to is null)
        {
            terminal.Out.Write(csv);
            return App.Done;
        }

        Files.Write(to, csv, "--out");
        App.Print(PredictPoints.Summary(answers, to), terminal, common, parsed);
        return App.Done;
    }

    private static int Sweep(PredictCurve curve, string? svg, Terminal terminal, CommonFlags common, ParseResult parsed)
    {
        if (svg is not null)
            Files.Write(svg, PredictChart.Of(curve), "--svg");
        App.Print(PredictSweep.Report(curve, svg), terminal, common, parsed);
        return curve.Answers.Any(answer => answer.Prediction is { Fits: true, Saturated: false }) ? App.Done : App.AnswerIsNo;
    }
}
