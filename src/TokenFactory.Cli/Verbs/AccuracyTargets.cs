using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>One line of the table that predictions are judged by.</summary>
/// <param name="Key">Its name in JSON.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Metric">What is predicted.</param>
/// <param name="Covers">Which figures count.</param>
/// <param name="Mean">Whether the mean error is judged; else the median.</param>
/// <param name="Published">The best that others published.</param>
/// <param name="Floor">The error that may not be exceeded, a share.</param>
/// <param name="Aim">The error that is aimed at.</param>
internal sealed record AccuracyTarget(
    string Key, string Title, Metric Metric, Func<Figure, bool> Covers, bool Mean, string Published, double Floor, double Aim)
{
    /// <summary>The judged error.</summary>
    public double Error(Grade grade) => Mean ? grade.Mean : grade.Median;
}

/// <summary>What predictions are judged by: published bests, floors and aims.</summary>
internal static class AccuracyTargets
{
    /// <summary>The least Kendall's tau of the ordering of configurations.</summary>
    public const double OrderingFloor = 0.75;

    /// <summary>The tau that is aimed at.</summary>
    public const double OrderingAim = 0.9;

    /// <summary>The lines, in order.</summary>
    public static IReadOnlyList<AccuracyTarget> Lines { get; } =
    [
        new(
            "tpot_aggregated_median", "TPOT, aggregated, no MTP, median", Metric.Tpot, Plain, false,
            "24 % closed form, nothing fitted; 11.9 % mean, BLIS kernel on 360 chosen points", 0.13, 0.09),
        new("tpot_aggregated_mean", "the same, mean", Metric.Tpot, Plain, true, "-", 0.20, 0.13),
        new("tokens_aggregated_median", "tokens/s/GPU, aggregated, no MTP, median", Metric.Tokens, Plain, false, "-", 0.14, 0.09),
        new(
            "ttft_aggregated_median", "mean TTFT, aggregated, median", Metric.Ttft, figure => Aggregated(figure) && !figure.MlPerf, false,
            "23-31 % mean, BLIS kernel", 0.30, 0.20),
        new(
            "tpot_disaggregated_median", "TPOT, disaggregated, median", Metric.Tpot, figure => !Aggregated(figure) && !figure.MlPerf, false,
            "-", 0.22, 0.14),
        new(
            "tpot_mtp_median", "TPOT, with MTP, median", Metric.Tpot, figure => Speculates(figure) && !figure.MlPerf, false,
            "-", 0.22, 0.14),
        new(
            "mlperf_tokens_median", "MLPerf Offline and Server tokens/s, median", Metric.Tokens, figure => figure.MlPerf, false,
            "-", 0.25, 0.15),
        new(
            "mlperf_offline_tokens_median", "the same, Offline alone (Server's rate of arrivals is given)", Metric.Tokens,
            figure => figure.MlPerf && figure.Outcome.Sample.Load.Arrival == Arrival.Offline, false, "-", 0.25, 0.15),
        new(
            "watts_median", "watts per GPU, median", Metric.Watts, _ => true, false,
            "11.8-19.6 % for a constant per GPU, 41-45 % for TDP", 0.12, 0.08),
    ];

    private static bool Plain(Figure figure) => Aggregated(figure) && !Speculates(figure) && !figure.MlPerf;

    private static bool Aggregated(Figure figure) => figure.Outcome.Sample.Aggregated;

    private static bool Speculates(Figure figure) => figure.Outcome.Sample.Point.Speculates;
}
