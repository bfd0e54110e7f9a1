using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>A figure by which runs are compared.</summary>
/// <param name="Key">Its name in JSON, with its unit.</param>
/// <param name="Title">Its name for people, with its unit.</param>
/// <param name="Of">Its value in base units; null where a run has none.</param>
/// <param name="Spell">As people read it.</param>
/// <param name="Better">1 where more is better, -1 where less is, 0 where neither is.</param>
internal sealed record SimulateMetric(
    string Key, string Title, Func<RunReport, double?> Of, Func<double, string> Spell, int Better);

/// <summary>The figures by which runs are compared, in the order in which people ask for them.</summary>
internal static class SimulateMetrics
{
    /// <summary>Share of the requests that kept every promise.</summary>
    public static SimulateMetric Kept { get; } =
        new("kept_share", "kept, %", run => run.Requests.KeptShare, Points, 1);

    /// <summary>Dollars of all paid time.</summary>
    public static SimulateMetric Allocation { get; } = new(
        "usd_per_million_output_tokens_allocation",
        "$/M output, allocation",
        run => run.Machines.PaidUsd > 0 ? SimulateRates.PerMillion(run.Machines.PaidUsd, run.Requests.OutputTokens) : null,
        Spell.Dollars,
        -1);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SimulateMetric> All { get; } =
    [
        Kept,
        Time("ttft_p50_s", "TTFT p50, ms", run => run.Requests.Ttft, times => times.P50),
        Time("ttft_p99_s", "TTFT p99, ms", run => run.Requests.Ttft, times => times.P99),
        Time("tpot_p50_s", "TPOT p50, ms", run => run.Requests.Tpot, times => times.P50),
        Time("tpot_p99_s", "TPOT p99, ms", run => run.Requests.Tpot, times => times.P99),
        Time("end_to_end_p99_s", "E2E p99, ms", run => run.Requests.EndToEnd, times => times.P99),
        new("output_tokens_per_second", "output tokens/s", run => run.OutputTokensPerSecond, Spell.Number, 1),
        new("goodput_requests_per_second", "goodput, requests/s", run => run.Goodput, Spell.Number, 1),
        new("utilisation_share", "busy, % of paid time", run => run.Machines.Utilisation, Points, 0),
        Allocation,
        new(
            "usd_per_million_output_tokens_usage",
            "$/M output, usage",
            run => run.Machines.PaidUsd > 0 ? SimulateRates.PerMillion(run.Machines.UsageUsd, run.Requests.OutputTokens) : null,
            Spell.Dollars,
            -1),
        Joules("joules_per_output_token_board", "J/output token, board", machines => machines.BoardJoules),
        Joules("joules_per_output_token_facility", "J/output token, facility", machines => machines.FacilityJoules),
        new("prefix_hit_share", "prefix hits, % of prompt", run => run.Requests.HitShare, Points, 1),
        new("preemptions", "preemptions", run => run.Requests.Preemptions, Spell.Number, -1),
        new("not_answered", "requests not answered", run => SimulateRates.Unanswered(run.Requests.Requests), Spell.Number, -1),
    ];

    private static SimulateMetric Time(string key, string title, Func<RunReport, Spread> of, Func<Spread, double> at) =>
        new(key, title, run => of(run) is { Count: > 0 } times ? at(times) : null, SimulateSpell.Ms, -1);

    private static SimulateMetric Joules(string key, string title, Func<MachineReport, double> of) => new(
        key,
        title,
        run => of(run.Machines) is > 0 and var joules ? SimulateRates.Per(joules, run.Requests.OutputTokens) : null,
        Spell.Number,
        -1);

    /// <summary>A share in percent, without the sign: the title has it.</summary>
    private static string Points(double share) => (share * 100).ToString(Math.Abs(share) is < 0.001 and > 0 ? "G2" : "0.##");
}
