using System.Globalization;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Performance.Calibration;

/// <summary>What a planner decides of a fleet for a workload.</summary>
/// <param name="Engine">Key of the engine.</param>
/// <param name="Precision">Formats of weights and KV cache.</param>
/// <param name="Layout">Parallelism and replicas, of both pools where prompts have their own.</param>
/// <param name="Disaggregated">Prompts are computed by a pool of their own.</param>
/// <param name="Speculates">Speculative decoding is on.</param>
/// <param name="Gpus">GPUs of all of it.</param>
/// <param name="Concurrency">Requests at once.</param>
public sealed record Configuration(
    string Engine, string Precision, string Layout, bool Disaggregated, bool Speculates, double Gpus, double Concurrency)
{
    /// <summary>The same whatever the concurrency: what is set up once, while concurrency is limited in operation.</summary>
    public Configuration Deployment() => this with { Concurrency = 0 };

    /// <summary>The configuration of a measured row: all of it that a prediction sees.</summary>
    public static Configuration Of(Sample sample)
    {
        var (scenario, d) = (sample.Prepared.Scenario, sample.Prepared.Decode.Deployment);
        var decode = Words(scenario.Decode);
        var layout = scenario.Prefill is { } prefill ? $"prefill {Words(prefill)}, decode {decode}" : decode;
        var cap = d.PowerCap is { } watts ? string.Create(CultureInfo.InvariantCulture, $" at {watts.Value:0.#} W") : "";
        return new Configuration(
            d.Engine,
            Formats(d),
            layout + cap,
            scenario.Prefill is not null,
            d.Speculation is not null,
            scenario.Gpus,
            sample.Load.Concurrency ?? 0);
    }

    private static string Formats(Deployment d) => d.Precision.KvCache == PrecisionPlan.For(d.Model, d.Weights).KvCache
        ? d.Weights.Word()
        : $"{d.Weights.Word()}, KV {d.Precision.KvCache.Word()}";

    private static string Words(Pool pool) => pool.Replicas == 1
        ? $"{pool.Deployment.Parallelism}"
        : string.Create(CultureInfo.InvariantCulture, $"{pool.Replicas:0.##} x {pool.Deployment.Parallelism}");
}

