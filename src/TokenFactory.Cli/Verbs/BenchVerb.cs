using System.CommandLine;

namespace TokenFactory.Cli.Verbs;

/// <summary>bench: sends load to an OpenAI-compatible server, and says how it was served.</summary>
internal static class BenchVerb
{
    /// <summary>Short names of flags that shape the load, as other load generators have them.</summary>
    private static readonly Dictionary<string, string> Short = new(StringComparer.Ordinal)
    {
        ["clients"] = "--concurrency",
        ["requests_per_second"] = "--rate",
        ["input_tokens"] = "--input",
        ["output_tokens"] = "--output",
        ["duration_s"] = "--duration",
    };

    private static readonly Flag[] Flags =
    [
        new("api_key", "Key that the server asks for. Default: OPENAI_API_KEY of the environment, else none."),
        new("model", "What the server calls the model. Default: the first that it lists."),
        new("endpoint", "chat or completions. Default: chat."),
        new("stream", "Whether answers come as streams: true or false. Default: true."),
        new("exact_lengths",
            "Whether the server shall generate as many tokens as the workload says (ignore_eos): true or false. Default: true."),
        new("warmup_s", "Requests that end in the first so many seconds are not counted: caches fill, code is compiled. Default: 0.") { Short = "--warmup" },
        new("drain_s", "Seconds that answers get to end after the last request was sent. Default: 60."),
        new("class_header", "Header that carries the service class of each request. Default: none."),
        new("ttft_s", "Promise, with flags or --trace: seconds to the first token."),
        new("tpot_ms", "Promise: mean ms per token after the first."),
        new("end_to_end_s", "Promise: seconds to the last token."),
        new("seed", "Where random numbers begin, a whole number from 0. Default: 1."),
    ];

    private static readonly Flag[] Described =
    [
        new("gpu", "What is measured, for --summary: accelerator."),
        new("engine", "Its engine. Default: vllm."),
        new("precision", "Its weights: fp8, bf16 ..."),
        new("tp", "GPUs per replica."),
        new("gpus", "All its GPUs. Default: those of one replica."),
        new("measured_model", "Its model in the catalog. Default: --model."),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("bench", "Sends load to an OpenAI-compatible server: TTFT, TPOT, goodput, errors.");
        var url = new Argument<string>("URL") { Description = "Where it answers: http://127.0.0.1:8080." };
        var workload = Option("--workload", "FILE.yaml", "A scenario whose workload is sent, with the promises of its classes.");
        var trace = Option("--trace", "TRACE", "A recorded trace that is sent at its times.");
        var csv = Option("--csv", "FILE.csv", "Writes a row per request.");
        var summary = Option("--summary", "FILE.csv", "Writes a row that 'calibrate --from' reads.");
        command.Arguments.Add(url);
        foreach (var option in (Option[])[workload, trace, csv, summary])
            command.Options.Add(option);
        var made = WorkloadVerb.Making.Select(flag => flag with { Short = Short.GetValueOrDefault(flag.Key) });
        var flags = new SettingFlags(command, [.. Flags, .. made, .. WorkloadVerb.Shaping, .. Described]);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var files = new BenchFiles(parsed.GetValue(workload), parsed.GetValue(trace), parsed.GetValue(csv), parsed.GetValue(summary));
            var catalog = files.Summary is null
                ? null
                : common.Catalog(parsed, terminal, "prices", "points", "api-prices", "tiers", "engines");
            var asked = new BenchInput(flags.Read(parsed), files, catalog).Read(parsed.GetValue(url)!);
            return new BenchRunner(terminal, common, parsed).RunAsync(asked, files, catalog).GetAwaiter().GetResult();
        });
        return command;
    }

    private static Option<string?> Option(string name, string value, string what) => new(name) { HelpName = value, Description = what };
}

/// <summary>Files that a run of load reads and writes; null where it does not.</summary>
internal sealed record BenchFiles(string? Workload, string? Trace, string? Requests, string? Summary);
