using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers predict for one deployment: figures with bands, memory, what bounds it, which constants were measured.</summary>
internal static class PredictReport
{
    /// <summary>Parts below this share are not shown.</summary>
    private const double Negligible = 1e-6;

    private const double Gibibyte = 1024.0 * 1024 * 1024;

    /// <summary>The report.</summary>
    /// <param name="answer">What was predicted.</param>
    /// <param name="runner">What predicted it.</param>
    /// <param name="catalog">Where the nearest thing that fits is looked up.</param>
    public static Report Of(PredictAnswer answer, PredictRunner runner, CatalogContents catalog)
    {
        if (!answer.Prediction.Fits)
        {
            var nearest = PredictNearest.Of(answer, catalog);
            return new Report(
                "predict",
                [.. PredictWords.Misfit(answer, nearest)],
                [Verdict(answer), Fits(nearest), .. Memories(answer)],
                [.. PredictWords.Notes(answer)]);
        }

        return new Report(
            "predict",
            [.. PredictWords.Answer(answer)],
            [
                Figures(answer, runner.Calibration),
                Times(answer),
                Verdict(answer),
                .. Memories(answer),
                PredictPower.Of(answer, catalog.Site),
                .. PredictWords.HasMore(answer) ? [TokenTime(answer)] : Array.Empty<Section>(),
                FirstToken(answer),
                PredictConstants.Of(answer, runner),
            ],
            [
                .. PredictWords.Notes(answer),
                .. PredictWords.Warnings(answer, runner.Calibration.Set),
                .. PredictWords.Caveats(runner.Calibration.Source),
            ]);
    }

    private static Section Figures(PredictAnswer answer, CalibrationInput calibration)
    {
        var p = answer.Prediction;
        var (tpot, ttft) = (Band(Metric.Tpot), Band(Metric.Ttft));
        var powered = answer.Decode.Gpu.Tdp is not null;
        var many = PredictWords.HasMore(answer);
        var (tokens, watts) = (Band(Metric.Tokens), Band(Metric.Watts));
        return new Section(
            "figures", "What it does, and how wrong that may be",
            [
                new Column("figure", "figure", Number: false),
                new Column("value", "value"),
                new Column("low", "low"),
                new Column("high", "high"),
                new Column("median_error", "median error", 1),
                new Column("unseen_rows", "unseen rows", 2),
                new Column("unseen_cells", "unseen cells", 1),
                new Column("scope", "judged on", 3, Number: false),
            ],
            [
                Row("ttft_ms", "time to first token, ms", p.Saturated ? null : p.Ttft * 1e3, ttft),
                Row("tpot_ms", "time per output token, ms", many ? p.Tpot * 1e3 : null, tpot),
                Row("end_to_end_s", "whole answer, s", p.Saturated ? null : p.EndToEnd, null),
                Row("tokens_per_second_per_user", "tokens/s per user", many ? answer.PerUser : null, tpot),
                Row("output_tokens_per_second", "output tokens/s", p.OutputTokensPerSecond, tokens),
                Row("tokens_per_second_per_gpu", "tokens/s per GPU, input + output", answer.PerGpu, tokens),
                Row("requests_per_second", "requests/s", p.RequestsPerSecond, tokens),
                Row("watts_per_gpu", "W per GPU, board", powered ? p.WattsPerGpu : null, watts, Most(answer.Decode)),
                Row("joules_per_output_token", "J per output token, boards", powered ? p.JoulesPerOutputToken : null, null),
                .. Costs(answer),
            ]);

        ErrorBand? Band(Metric metric)
        {
            var traits = answer.Prepared.Traits;
            var stack = metric == Metric.Watts
                ? calibration.Set.Power.ContainsKey(traits.Architecture)
                : calibration.Set.Steps.ContainsKey(traits.Stack);
            return ErrorBands.Find(
                calibration.Bands,
                metric,
                answer.Prepared,
                stack,
                calibration.Set.Knows(traits.Model),
                calibration.Set.KnowsVendor(traits.Vendor));
        }
    }

    /// <summary>The most that a board draws: its cap, or its thermal design power.</summary>
    private static double Most(Deployment d) =>
        Math.Min(d.PowerCap?.Value ?? double.PositiveInfinity, d.Gpu.Tdp?.Value.Value ?? double.PositiveInfinity);

    private static IEnumerable<IReadOnlyList<Cell>> Costs(PredictAnswer answer)
    {
        if (answer.PerMillion(answer.Prediction.OutputTokensPerSecond) is { } output)
            yield return Row("usd_per_million_output_tokens", "$ per million output tokens", output.Value.Value, null);
        if (answer.PerMillion(answer.Prediction.TotalTokensPerSecond) is { } total)
            yield return Row("usd_per_million_tokens", "$ per million tokens, input + output", total.Value.Value, null);
    }

