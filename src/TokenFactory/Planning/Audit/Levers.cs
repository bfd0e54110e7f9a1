using TokenFactory.Catalog;
using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>
/// The levers, in the order in which the inference iceberg is worked down: what one engine does, what one replica is, what the fleet
/// does, what the bill says. Effort and risk are our judgement; each says what it rests on.
/// </summary>
public static class Levers
{
    /// <summary>Key of the lever that takes replicas away and changes nothing else: the others are measured against it.</summary>
    public const string Replicas = "replicas";

    /// <summary>Key of the lever that is off the table unless four bits are allowed.</summary>
    public const string FourBits = "four-bit-weights";

    private const string Flag = "a flag of the engines and a restart of each replica";

    /// <summary>All levers that are tried one by one.</summary>
    public static IReadOnlyList<Lever> All { get; } = [.. OfEngines(), .. OfReplicas(), .. OfFleets()];

    /// <summary>The lever that takes away what is not needed.</summary>
    public static Lever Utilisation { get; } = new(
        Replicas, "fewer replicas", Effort.Hours, "no reserve is left beyond 'spare': growth and failures need one",
        "machines to hand back", (fleet, _) => Judge(fleet));

    /// <summary>The keys of all levers.</summary>
    public static IEnumerable<string> Keys => All.Select(lever => lever.Key).Prepend(Replicas);

    private static LeverAnswer Judge(AuditedFleet fleet) => fleet.Pools.All(pool => pool.Scaler is not null)
        ? LeverAnswer.On("scalers decide how many there are")
        : new LeverAnswer(LeverState.Off, $"{string.Join(" + ", fleet.Pools.Select(Count))}", [new LeverChange("fewer replicas", fleet)]);

    private static string Count(PoolOrder pool) => $"{pool.Replicas} x {pool.Deployment.Gpus} GPUs in {pool.Name}";

    /// <summary>What the flags of an engine do.</summary>
    private static Lever[] OfEngines() =>
    [
        new(
            "batching",
            "continuous batching",
            Effort.Hours,
            "none known; every current engine does it",
            Flag,
            EngineLevers.Batching),
        new(
            "max-sequences",
            "more sequences at once",
            Effort.Hours,
            "each user's tokens come more slowly; memory runs out sooner",
            Flag,
            EngineLevers.Places)
        {
            Tunes = true,
        },
        new(
            "token-budget",
            "tokens per step",
            Effort.Hours,
            "small: trades the first token against the time per token",
            Flag,
            EngineLevers.Budget)
        {
            Tunes = true,
        },
        new(
            "prefix-caching",
            "prefix caching",
            Effort.Hours,
            "timing may tell a tenant that another sent the same prompt",
            Flag,
            EngineLevers.PrefixCaching)
        {
            Void = figures => figures.HitShare > 0 ? null : "no prompt begins like an earlier one",
        },
        new(
            "kv-offload",
            "KV offload to host memory",
            Effort.Days,
            "takes host memory and its bandwidth",
            "a connector of the engine to configure and watch",
            EngineLevers.Offload)
        {
            Void = figures => figures.HitShare > 0 ? null : "no prompt begins like an earlier one",
        },
        new(
            "speculative-decoding",
            "speculative decoding",
            Effort.Days,
            "the saving hangs on the acceptance of the draft: measure it on your prompts",
            "a draft model or heads to find or train, and acceptance to measure",
            EngineLevers.Speculation),
    ];

    /// <summary>What a replica is, and of what.</summary>
    private static Lever[] OfReplicas() =>
    [
        new(
            "eight-bit-weights",
            "weights in eight bits",
            Effort.Days,
            "quality must be measured on your own tasks",
            "a published or calibrated checkpoint, and an evaluation of it",
            PrecisionLevers.EightBits),
        new(
            "kv-precision",
            "KV cache in eight bits",
            Effort.Days,
            "quality must be measured, of long contexts above all",
            "a flag, and an evaluation",
            PrecisionLevers.Cache),
        new(
            FourBits,
            "weights in four bits",
            Effort.Days,
            "quality may fall visibly: the twin cannot tell how much",
            "a calibrated checkpoint, and an evaluation that may say no",
            PrecisionLevers.FourBits)
        {
            Barred = asked => asked.FourBits ? null : "four bits are not allowed here: 'audit: {four_bits: true}'",
        },
        new(
            "tensor-parallelism",
            "GPUs per replica",
            Effort.Hours,
            "fewer GPUs leave less memory for contexts",
            Flag,
            LayoutLevers.TensorParallelism)
        {
            Tunes = true,
        },
        new(
            "expert-parallelism",
            "expert parallelism",
            Effort.Weeks,
            "hot experts and a slow exchange eat the gain; a failure takes the whole replica",
            "a new layout, balancing of experts, and a network to prove",
            LayoutLevers.ExpertParallelism),
        new(
            "disaggregation",
            "prefill and decode apart",
            Effort.Weeks,
            "KV caches must pass fast enough; the split must follow the traffic",
            "two pools, a router that knows them, KV transfer over the network",
            LayoutLevers.Disaggregation)
        {
            Told = (_, fleet) => LayoutLevers.Split(fleet),
        },
        new(
            "gpu",
            "another GPU",
            Effort.Weeks,
            "stock, migration, and a new set of limits",
            "a migration",
            LayoutLevers.OtherGpus),
    ];

    /// <summary>What the fleet and its bill are.</summary>
    private static Lever[] OfFleets() =>
    [
        new(
            "routing",
            "KV-aware routing",
            Effort.Days,
            "a gateway that must see every replica's load",
            "a gateway to put before the engines",
            FleetLevers.Routing),
        new(
            "backfill",
            "batch work in the slack",
            Effort.Days,
            "batch answers come later, within their deadline",
            "classes and deadlines to agree with users",
            FleetLevers.Backfill),
        new(
            "power-cap",
            "power cap",
            Effort.Hours,
            "slower steps; rented machines may not allow it",
            "one command per host, where the host is yours",
            PriceLevers.PowerCap),
        new(
            "scaling",
            "scaling with the load",
            Effort.Days,
            "replicas take minutes to start; none may be had when all want one",
            "images and weights that start fast, and limits to try out",
            FleetLevers.Scaling)
        {
            NeedsHours = true,
        },
        new(
            "commitment",
            "commitment for a year",
            Effort.Hours,
            "paid for its whole term, whatever becomes of demand, prices and models",
            "a contract",
            PriceLevers.Commitment(Billing.Reserved1Year)),
        new(
            "long-commitment",
            "commitment for three years",
            Effort.Hours,
            "outlives the rank of its GPU: a successor may make tokens much cheaper",
            "a contract",
            PriceLevers.Commitment(Billing.Reserved3Year))
        {
            Barred = asked => asked.ThreeYears ? null : "three years are not allowed here: 'audit: {three_years: true}'",
        },
        new(
            "spot",
            "spot machines",
            Effort.Days,
            "taken back at short notice, many at once at worst: chance is taken as independent here",
            "draining on notice, retries, and spares in other zones",
            PriceLevers.Spot),
    ];
}
