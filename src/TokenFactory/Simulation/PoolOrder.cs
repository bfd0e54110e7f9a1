using TokenFactory.Catalog;
using TokenFactory.Economics;
using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <summary>A pool as somebody asks for it: a deployment, how many, at what price.</summary>
public sealed record PoolOrder
{
    /// <summary>Bytes per second of a GPU's link to other machines where its data sheet names none: 200 Gbit/s.</summary>
    private const double UsualLink = 25e9;

    /// <summary>What KV transfers reach of a link.</summary>
    private const double LinkEfficiency = 0.8;

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>One of its replicas.</summary>
    public Deployment Deployment => Model.Deployment;

    /// <summary>How long the steps of a replica take and what they draw.</summary>
    public required ReplicaModel Model { get; init; }

    /// <summary>Assumptions about sites, for watts beyond the board.</summary>
    public required SiteDefaults Site { get; init; }

    /// <summary>What a replica does.</summary>
    public ReplicaRole Role { get; init; }

    /// <summary>Replicas at the beginning.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Fewest replicas.</summary>
    public int? Least { get; init; }

    /// <summary>Most replicas.</summary>
    public int? Most { get; init; }

    /// <summary>Dollars per hour and GPU.</summary>
    public double UsdPerGpuHour { get; init; }

    /// <summary>How it is billed.</summary>
    public string Billing { get; init; } = "on-demand";

    /// <summary>Seconds until a machine is there.</summary>
    public double ProvisionSeconds { get; init; } = 120;

    /// <summary>Bytes per second at which a GPU takes in its weights.</summary>
    public double LoadBytesPerSecond { get; init; } = 1e9;

    /// <summary>Seconds to warm up: compile, capture graphs, a first request.</summary>
    public double WarmSeconds { get; init; } = 60;

    /// <summary>How the engine schedules; null for what it does by default.</summary>
    public EngineSettings? Engine { get; init; }

    /// <summary>Decides how many replicas there should be, anew for each run; null for as many as at the beginning.</summary>
    public Func<IScaler>? Scaler { get; init; }

    /// <summary>Facility over IT power; null for what is usual with the accelerator.</summary>
    public Sourced<Pue>? Pue { get; init; }

    /// <summary>Bytes per second that a GPU sends or takes of KV caches; null for its data sheet's link.</summary>
    public double? LinkBytesPerSecond { get; init; }

    /// <summary>Seconds from ordering a replica until it takes requests: provision, load weights, warm up.</summary>
    public double StartSeconds => ProvisionSeconds + (new KvCapacity(Deployment).Memory.Weights / LoadBytesPerSecond) + WarmSeconds;

    /// <summary>The pool as the twin runs it.</summary>
    public PoolPlan Plan()
    {
        var (d, capacity) = (Deployment, new KvCapacity(Deployment));
        var engine = Engine ?? EngineSettings.Of(d);
        var cache = capacity.Paged(engine.BlockTokens);
        var blocks = (double)(engine.Blocks ?? cache.Blocks) * d.AttentionGroups;
        var link = d.Gpu.ScaleOut?.Value.Value ?? d.Gpu.ScaleUp?.Value.Value ?? UsualLink;
        return new PoolPlan
        {
            Facts = new PoolFacts
            {
                Name = Name,
                Role = Role,
                Model = Model,
                UsdPerHour = UsdPerGpuHour * d.Gpus,
                KvTokens = cache.Grows ? blocks * engine.BlockTokens : blocks / cache.FixedBlocks * engine.ContextTokens,
                LongestTokens = Math.Min(
                    engine.ContextTokens, cache.Grows ? ((engine.Blocks ?? cache.Blocks) - cache.FixedBlocks) * engine.BlockTokens : long.MaxValue),
                // The next static batch gathers at the engine while the last one runs.
                MaxSequences = engine.MaxSequences * d.AttentionGroups * (engine.StaticBatches ? 2 : 1),
                StartSeconds = StartSeconds,
                Least = Least ?? (Scaler is null ? Replicas : 1),
                Most = Most ?? (Scaler is null ? Replicas : int.MaxValue),
            },
            Engine = engine,
            Replicas = Replicas,
            What = $"{d.Gpus} x {d.Gpu.Name}, {d.Model.Key} {d.Weights.Word()} {d.Parallelism}, {d.Engine}",
            Billing = Billing,
            Ladder = Ladder(d.Gpu, Site, Pue ?? Site.PueOf(d.Gpu)),
            LinkBytesPerSecond = (LinkBytesPerSecond ?? (link * LinkEfficiency)) * d.Gpus,
            KvBytes = tokens => capacity.BytesPerSequence(tokens) * d.Parallelism.Tensor * d.Parallelism.Pipeline,
            Scaler = Scaler,
        };
    }

    private static Func<double, (double It, double Facility)> Ladder(Accelerator gpu, SiteDefaults site, Sourced<Pue> pue)
    {
        var from = gpu.Tdp?.From ?? pue.From;
        return board =>
        {
            var power = new Sourced<Power>(new Power(new Watts(board), PowerBoundary.Board), from);
            var ladder = PowerLadder.Climb(gpu, power, site, pue);
            return (ladder.It!.Value.Value.Watts.Value, ladder.Facility.Value.Watts.Value);
        };
    }
}
