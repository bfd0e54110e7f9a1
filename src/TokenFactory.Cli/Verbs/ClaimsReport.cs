using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Cli.Verbs;

/// <summary>An article's claim, tried in the model.</summary>
/// <param name="Title">What is claimed.</param>
/// <param name="Who">Who claims it, in which words.</param>
/// <param name="Least">The claimed figure, or the least of its range.</param>
/// <param name="Most">The most of its range.</param>
/// <param name="Spell">How such a figure is written.</param>
/// <param name="Values">The same figure by the model, point by point.</param>
/// <param name="Why">What the model's figure depends on.</param>
/// <param name="Table">The points.</param>
internal sealed record Claim(
    string Title,
    string Who,
    double Least,
    double Most,
    Func<double, string> Spell,
    IReadOnlyList<double> Values,
    string Why,
    Section Table)
{
    /// <summary>A claim is met within a tenth: the model is no better than that.</summary>
    private const double Slack = 0.1;

    /// <summary>"agrees", "disagrees" or "depends".</summary>
    public string Verdict
    {
        get
        {
            var met = Values.Count(value => value >= Least - (Slack * Math.Abs(Least)) && value <= Most + (Slack * Math.Abs(Most)));
            var spans = Values.Count > 0 && Values.Min() <= Most && Values.Max() >= Least;
            return Values.Count > 0 && met == Values.Count ? "agrees" : met > 0 || spans ? "depends" : "disagrees";
        }
    }

    /// <summary>The claimed range.</summary>
    public string Claimed => Least == Most ? Spell(Least) : $"{Spell(Least)} to {Spell(Most)}";

    /// <summary>The model's range.</summary>
    public string Modelled => Values.Count == 0 ? "-" : $"{Spell(Values.Min())} to {Spell(Values.Max())}";
}

/// <summary>The claims of articles, tried in the model at stated points.</summary>
internal static class ClaimsReport
{
    /// <summary>The claims, in the order of the articles.</summary>
    public static IReadOnlyList<Claim> Of(CatalogContents catalog, KernelTable kernels, CalibrationSet set)
    {
        var llama = new ClaimBench(catalog, kernels, set, "llama-3.1-70b");
        var deepseek = new ClaimBench(catalog, kernels, set, "deepseek-r1");
        return
        [
            LlamaClaims.Batching(llama),
            LlamaClaims.EightBits(llama),
            LlamaClaims.FourBits(llama),
            LlamaClaims.Bandwidth(llama),
            .. LlamaClaims.Column(llama),
            RackClaims.Disaggregation(deepseek),
            .. RackClaims.Generations(deepseek),
        ];
    }

    /// <summary>The claims as the part of a page.</summary>
    public static string Page(IReadOnlyList<Claim> claims)
    {
        var words = "Each claim at stated points of the model, as calibrated: "
            + "\"agrees\" where all points lie within a tenth of what is claimed, \"disagrees\" where none does, \"depends\" where "
            + "some do or points lie on either side. tok/s are output tokens; loads are closed loops without prefix cache; the "
            + "KV cache is in FP8 beside FP8 and FP4 weights and in 16 bits beside FP16 and AWQ, as engines do by default; vLLM serves "
            + "the Llamas with 8,192 prompt tokens per step, TensorRT-LLM or SGLang DeepSeek-R1.";
        var parts = new List<string> { words, MarkdownOutput.Table(Summary(claims), "###").TrimEnd('\n') };
        foreach (var claim in claims.Where(claim => claim.Table.Rows.Count > 0))
        {
            var head = $"### {claim.Title}: {claim.Verdict}\n\n{claim.Who} {claim.Why}";
            parts.Add($"{head}\n\n{MarkdownOutput.Table(claim.Table, "").TrimEnd('\n')}");
        }

        return string.Join("\n\n", parts);
    }

    /// <summary>The claims as a report.</summary>
    public static Report Report(IReadOnlyList<Claim> claims, string written) => new(
        "calibrate --report",
        [$"{claims.Count} claims of articles tried in the model as it is calibrated. Written: {written}."],
        [Summary(claims)],
        ["Its tables of errors need measurements: name them with --from."]);

    private static Section Summary(IReadOnlyList<Claim> claims) => new(
        "claims", "",
        [
            new Column("claim", "claim", Number: false),
            new Column("claimed", "claimed", Number: false),
            new Column("modelled", "our model", Number: false),
            new Column("verdict", "verdict", Number: false),
        ],
        [
            .. claims.Select(claim => (IReadOnlyList<Cell>)
                [Cell.Of(claim.Title), Cell.Of(claim.Claimed), Cell.Of(claim.Modelled), Cell.Of(claim.Verdict)]),
        ]);
}
