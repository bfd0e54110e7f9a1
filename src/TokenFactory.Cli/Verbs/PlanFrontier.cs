using TokenFactory.Cli.Output;
using TokenFactory.Performance;
using TokenFactory.Planning;
using TokenFactory.Planning.Search;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// plan --frontier: replicas that nothing beats in speed per user and tokens per megawatt, or speed per user and dollars.
/// </summary>
internal static class PlanFrontier
{
    /// <summary>The report with the frontier of every service.</summary>
    public static Report With(Report report, PlanAnswer answer, IReadOnlyList<IReadOnlyList<FrontierPoint>> frontiers) => report with
    {
        Sections =
        [
            .. report.Sections,
            .. frontiers.Select((points, i) => Of(answer.Ask.Services[i], points, answer.Ask.Services.Count > 1)),
        ],
    };

    private static Section Of(PlanService service, IReadOnlyList<FrontierPoint> points, bool several) => new(
        several ? $"frontier_{service.Name.Replace('-', '_')}" : "frontier",
        $"Replicas of {service.Model.Key} that nothing beats, in closed form and at full load",
        [
            new Column("tokens_per_second_per_user", "tok/s/user"),
            new Column("replica", "replica", Number: false),
            new Column("requests_running", "at once"),
            new Column("output_tokens_per_second_per_mw", "tok/s/MW"),
            new Column("usd_per_million_output_tokens", "$/M output"),
            new Column("ttft_ms", "TTFT ms", 1),
            new Column("best", "best in", Number: false),
        ],
        [
            .. points.Where(point => point.BestPerMegawatt || point.BestPerDollar).Select(point => (IReadOnlyList<Cell>)
            [
                new Cell(point.TokensPerSecondPerUser, Spell.Number(point.TokensPerSecondPerUser)),
                Cell.Of(
                    $"{point.Deployment.Gpus} x {point.Deployment.Gpu.Key}, {PlanWords.Weights(point.Deployment)}, "
                    + $"KV {point.Deployment.Precision.KvCache.Word()}, {point.Deployment.Parallelism}"),
                new Cell(point.Running, Spell.Number(point.Running)),
                new Cell(point.OutputTokensPerSecondPerMegawatt, Spell.Number(point.OutputTokensPerSecondPerMegawatt)),
                new Cell(point.UsdPerMillionOutput, Spell.Dollars(point.UsdPerMillionOutput), point.Supply.PerGpu.From),
                new Cell(point.TtftSeconds * 1e3, Spell.Number(point.TtftSeconds * 1e3)),
                Cell.Of(
                    point is { BestPerMegawatt: true, BestPerDollar: true } ? "watts, dollars"
                    : point.BestPerMegawatt ? "watts" : "dollars"),
            ]),
        ]);
}
