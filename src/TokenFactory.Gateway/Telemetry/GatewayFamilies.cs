using System.Diagnostics.Metrics;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>The metrics that the gateway adds to as requests go by.</summary>
internal sealed class GatewayFamilies(Meter meter)
{
    public HistogramFamily Duration { get; } = new(MetricTable.Duration, meter);

    public HistogramFamily FirstToken { get; } = new(MetricTable.FirstToken, meter);

    public HistogramFamily EachToken { get; } = new(MetricTable.EachToken, meter);

    public HistogramFamily TokenUsage { get; } = new(MetricTable.TokenUsage, meter);

    public HistogramFamily Wait { get; } = new(MetricTable.Wait, meter);

    public SumFamily Tokens { get; } = new(MetricTable.Tokens, meter);

    public SumFamily Reasoning { get; } = new(MetricTable.Reasoning, meter);

    public SumFamily Requests { get; } = new(MetricTable.Requests, meter);

    public SumFamily Refusals { get; } = new(MetricTable.Refusals, meter);

    public SumFamily Sheds { get; } = new(MetricTable.Sheds, meter);

    public SumFamily Retries { get; } = new(MetricTable.Retries, meter);

    public SumFamily Charged { get; } = new(MetricTable.Charged, meter);

    public SumFamily Cost { get; } = new(MetricTable.Cost, meter);

    public SumFamily Energy { get; } = new(MetricTable.Energy, meter);

    public IReadOnlyList<Family> All =>
        [Duration, FirstToken, EachToken, TokenUsage, Wait, Tokens, Reasoning, Requests, Refusals, Sheds, Retries, Charged, Cost, Energy];
}
