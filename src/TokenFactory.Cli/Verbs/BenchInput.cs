using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Wire;
using TokenFactory.Workload;

namespace TokenFactory.Cli.Verbs;

/// <summary>Load as it was asked for.</summary>
internal sealed record BenchAsked
{
    public required Uri Target { get; init; }

    /// <summary>Null where the server is to be asked.</summary>
    public string? Model { get; init; }

    public string? ApiKey { get; init; }

    public required Endpoint Endpoint { get; init; }

    public required bool Streams { get; init; }

    public required bool ExactLengths { get; init; }

    public required double WarmUpSeconds { get; init; }

    public required double DrainSeconds { get; init; }

    public required double? Seconds { get; init; }

    public string? ClassHeader { get; init; }

    public required ulong Seed { get; init; }

    public required Func<ulong, ITraffic> Traffic { get; init; }

    public required IReadOnlyList<ServiceClass> Classes { get; init; }

    /// <summary>How many clients, where it is a closed loop of nothing else.</summary>
    public int? Clients { get; init; }

    /// <summary>Requests per second, where it is an open loop of nothing else.</summary>
    public double? Rate { get; init; }

    public required BenchDescribed Described { get; init; }
}

/// <summary>What is measured, in the words of the user.</summary>
internal sealed record BenchDescribed(string? Model, Accelerator? Gpu, string Engine, string? Precision, int? Tensor, int? Gpus);

/// <summary>Reads what load is wanted; every mistake is noted.</summary>
/// <param name="flags">The flags.</param>
/// <param name="files">Files that it reads and writes.</param>
/// <param name="catalog">Where what is measured is looked up; null where no summary is wanted.</param>
internal sealed class BenchInput(Settings flags, BenchFiles files, CatalogContents? catalog)
{
    private const int DefaultSeconds = 30;
    private const string DefaultInput = "512";
    private const string DefaultOutput = "128";
    private const string DefaultClients = "32";

    /// <summary>Flags that do not shape the load, and go with any.</summary>
    private static readonly string[] Other =
    [
        "api_key", "model", "endpoint", "stream", "exact_lengths", "warmup_s", "drain_s", "class_header", "seed",
        "gpu", "engine", "precision", "tp", "gpus",
        "measured_model", "duration_s",
    ];

    private static readonly string[] Shaping = [.. WorkloadVerb.Shaping.Select(flag => flag.Key)];

    private static readonly string[] Promises = ["ttft_s", "tpot_ms", "end_to_end_s"];

