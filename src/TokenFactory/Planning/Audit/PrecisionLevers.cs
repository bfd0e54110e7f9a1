using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;
using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>Levers that hold weights or caches in fewer bits: on the same GPUs, or on fewer of them.</summary>
internal static class PrecisionLevers
{
    private static readonly int[] AllDivisors = [1, 2, 4];

    /// <summary>Weights in eight bits.</summary>
    public static LeverAnswer EightBits(AuditedFleet fleet, AuditScene scene)
    {
        var wide = fleet.Live().Where(Wide).ToList();
        if (wide.Count == 0)
            return LeverAnswer.On($"weights in {fleet.Values(pool => pool.Deployment.Weights.Word())}");
        if (!wide.Exists(pool => EightOf(pool) is not null))
            return LeverAnswer.No($"{wide[0].Deployment.Gpu.Name} does not multiply eight bits");
        return LeverAnswer.Off(
            $"weights in {fleet.Values(pool => pool.Deployment.Weights.Word())}",
            Divisors(2).Select(divisor => Narrowed(fleet, scene, divisor, pool => Wide(pool) ? EightOf(pool) : null)),
            "weights of eight bits do not fit");
    }

    /// <summary>Weights in four bits.</summary>
    public static LeverAnswer FourBits(AuditedFleet fleet, AuditScene scene)
    {
        var wide = fleet.Live().Where(pool => !pool.Deployment.Weights.IsFourBit()).ToList();
        if (wide.Count == 0)
            return LeverAnswer.On($"weights in {fleet.Values(pool => pool.Deployment.Weights.Word())}");
        var native = wide.Exists(pool => pool.Deployment.Gpu.Fp4 is not null);
        return LeverAnswer.Off(
            $"weights in {fleet.Values(pool => pool.Deployment.Weights.Word())}; {wide[0].Deployment.Gpu.Name} "
                + (native ? "multiplies four bits" : "widens four bits to 16 before it multiplies"),
            Divisors(4).Select(divisor => Narrowed(fleet, scene, divisor, FourOf)),
            "weights of four bits do not fit");
    }

    /// <summary>The KV cache in eight bits.</summary>
    public static LeverAnswer Cache(AuditedFleet fleet, AuditScene scene)
    {
        var wide = fleet.Live().Where(pool => pool.Deployment.Precision.KvCache.BytesPerCacheElement() > 1).ToList();
        if (wide.Count == 0)
            return LeverAnswer.On($"KV cache in {fleet.Values(pool => pool.Deployment.Precision.KvCache.Word())}");
        return LeverAnswer.Off(
            $"KV cache in {fleet.Values(pool => pool.Deployment.Precision.KvCache.Word())}",
            [fleet.Change("kv_precision: fp8", pool => wide.Contains(pool) && NumberFormats.HasUnits(pool.Deployment.Gpu, NumberFormat.Fp8)
                ? pool.On(pool.Deployment with { Precision = pool.Deployment.Precision with { KvCache = NumberFormat.Fp8 } }, scene)
                : null)],
            $"{wide[0].Deployment.Gpu.Name} does not multiply eight bits");
    }

    /// <summary>What pools would be narrowed to, and on which share of their GPUs.</summary>
    private static LeverChange? Narrowed(AuditedFleet fleet, AuditScene scene, int divisor, Func<PoolOrder, NumberFormat?> format)
    {
        var formats = fleet.Live().Select(format).OfType<NumberFormat>().Distinct().Select(one => one.Word());
        var tensors = fleet.Live().Where(pool => format(pool) is not null)
            .Select(pool => $"{pool.Deployment.Parallelism.Tensor / divisor}").Distinct();
        var what = $"precision: {string.Join(" and ", formats)}{(divisor > 1 ? $", tp: {string.Join(" and ", tensors)}" : "")}";
        var impossible = false;
        var change = fleet.Change(what, Narrow);
        return impossible ? null : change;

        PoolOrder? Narrow(PoolOrder pool)
        {
            if (format(pool) is not { } weights)
                return null;
            var (d, spread) = (pool.Deployment, pool.Deployment.Parallelism);
            if (spread.Tensor % divisor != 0 || (divisor > 1 && spread.StageGpus != spread.Tensor))
            {
                impossible = true;
                return null;
            }

            var then = pool.On(
                d with
                {
                    Weights = weights,
                    Precision = PrecisionPlan.For(d.Model, weights, d.Precision.KvCache),
                    Parallelism = LayoutLevers.Tensor(spread, spread.Tensor / divisor),
                },
                scene);
            impossible |= then is null;
            return then;
        }
    }

    private static IEnumerable<int> Divisors(int most) => AllDivisors.Where(divisor => divisor <= most);

    private static bool Wide(PoolOrder pool) => pool.Deployment.Weights is NumberFormat.Bf16 or NumberFormat.Fp32;

    private static NumberFormat? EightOf(PoolOrder pool) =>
        NumberFormats.HasUnits(pool.Deployment.Gpu, NumberFormat.Fp8) ? NumberFormat.Fp8
        : NumberFormats.HasUnits(pool.Deployment.Gpu, NumberFormat.Int8) ? NumberFormat.Int8
        : null;

    private static NumberFormat? FourOf(PoolOrder pool) => pool.Deployment switch
    {
        var narrow when narrow.Weights.IsFourBit() => null,
        { Gpu.Fp4: null } => NumberFormat.Int4,
        { Gpu.Vendor: "NVIDIA" } => NumberFormat.Nvfp4,
        _ => NumberFormat.Mxfp4,
    };
}
