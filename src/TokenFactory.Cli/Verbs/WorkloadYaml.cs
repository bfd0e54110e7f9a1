using System.Globalization;
using System.Text;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>Writes a fitted stream as the workload block of a scenario, which <see cref="WorkloadInput"/> reads back.</summary>
internal static class WorkloadYaml
{
    /// <summary>
    /// Where a fitted stream ends: after as many requests as the trace, but with sessions after the same time, as those begun last would
    /// go on for long after it.
    /// </summary>
    public static (long? Requests, double? Seconds) End(StreamPlan plan, TraceProfile profile) =>
        plan is SessionPlan && profile.DurationSeconds > 0 ? (null, profile.DurationSeconds) : (profile.Requests, null);

    /// <summary>The block.</summary>
    /// <param name="plan">What was fitted.</param>
    /// <param name="profile">The trace that it was fitted to.</param>
    /// <param name="from">The name of that trace.</param>
    public static string Of(StreamPlan plan, TraceProfile profile, string from)
    {
        var (requests, seconds) = End(plan, profile);
        var end = seconds is { } last ? $"duration_s: {Number(last)}" : $"requests: {requests}";
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Fitted to {from} by 'tokenfactory workload describe'.\n");
        text.Append(CultureInfo.InvariantCulture, $"workload:\n  {end}\n  streams:\n    - class: {plan.Class}\n");
        if (plan.SystemPromptTokens > 0)
            Line("system_prompt_tokens", Number(plan.SystemPromptTokens));
        if (plan is SessionPlan sessions)
        {
            Arrivals(sessions.Arrivals, "sessions_per_second");
            Line("turns", Spread(sessions.Turns));
            if (sessions.FirstTokens is { } first)
                Line("first_tokens", Spread(first));
            Lengths((PairedLengths)sessions.Lengths, "user_tokens");
            Line("think_s", Spread(sessions.Think));
            Line("max_context_tokens", Number(sessions.MaxContextTokens));
        }
        else if (plan is OpenPlan open)
        {
            Arrivals(open.Arrivals, "requests_per_second");
            Lengths((PairedLengths)open.Lengths, "input_tokens");
        }

        return text.ToString();

        void Line(string key, string value) => text.Append(CultureInfo.InvariantCulture, $"      {key}: {value}\n");

        void Lengths(PairedLengths lengths, string input)
        {
            Line(input, Spread(lengths.Input));
            Line("output_tokens", Spread(lengths.Output));
            if (lengths.Correlation != 0)
                Line("length_correlation", Number(lengths.Correlation));
        }

        void Arrivals(ArrivalPlan arrivals, string rate)
        {
            Line("arrivals", arrivals.Kind == ArrivalKind.AtOnce ? "at-once" : "gamma");
            if (arrivals.Kind == ArrivalKind.AtOnce)
                return;
            Line(rate, Number(arrivals.Rate.PerSecond));
            Line("arrival_cv", Number(arrivals.Cv));
            if (arrivals.Rate.Daily is { } day)
                Line("diurnal", Daily(day));
        }
    }

    private static string Daily(Diurnal day) =>
        $"{{peak_to_trough: {Number(day.PeakToTrough)}, period_s: {Number(day.PeriodSeconds)}, phase_s: {Number(day.PhaseSeconds)}}}";

    private static string Spread(Spread spread) => spread switch
    {
        Geometric geometric => $"{{geometric: {{mean: {Number(geometric.Mean)}}}}}",
        Lognormal { Most: < double.PositiveInfinity } cut =>
            $"{{lognormal: {{median: {Number(cut.Median)}, sigma: {Number(cut.Sigma)}, "
            + $"min: {Number(cut.Least)}, max: {Number(cut.Most)}}}}}",
        Lognormal whole => $"{{lognormal: {{median: {Number(whole.Median)}, sigma: {Number(whole.Sigma)}}}}}",
        _ => Number(spread.Mean),
    };

    private static string Number(double value) => value.ToString("0.###############", CultureInfo.InvariantCulture);
}