/// <summary>A configuration that was measured under a workload, beside what was predicted of it blind.</summary>
/// <param name="Cell">Model and GPU.</param>
/// <param name="Workload">Lengths, and how the load arrives.</param>
/// <param name="Configuration">What was run.</param>
/// <param name="Tpot">Measured time per output token in ms.</param>
/// <param name="Tokens">Measured input and output tokens per second and GPU.</param>
/// <param name="PredictedTpot">Predicted ms; endless where it does not fit its memory by the model.</param>
/// <param name="PredictedTokens">Predicted tokens per second and GPU; 0 where it does not fit.</param>
/// <param name="Band">How wrong predicted times per token of its kind were on other cells; null where nothing tells.</param>
public sealed record Candidate(
    string Cell,
    string Workload,
    Configuration Configuration,
    double Tpot,
    double Tokens,
    double PredictedTpot,
    double PredictedTokens,
    ErrorBand? Band = null)
{
    /// <summary>
    /// What was measured, one of each configuration and workload: of repeated runs, which predictions cannot tell apart, the medians. Loads
    /// that arrive at a rate have none, as their throughput is asked for and not chosen.
    /// </summary>
    /// <param name="outcomes">Measured rows and what was predicted of them blind.</param>
    /// <param name="bands">Error bands by cell, which must not have seen it; null for none.</param>
    /// <param name="implied">
    /// Whether rows count that measure times only: clients that each send their next request at once get one answer per mean time of one.
    /// </param>
    public static IReadOnlyList<Candidate> Of(
        IEnumerable<Outcome> outcomes, Func<string, IReadOnlyList<ErrorBand>>? bands = null, bool implied = false) =>
        [
            .. outcomes.Where(outcome => Grades.Named(outcome.Sample) && outcome.Sample.Point.MeasuredTpot > 0)
                .Where(outcome => outcome.Sample.Load.Arrival is Arrival.ClosedLoop or Arrival.StaticBatch)
                .Select(outcome => (Outcome: outcome, outcome.Sample, Implied: implied ? Implied(outcome.Sample) : null))
                .Select(row => (row.Outcome, row.Sample, Tokens: row.Sample.MeasuredTokensPerGpu, row.Implied))
                .Where(row => (row.Tokens ?? row.Implied) > 0)
                .GroupBy(
                    row => (row.Sample.Cell, Workload: WorkloadOf(row.Sample.Load), What: Configuration.Of(row.Sample)),
                    row => (row.Outcome, row.Tokens, row.Implied))
                .Select(same => Merged(same.Key.Cell, same.Key.Workload, same.Key.What, [.. same], bands)),
        ];

    /// <summary>
    /// The same with the median error of each deployment, in times and in throughput, taken off its predictions: what is left when a
    /// deployment has been measured, and therefore not blind.
    /// </summary>
    public static IReadOnlyList<Candidate> Unbiased(IEnumerable<Candidate> candidates) =>
        [
            .. candidates.GroupBy(candidate => (candidate.Cell, candidate.Configuration.Deployment())).SelectMany(same =>
            {
                var fitting = same.Where(candidate => candidate.PredictedTokens > 0).ToList();
                if (fitting.Count == 0)
                    return same;
                var tpot = Corrections.Median([.. fitting.Select(candidate => candidate.Tpot / candidate.PredictedTpot)]);
                var tokens = Corrections.Median([.. fitting.Select(candidate => candidate.Tokens / candidate.PredictedTokens)]);
                return same.Select(candidate => candidate with
                {
                    PredictedTpot = candidate.PredictedTpot * tpot,
                    PredictedTokens = candidate.PredictedTokens * tokens,
                });
            }),
        ];

    private static Candidate Merged(
        string cell,
        string workload,
        Configuration configuration,
        List<(Outcome Outcome, double? Tokens, double? Implied)> rows,
        Func<string, IReadOnlyList<ErrorBand>>? bands)
    {
        var measured = rows.Where(row => row.Tokens > 0).Select(row => row.Tokens!.Value).ToArray();
        var first = rows[0].Outcome.Sample.Prepared;
        return new Candidate(
            cell,
            workload,
            configuration,
            Corrections.Median([.. rows.Select(row => row.Outcome.Sample.Point.MeasuredTpot!.Value)]),
            Corrections.Median(measured.Length > 0 ? measured : [.. rows.Select(row => row.Implied!.Value)]),
            Corrections.Median([.. rows.Select(row => Fits(row.Outcome) ? row.Outcome.Prediction.Tpot * 1e3 : double.PositiveInfinity)]),
            Corrections.Median([.. rows.Select(row => Fits(row.Outcome) ? PerGpu(row.Outcome.Prediction) : 0)]),
            bands is null ? null : ErrorBands.Find(bands(cell), Metric.Tpot, first));
    }

    private static bool Fits(Outcome outcome) => outcome.Prediction.Fits && outcome.Prediction.Tpot > 0;

    private static double PerGpu(Prediction prediction) => prediction.TotalTokensPerSecond / prediction.Gpus;

    /// <summary>Tokens per second and GPU that follow from the measured times of a closed loop, by Little's law.</summary>
    private static double? Implied(Sample sample)
    {
        var (point, load) = (sample.Point, sample.Load);
        if (load.Arrival != Arrival.ClosedLoop || !(point.MeasuredTtft > 0) || !(load.Concurrency > 0))
            return null;
        var answer = (point.MeasuredTtft.Value + ((load.OutputTokens - 1) * point.MeasuredTpot!.Value)) / 1e3;
        return load.Concurrency.Value / answer * (load.InputTokens + load.OutputTokens) / sample.Prepared.Scenario.Gpus;
    }

    private static string WorkloadOf(Load load) => string.Create(
        CultureInfo.InvariantCulture,
        $"{load.InputTokens:0} / {load.OutputTokens:0}{(load.Arrival == Arrival.StaticBatch ? ", one batch" : "")}");
}

/// <summary>What there is to choose from: configurations of a model on a GPU for a workload, under a limit on the time per token.</summary>
/// <param name="Cell">Model and GPU.</param>
/// <param name="Workload">Lengths, and how the load arrives.</param>
/// <param name="Limit">Longest time per output token in ms.</param>
/// <param name="Candidates">What was measured.</param>
public sealed record ChoiceSet(string Cell, string Workload, double Limit, IReadOnlyList<Candidate> Candidates)
{
    /// <summary>Those whose measured time keeps the limit, most tokens per second and GPU first.</summary>
    public IReadOnlyList<Candidate> Keeping { get; } =
        [.. Candidates.Where(candidate => candidate.Tpot <= Limit).OrderByDescending(candidate => candidate.Tokens)];

    /// <summary>The best that keeps the limit; null where none does.</summary>
    public Candidate? Best => Keeping.Count > 0 ? Keeping[0] : null;

    /// <summary>Every choice that measurements can judge.</summary>
    /// <param name="candidates">What was measured.</param>
    /// <param name="limits">Longest times per output token in ms.</param>
    /// <param name="fewestInCell">Candidates that a cell must have, over all its workloads.</param>
    /// <param name="fewest">Candidates that a workload must have; of one there is no choice.</param>
    public static IReadOnlyList<ChoiceSet> Of(
        IEnumerable<Candidate> candidates, IReadOnlyList<double> limits, int fewestInCell, int fewest = 2) =>
        [
            .. candidates.GroupBy(candidate => candidate.Cell, StringComparer.Ordinal)
                .Where(cell => cell.Count() >= fewestInCell)
                .OrderBy(cell => cell.Key, StringComparer.Ordinal)
                .SelectMany(cell => cell.GroupBy(candidate => candidate.Workload, StringComparer.Ordinal)
                    .Where(workload => workload.Count() >= fewest)
                    .OrderBy(workload => workload.Key, StringComparer.Ordinal)
                    .SelectMany(workload => limits.Select(limit => new ChoiceSet(cell.Key, workload.Key, limit, [.. workload])))),
        ];
}