    private static IReadOnlyList<Cell> Row(
        string key, string name, double? value, ErrorBand? band, double most = double.PositiveInfinity) =>
    [
        new Cell(key, name),
        value is { } v && double.IsFinite(v) ? Number(v) : Cell.None,
        value is { } low && band is not null ? Number(low / band.Spread) : Cell.None,
        value is { } high && band is not null ? Number(Math.Min(most, high * band.Spread)) : Cell.None,
        .. value is not null && band is not null
            ?
            [
                new Cell(band.Median, Spell.Percent(band.Median)),
                new Cell(band.Rows, band.Rows.ToString("N0")),
                new Cell(band.Cells, band.Cells.ToString("N0")),
                new Cell(band.Scope, band.Scope == ErrorBands.Everything ? "everything" : band.Scope),
            ]
            : Enumerable.Repeat(Cell.None, 4),
    ];

    private static Section Times(PredictAnswer answer)
    {
        var p = answer.Prediction;
        var (first, each) = (Percentiles.OfFirstToken(p, answer.Load.Arrival), Percentiles.OfTokenTime(p, answer.Prepared));
        var rows = new List<IReadOnlyList<Cell>>();
        if (!p.Saturated)
            rows.Add(Spread("ttft_ms", "time to first token, ms", p.Ttft, first));
        if (PredictWords.HasMore(answer))
            rows.Add(Spread("tpot_ms", "time per output token, ms", p.Tpot, each));
        if (!p.Saturated)
        {
            var whole = Percentiles.OfAnswer(p, first, each, answer.Load.OutputTokens);
            rows.Add(Spread("end_to_end_ms", "whole answer, ms", p.EndToEnd, whole));
        }

        return Percentile(rows);
    }

    private static Section Percentile(IReadOnlyList<IReadOnlyList<Cell>> rows) => new(
        "percentiles", "Estimated percentiles",
        [
            new Column("figure", "figure", Number: false),
            new Column("mean", "mean"),
            new Column("p50", "p50"),
            new Column("p90", "p90"),
            new Column("p99", "p99"),
        ],
        rows);

    private static IReadOnlyList<Cell> Spread(string key, string name, double mean, Percentiles at) =>
        [new Cell(key, name), Number(mean * 1e3), Number(at.P50 * 1e3), Number(at.P90 * 1e3), Number(at.P99 * 1e3)];

    /// <summary>Whether it fits, and how much room there is.</summary>
    private static Section Verdict(PredictAnswer answer)
    {
        var scenario = answer.Prepared.Scenario;
        var rows = new List<IReadOnlyList<Cell>>();
        if (scenario.Prefill is { } prefill)
            rows.Add(Room("prefill", prefill, answer, null));
        rows.Add(Room(scenario.Prefill is null ? "replicas" : "decode", scenario.Decode, answer, answer.Prediction.Running));
        return new Section(
            "room", "Room for requests",
            [
                new Column("pool", "pool", Number: false),
                new Column("layout", "layout", Number: false),
                new Column("gpus", "GPUs"),
                new Column("fits", "fits", Number: false),
                new Column("missing_gib_per_gpu", "missing GiB/GPU", 1),
                new Column("kv_gib_per_gpu", "KV GiB/GPU"),
                new Column("kv_blocks", "KV blocks"),
                new Column("requests_that_fit", "requests that fit"),
                new Column("requests_running", "running", 1),
            ],
            rows);
    }

    private static IReadOnlyList<Cell> Room(string name, Pool pool, PredictAnswer answer, double? running)
    {
        var capacity = new KvCapacity(pool.Deployment);
        var fits = capacity.Fits(answer.LongestTokens);
        var mean = answer.Load.InputTokens + (answer.Load.OutputTokens / 2);
        var requests = fits ? Math.Floor(capacity.Sequences(mean) * pool.Replicas) : 0;
        return
        [
            Cell.Of(name),
            Cell.Of(pool.Replicas > 1 ? $"{pool.Replicas:0} x {pool.Deployment.Parallelism}" : pool.Deployment.Parallelism.ToString()),
            new Cell(pool.Gpus, pool.Gpus.ToString("N0")),
            new Cell(fits, fits ? "yes" : "no"),
            Number(capacity.MissingGibibytes(answer.LongestTokens)),
            Number(Math.Max(0, capacity.Memory.Free) / Gibibyte),
            capacity.Blocks == long.MaxValue ? Cell.None : new Cell(capacity.Blocks, capacity.Blocks.ToString("N0")),
            double.IsFinite(requests) ? new Cell(requests, requests.ToString("N0")) : Cell.None,
            running is { } now && answer.Prediction.Fits ? Number(now * pool.Replicas) : Cell.None,
        ];
    }

