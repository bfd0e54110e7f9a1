using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Cli.Verbs;

/// <summary>Something near to what does not fit that does.</summary>
/// <param name="Change">What is changed, for people: "in int4".</param>
/// <param name="Gpu">On what.</param>
/// <param name="Deployment">One replica.</param>
/// <param name="Gpus">All GPUs of it.</param>
/// <param name="FreeGibibytes">GiB per GPU that are left for the KV cache.</param>
internal sealed record Nearby(string Change, string Gpu, Deployment Deployment, double Gpus, double FreeGibibytes);

/// <summary>Looks for the nearest thing that fits: more GPUs, fewer bits, or a GPU with more memory.</summary>
internal static class PredictNearest
{
    private const double Gibibyte = 1024.0 * 1024 * 1024;

    /// <summary>What fits, nearest first; empty where nothing near does.</summary>
    /// <param name="answer">What does not fit.</param>
    /// <param name="catalog">Where other accelerators are found.</param>
    public static IReadOnlyList<Nearby> Of(PredictAnswer answer, CatalogContents catalog)
    {
        var (request, tensor) = (answer.Request, answer.Decode.Parallelism.Tensor);
        var prefill = answer.Prepared.Prefill.Deployment.Parallelism.Tensor;
        var found = new List<Nearby>();
        if (More(request, tensor, prefill) is { } more)
            found.Add(more with { Change = $"on {PredictWords.Gpus(more.Gpus)}" });
        var fewerBits = Narrower(request.One).Select(request.In).ToList();
        foreach (var narrow in fewerBits)
        {
            if (Fitting(narrow, tensor, prefill) is { } fitting)
                found.Add(fitting with { Change = $"in {PredictWords.Format(narrow.One.Weights)} on {Same(fitting.Gpus)}" });
        }

        var mixed = fewerBits.Select(narrow => More(narrow, tensor, prefill)).FirstOrDefault(fitting => fitting is not null);
        if (found.Count < 2 && mixed is { } both)
            found.Add(both with { Change = $"in {PredictWords.Format(both.Deployment.Weights)} on {PredictWords.Gpus(both.Gpus)}" });
        if (Larger(request, tensor, prefill, catalog) is { } larger)
            found.Add(larger with { Change = $"on {Same(larger.Gpus)} {larger.Gpu}" });
        return found;

        static string Same(double gpus) => gpus == 1 ? "one" : $"the same {gpus:0}";
    }

    /// <summary>The fewest GPUs per attention group, more than now, on which all pools fit.</summary>
    private static Nearby? More(PredictRequest request, int tensor, int prefill) => Spreading.Tensors(request.One.Model)
        .Where(more => more > tensor)
        .Select(more => Fitting(request, more, Math.Max(more, prefill)))
        .FirstOrDefault(fitting => fitting is not null);

    /// <summary>Formats of fewer bits that the GPU can serve, most bits first.</summary>
    private static IEnumerable<NumberFormat> Narrower(Deployment one)
    {
        var bytes = one.Weights.BytesPerWeight();
        if (bytes > 1 && NumberFormats.HasUnits(one.Gpu, NumberFormat.Fp8))
            yield return NumberFormat.Fp8;
        if (bytes >= 1 && NumberFormats.HasUnits(one.Gpu, NumberFormat.Nvfp4))
            yield return one.Gpu.Vendor == "NVIDIA" ? NumberFormat.Nvfp4 : NumberFormat.Mxfp4;
        else if (bytes >= 1)
            yield return NumberFormat.Int4;
    }

    /// <summary>The accelerator of the same maker with the least memory on which the same layout fits.</summary>
    private static Nearby? Larger(PredictRequest request, int tensor, int prefill, CatalogContents catalog)
    {
        var now = KvCapacity.MemoryBytes(request.One.Gpu);
        return catalog.Accelerators
            .Where(gpu => gpu.Vendor == request.One.Gpu.Vendor && gpu.MemoryBandwidth is not null)
            .Where(gpu => (gpu.UsableMemoryGigabytes ?? gpu.MemoryGigabytes) is not null && KvCapacity.MemoryBytes(gpu) > now)
            .OrderBy(KvCapacity.MemoryBytes)
            .ThenBy(gpu => gpu.Key, StringComparer.Ordinal)
            .Select(gpu => Fitting(request with { One = request.One with { Gpu = gpu } }, tensor, prefill))
            .FirstOrDefault(fitting => fitting is not null);
    }

    private static Nearby? Fitting(PredictRequest request, int tensor, int prefill)
    {
        var scenario = request.Scenario(tensor, prefill);
        var longest = request.Load.InputTokens + request.Load.OutputTokens;
        Deployment[] pools = scenario.Prefill is { } pool ? [scenario.Decode.Deployment, pool.Deployment] : [scenario.Decode.Deployment];
        return Array.TrueForAll(pools, deployment => new KvCapacity(deployment).Fits(longest))
            ? new Nearby("", request.One.Gpu.Key, pools[0], scenario.Gpus, new KvCapacity(pools[0]).Memory.Free / Gibibyte)
            : null;
    }
}
