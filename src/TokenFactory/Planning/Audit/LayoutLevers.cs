using TokenFactory.Catalog;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>Levers that lay a replica out otherwise, or split its work between pools.</summary>
internal static class LayoutLevers
{
    private const int UsualDomain = 8;
    private static readonly double[] PromptShares = [0.25, 0.4, 0.5, 0.6, 0.75];

    /// <summary>Fewer or more GPUs that share each layer.</summary>
    public static LeverAnswer TensorParallelism(AuditedFleet fleet, AuditScene scene)
    {
        var plain = fleet.Live().Where(pool => pool.Deployment.Parallelism.StageGpus == pool.Deployment.Parallelism.Tensor).ToList();
        if (plain.Count == 0)
            return LeverAnswer.No("attention groups share their experts: expert parallelism decides");
        return LeverAnswer.Off(
            $"{fleet.Values(pool => $"{pool.Deployment.Parallelism}")}",
            new[] { 0.5, 2 }.Select(Times),
            "no other number of GPUs divides the heads, fits, and costs no more");

        LeverChange? Times(double factor)
        {
            var tensors = plain.Select(pool => $"{pool.Deployment.Parallelism.Tensor * factor:0.##}").Distinct();
            return fleet.Change($"tp: {string.Join(" and ", tensors)}", pool =>
            {
                var tensor = pool.Deployment.Parallelism.Tensor * factor;
                return plain.Contains(pool) && tensor >= 1 && tensor <= Domain(pool.Deployment.Gpu)
                    && Spreading.Undivided(pool.Deployment.Model, (int)tensor) is null
                    ? pool.On(pool.Deployment with { Parallelism = Tensor(pool.Deployment.Parallelism, (int)tensor) }, scene)
                    : null;
            });
        }
    }

    /// <summary>Whole experts on each GPU, and attention in groups of their own.</summary>
    public static LeverAnswer ExpertParallelism(AuditedFleet fleet, AuditScene scene)
    {
        var mixtures = fleet.Live().Where(pool => Spreading.IsMixture(pool.Deployment.Model)).ToList();
        if (mixtures.Count == 0)
            return LeverAnswer.No($"{fleet.Values(pool => pool.Deployment.Model.Key)} has no experts");
        if (mixtures.TrueForAll(pool => pool.Deployment.Parallelism.Expert > 1))
            return LeverAnswer.On($"{fleet.Values(pool => $"{pool.Deployment.Parallelism}")}; {Link(mixtures[0].Deployment)}");
        var able = mixtures.Where(pool => pool.Deployment.Parallelism is { Expert: <= 1, StageGpus: > 1 }).ToList();
        if (able.Count == 0)
            return LeverAnswer.No("a replica is one GPU: there is nothing to spread experts over");
        return LeverAnswer.Off(
            $"{fleet.Values(pool => $"{pool.Deployment.Parallelism}")}: every expert is sliced; {Link(able[0].Deployment)}",
            [
                fleet.Change("ep: all GPUs of a replica", pool => able.Contains(pool)
                    ? Spread(pool, pool.Deployment.Parallelism with { Expert = pool.Deployment.Parallelism.StageGpus })
                    : null),
                fleet.Change("ep: all GPUs of a replica, attention_dp: as many", pool => able.Contains(pool)
                    ? Spread(pool, Groups(pool.Deployment.Parallelism))
                    : null),
            ],
            "the experts do not fit whole");

        PoolOrder? Spread(PoolOrder pool, Parallelism spread) => spread.Expert <= Spreading.Experts(pool.Deployment.Model)
            ? pool.On(pool.Deployment with { Parallelism = spread, MaxSequences = PerGroup(pool.Deployment, spread) }, scene)
            : null;
    }