    private static Section Fits(IReadOnlyList<Nearby> nearest) => new(
        "nearest", "What fits",
        [
            new Column("change", "change", Number: false),
            new Column("gpu", "GPU", Number: false),
            new Column("gpus", "GPUs"),
            new Column("precision", "precision", Number: false),
            new Column("layout", "layout", Number: false),
            new Column("kv_gib_per_gpu", "KV GiB/GPU"),
        ],
        [.. nearest.Select(near => (IReadOnlyList<Cell>)
        [
            Cell.Of(near.Change),
            Cell.Of(near.Gpu),
            new Cell(near.Gpus, near.Gpus.ToString("N0")),
            Cell.Of(near.Deployment.Weights.Word()),
            Cell.Of(near.Deployment.Parallelism.ToString()),
            Number(near.FreeGibibytes),
        ])]);

    private static IEnumerable<Section> Memories(PredictAnswer answer)
    {
        if (answer.Prepared.Scenario.Prefill is { } prefill)
            yield return Memory("prefill_memory", "Memory of a prefill GPU, GiB", prefill.Deployment);
        var name = answer.Prepared.Scenario.Prefill is null ? "Memory of a GPU, GiB" : "Memory of a decode GPU, GiB";
        yield return Memory("memory", name, answer.Decode);
    }

    private static Section Memory(string key, string title, Deployment d)
    {
        var memory = new KvCapacity(d).Memory;
        (string What, double Bytes)[] parts =
        [
            ("attention weights", memory.AttentionWeights),
            ("feed-forward weights", memory.FeedForwardWeights),
            ("expert weights", memory.ExpertWeights),
            ("embeddings and head", memory.EmbeddingWeights),
            ("activations and graphs", memory.Activations),
            ("driver and engine", memory.Reserve),
            ("left for the KV cache", memory.Free),
            ("kept from the engine", memory.Memory - memory.Usable),
            ("all", memory.Memory),
        ];
        return new Section(
            key, title,
            [new Column("part", "part", Number: false), new Column("gib", "GiB"), new Column("share", "share")],
            [.. parts.Where(part => part.Bytes != 0).Select(part => (IReadOnlyList<Cell>)
            [
                Cell.Of(part.What),
                Number(part.Bytes / Gibibyte),
                new Cell(part.Bytes / memory.Memory, Spell.Percent(part.Bytes / memory.Memory)),
            ])]);
    }

    private static Section TokenTime(PredictAnswer answer) => Parts(
        "token_time", "What a token's time is made of",
        [.. PredictBound.Parts(answer).Select(part => (part.Key, part.What, part.Seconds))]);

    private static Section FirstToken(PredictAnswer answer) => Parts(
        "first_token", "What the first token waits for",
        [.. Enum.GetValues<FirstTokenTerm>().Select(term => (Key(term), What(term), answer.Prediction.FirstTokenTime[term]))]);

    private static Section Parts(string key, string title, IReadOnlyList<(string Key, string What, double Seconds)> parts)
    {
        var all = parts.Sum(part => part.Seconds);
        return new Section(
            key, title,
            [new Column("part", "part", Number: false), new Column("ms", "ms"), new Column("share", "share")],
            [.. parts.Where(part => part.Seconds > Negligible * all).OrderByDescending(part => part.Seconds).Select(part => (IReadOnlyList<Cell>)
            [
                new Cell(part.Key, part.What),
                Number(part.Seconds * 1e3),
                new Cell(part.Seconds / all, Spell.Percent(part.Seconds / all)),
            ])]);
    }

    private static string Key(FirstTokenTerm term) => term.ToString().ToLowerInvariant();

    private static string What(FirstTokenTerm term) => term switch
    {
        FirstTokenTerm.Fixed => "network, tokeniser, scheduler",
        FirstTokenTerm.Own => "its prompt, in steps shared with others",
        FirstTokenTerm.Alone => "its prompt alone",
        FirstTokenTerm.Step => "the step that runs when it comes",
        FirstTokenTerm.Crowd => "prompts that start together",
        FirstTokenTerm.Queue => "prompts before it",
        FirstTokenTerm.Tokens => "tokenising and copying",
        FirstTokenTerm.Clients => "one process for all clients",
        FirstTokenTerm.Memory => "room in the KV cache",
        _ => "moving its KV cache to the decode pool",
    };

    private static Cell Number(double value) => new(value, Spell.Number(value));
}