    /// <summary>The load.</summary>
    /// <exception cref="Refusal">Something is wrong; all mistakes at once.</exception>
    public BenchAsked Read(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var target) || target.Scheme is not ("http" or "https"))
            flags.Mistakes.Add(new Mistake("command line", $"'{url}' is no address of a server", "Give one such as http://127.0.0.1:8080"));
        flags.Mistakes.AddRange(
            FilePlaces.Clashes([files.Workload, files.Trace], [("--csv", files.Requests), ("--summary", files.Summary)]));
        var endpoint = flags.Text("endpoint") ?? "chat";
        if (endpoint is not ("chat" or "completions"))
            flags.Note("endpoint", $"is '{endpoint}'", "Write chat or completions");
        if (files.Workload is not null && files.Trace is not null)
            flags.Mistakes.Add(new Mistake("command line", "--workload contradicts --trace", "Give one of the two"));
        var (gpu, measured) = (flags.Text("gpu"), flags.Text("measured_model"));
        var described = new BenchDescribed(
            measured is null || catalog is null ? measured : Lookup.Model(flags, "measured_model", measured, catalog),
            gpu is null || catalog is null ? null : Lookup.Gpu(flags, "gpu", gpu, catalog),
            flags.Text("engine") ?? "vllm",
            flags.Text("precision"),
            flags.Whole("tp", 1),
            flags.Whole("gpus", 1));
        if (files.Summary is not null && gpu is null)
            flags.Require("gpu", "Say for --summary what is measured");
        var seconds = flags.Number("duration_s", double.Epsilon, WorkloadInput.MostSeconds);
        var warm = flags.Number("warmup_s", 0, WorkloadInput.MostSeconds) ?? 0;
        var ends = seconds ?? (files.Workload is null && files.Trace is null && !flags.Has("requests") ? DefaultSeconds : null);
        if (warm >= ends)
            flags.Note("warmup_s", $"is {warm:0.###}, and all is over after {ends:0.###} s", "Give it less, or the run more with --duration");
        var promise = SimulateInput.Class(flags, "default");
        var (workload, classes) = files.Workload is not null ? OfFile(files.Workload) : (OfFlags(), null);
        var header = flags.Text("class_header");
        if (header is not null && !IsHeader(header))
            flags.Note("class_header", $"is '{header}'", "Give the name of a header, such as x-tokenfactory-class");
        var seed = WorkloadVerb.SeedOf(flags);
        var asked = new BenchAsked
        {
            Target = target ?? new Uri("http://127.0.0.1"),
            Model = flags.Text("model"),
            ApiKey = flags.Text("api_key") ?? (Environment.GetEnvironmentVariable("OPENAI_API_KEY") is { Length: > 0 } key ? key : null),
            Endpoint = endpoint == "completions" ? Endpoint.Completions : Endpoint.Chat,
            Streams = SimulateInput.Truth(flags, "stream", true),
            ExactLengths = SimulateInput.Truth(flags, "exact_lengths", true),
            WarmUpSeconds = warm,
            DrainSeconds = flags.Number("drain_s", 0, 1e6) ?? 60,
            Seconds = ends,
            ClassHeader = header,
            Seed = seed,
            Traffic = workload is null ? _ => throw new InvalidOperationException("there is no workload") : workload.Traffic,
            Classes = classes ?? [.. (workload?.Classes ?? []).Select(one => promise with { Name = one.Name })],
            Clients = workload?.Streams is [ClosedPlan closed] ? closed.Clients : null,
            Rate = workload?.Streams is [OpenPlan open] ? open.Arrivals.Rate.PerSecond : null,
            Described = described,
        };
        flags.RefuseUnknownKeys();
        Refusal.IfAny(flags.Mistakes);
        return asked;
    }

    /// <summary>A workload from flags, or a trace; where flags say little, what benches usually send.</summary>
    private WorkloadInput? OfFlags()
    {
        if (files.Trace is { } trace)
        {
            Contradict("--trace, which says it", [.. Promises, .. Shaping]);
            var settings = Settings.OfFlags(
                [("trace", [trace]), .. Shaping.Select(key => (key, flags.Texts(key))), ("duration_s", flags.Texts("duration_s"))],
                flags.Spell);
            var recorded = WorkloadInput.Read(settings, isStream: true);
            flags.Mistakes.AddRange(settings.Mistakes);
            return recorded;
        }

        flags.Exclude("clients", "requests_per_second", "Give clients that wait for answers, or a rate that does not");
        Fill("output_tokens", DefaultOutput);
        if (!flags.Has("sessions_per_second"))
        {
            Fill("input_tokens", DefaultInput);
            if (!flags.Has("requests_per_second"))
                Fill("clients", DefaultClients);
        }

        if (!flags.Has("requests") && !flags.Has("duration_s"))
            flags.Fill("duration_s", DefaultSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture), "duration_s");
        return WorkloadInput.Read(flags, isStream: true);
    }

    private (WorkloadInput? Workload, IReadOnlyList<ServiceClass>? Classes) OfFile(string path)
    {
        Contradict($"'{path}', which says it", []);
        Settings scenario;
        try
        {
            scenario = Settings.OfFile(path);
        }
        catch (Refusal refusal)
        {
            flags.Mistakes.AddRange(refusal.Mistakes);
            return (null, null);
        }

        scenario.Require("workload", "Write what is sent under it; see docs/guide/workload.md");
        var sent = scenario.Item("workload");
        sent?.Has(SimulateContext.Key);
        var workload = sent is null ? null : WorkloadInput.Read(sent);
        sent?.RefuseUnknownKeys();
        var classes = scenario.Items("classes").Select(item => SimulateInput.Class(item, item.Text("name") ?? "")).ToList();
        flags.Mistakes.AddRange(scenario.Mistakes);
        return (workload, classes);
    }

    /// <summary>Whether a request may carry a header of that name.</summary>
    private static bool IsHeader(string name)
    {
        using var request = new HttpRequestMessage();
        return request.Headers.TryAddWithoutValidation(name, "");
    }

    private void Contradict(string what, IReadOnlyList<string> allowed)
    {
        foreach (var key in flags.Keys().Except([.. Other, .. allowed]).ToList())
            flags.Note(key, $"contradicts {what}", "Leave it out");
    }

    private void Fill(string key, string value)
    {
        if (!flags.Has(key))
            flags.Fill(key, value, key);
    }
}