    /// <summary>Prompts and answers in pools of their own, with the GPUs there are.</summary>
    public static LeverAnswer Disaggregation(AuditedFleet fleet, AuditScene scene)
    {
        if (fleet.Live().Any(pool => pool.Role != ReplicaRole.Aggregated))
            return LeverAnswer.On($"prompts in {fleet.Live().Where(pool => pool.Role == ReplicaRole.Prefill).Names()}, "
                + $"answers in {fleet.Live().Where(pool => pool.Role == ReplicaRole.Decode).Names()}");
        var largest = Enumerable.Range(0, fleet.Pools.Count).MaxBy(i => fleet.Pools[i].Replicas * fleet.Pools[i].Deployment.Gpus);
        var pool = fleet.Pools[largest];
        if (pool.Replicas < 2)
            return LeverAnswer.No("it takes two replicas at least, one for prompts and one for answers");
        if (pool.Scaler is not null)
            return LeverAnswer.No($"{pool.Name} scales by itself; simulate a split of your own");
        var link = pool.LinkBytesPerSecond ?? pool.Deployment.Gpu.ScaleOut?.Value.Value;
        return LeverAnswer.Off(
            $"prompts and answers on the same GPUs{(link is { } bytes ? $"; KV caches would pass at {bytes / 1e9:0.#} GB/s per GPU" : "")}",
            PromptShares.Select(share => Math.Clamp((int)Math.Round(share * pool.Replicas), 1, pool.Replicas - 1)).Distinct().Select(Split),
            "nobody knows the speed of its halves");

        LeverChange? Split(int prompts)
        {
            var before = pool with { Role = ReplicaRole.Prefill, Name = pool.Name + "-prefill", Replicas = prompts };
            var after = pool with { Role = ReplicaRole.Decode, Name = pool.Name + "-decode", Replicas = pool.Replicas - prompts };
            if (before.On(pool.Deployment, scene) is not { } prefill || after.On(pool.Deployment, scene) is not { } decode)
                return null;
            List<PoolOrder> pools = [.. fleet.Pools];
            pools[largest] = prefill;
            return new LeverChange(
                $"{prompts} prefill + {pool.Replicas - prompts} decode",
                Halved(fleet, largest, prefill.Name, decode.Name) with { Pools = [.. pools, decode] });
        }
    }

    /// <summary>How replicas are split, in words.</summary>
    public static string Split(AuditedFleet fleet) => string.Join(
        " + ",
        fleet.Live().Where(pool => pool.Role != ReplicaRole.Aggregated).OrderBy(pool => pool.Role)
            .Select(pool => $"{pool.Replicas} {pool.Role.ToString().ToLowerInvariant()}"));

    /// <summary>What befalls a pool befalls both of its halves: the first takes its place, the second comes last.</summary>
    private static AuditedFleet Halved(AuditedFleet fleet, int pool, string prefill, string decode)
    {
        var crashes = fleet.Policies.Faults
            .Where(fault => fault is Crashes && fault.Pool == pool)
            .Select(fault => fault with { Pool = fleet.Pools.Count });
        var spot = new Dictionary<string, (SpotTerms, double)>(fleet.OnSpot, StringComparer.Ordinal);
        if (fleet.OnSpot.TryGetValue(fleet.Pools[pool].Name, out var terms))
            (spot[prefill], spot[decode]) = (terms, terms);
        return fleet with { Policies = fleet.Policies with { Faults = [.. fleet.Policies.Faults, .. crashes] }, OnSpot = spot };
    }

    /// <summary>Other GPUs, where the user names some.</summary>
    public static LeverAnswer OtherGpus(AuditedFleet fleet, AuditScene scene) => scene.Asked.Gpus.Count == 0
        ? LeverAnswer.No("no other GPU is allowed: name some with 'audit: {gpus: [h200]}'")
        : LeverAnswer.Off(
            $"on {fleet.Values(pool => pool.Deployment.Gpu.Name)}",
            scene.Asked.Gpus.Select(gpu => fleet.Change(
                $"gpu: {gpu.Key}", pool => pool.Deployment.Gpu.Key == gpu.Key ? null : Moved(pool, gpu, scene))),
            "the GPUs allowed have no price under this billing, cost more than all there is, or do not hold the model");

    /// <summary>A layout with another number of GPUs that share each layer.</summary>
    public static Parallelism Tensor(Parallelism spread, int tensor) =>
        spread with { Tensor = tensor, Expert = spread.Expert > 1 ? Math.Min(spread.Expert, tensor) : spread.Expert };

    private static PoolOrder? Moved(PoolOrder pool, Accelerator gpu, AuditScene scene)
    {
        if (scene.Asked.GpuPrices(gpu, pool.Billing) is not { } usd)
            return null;
        var d = pool.Deployment;
        var tensors = d.Parallelism.StageGpus == d.Parallelism.Tensor
            ? Spreading.Tensors(d.Model).Where(tensor => tensor <= Domain(gpu)).ToList()
            : [d.Parallelism.Tensor];
        return tensors
            .Select(tensor => pool.On(d with { Gpu = gpu, PowerCap = null, Parallelism = Tensor(d.Parallelism, tensor) }, scene))
            .OfType<PoolOrder>()
            .Select(order => order with { UsdPerGpuHour = usd, Pue = null, LinkBytesPerSecond = null })
            .FirstOrDefault();
    }

    private static Parallelism Groups(Parallelism spread) =>
        spread with { Tensor = 1, AttentionData = spread.StageGpus, Expert = spread.StageGpus };

    /// <summary>As many sequences on the replica as before, over its groups.</summary>
    private static int? PerGroup(Deployment d, Parallelism then) =>
        d.MaxSequences is { } most ? Math.Max(then.AttentionData, most / then.AttentionData * then.AttentionData) : null;

    private static double Domain(Accelerator gpu) => gpu.ScaleUpDomain?.Value ?? UsualDomain;

    private static string Link(Deployment d)
    {
        var (domain, gpus) = (Domain(d.Gpu), d.Parallelism.StageGpus);
        return gpus <= domain
            ? $"its {gpus} GPUs exchange within a domain of {domain:0} ({d.Gpu.ScaleUpLink ?? "scale-up link"})"
            : $"its {gpus} GPUs exchange beyond the domain of {domain:0}, over the network";
    }
}
