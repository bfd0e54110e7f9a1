using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Cli.Verbs;

/// <summary>Which constants behind a prediction were measured on this GPU and stack, and which were estimated from others.</summary>
internal static class PredictConstants
{
    /// <summary>The constants that the prediction used.</summary>
    public static Section Of(PredictAnswer answer, PredictRunner runner) => new(
        "constants", "Which constants were measured",
        [
            new Column("constants", "constants", Number: false),
            new Column("kind", "kind", Number: false),
            new Column("source", "how", 1, Number: false),
        ],
        [.. Pools(answer)
            .SelectMany(pool => Kernels(pool, runner.Kernels))
            .DistinctBy(row => row.What)
            .Concat(Fits(answer, runner))
            .Select(row => (IReadOnlyList<Cell>)
        [
            Cell.Of(row.What),
            new Cell(row.Kind, row.Kind, row.From),
            Cell.Of(row.How),
        ])]);

    private static Deployment[] Pools(PredictAnswer answer) => [answer.Decode, answer.Prepared.Prefill.Deployment];

    private static IEnumerable<(string What, string Kind, string How, Provenance? From)> Kernels(Deployment d, KernelSet kernels)
    {
        var (plan, spread) = (d.Precision, d.Parallelism);
        foreach (var format in new[] { plan.Attention, plan.Dense, PrecisionPlan.Embeddings }.Distinct())
            yield return Row($"matrices in {format.Word()}", kernels.Gemm(format).From);
        if (Spreading.IsMixture(d.Model))
            yield return Row($"experts in {plan.Experts.Word()}", kernels.Experts(plan.Experts).From);
        if (d.Model.Attention.Any(group => group is GroupedQueryAttention))
            yield return Row($"attention over a {plan.KvCache.Word()} cache", kernels.Attention(plan.KvCache).From);
        if (d.Model.Attention.Any(group => group is LatentAttention or CompressedAttention))
            yield return Row($"latent attention over a {plan.KvCache.Word()} cache", kernels.Latent(plan.KvCache).From);
        if (spread.Tensor > 1)
            yield return AllReduce(spread.Tensor, kernels.Collectives);
        if (spread.AttentionData > 1)
            yield return Row($"dispatch to experts among {spread.StageGpus}", kernels.Dispatch.From);
    }

    private static (string What, string Kind, string How, Provenance? From) AllReduce(int ranks, Sourced<CollectiveConstants> collectives)
    {
        var row = Row($"all-reduce among {ranks}", collectives.From);
        return collectives.Value.IsExtrapolated(CollectiveOperator.AllReduce, ranks)
            ? row with { Kind = "estimated", How = "extrapolated from fewer GPUs" }
            : row;
    }

    private static IEnumerable<(string What, string Kind, string How, Provenance? From)> Fits(PredictAnswer answer, PredictRunner runner)
    {
        var (set, traits) = (runner.Calibration.Set, answer.Prepared.Traits);
        var from = runner.Calibration.Source is { } source ? Provenance.Of(source) : null;
        yield return Fit("engine steps", set.Steps.ContainsKey(traits.Stack), traits.Stack, "any stack", from);
        yield return Fit("first tokens", set.FirstTokens.ContainsKey(traits.Stack), traits.Stack, "any stack", from);
        yield return Fit("watts", set.Power.ContainsKey(traits.Architecture), traits.Architecture, "any architecture", from);
    }

    private static (string What, string Kind, string How, Provenance? From) Fit(
        string what, bool own, string group, string otherwise, Provenance? from) => own
            ? ($"{what} of {Spelled(group)}", "measured", "fitted to measurements of it", from)
            : ($"{what} of {Spelled(group)}", "estimated", $"never measured: those of {otherwise}", from);

    private static (string What, string Kind, string How, Provenance? From) Row(string what, Provenance from) =>
        (what, from.Kind.ToString().ToLowerInvariant(), Short(from.Sources[0].Text), from);

    /// <summary>The first part of a source, as far as a table has room; --sources and --json tell all of it.</summary>
    private static string Short(string text)
    {
        const int most = 60;
        var end = text.IndexOf(':', StringComparison.Ordinal);
        var part = end > 0 ? text[..end] : text;
        return part.Length <= most ? part : part[..(most - 1)] + "\u2026";
    }

    private static string Spelled(string group) => group.Replace("|", " on ", StringComparison.Ordinal);
}
