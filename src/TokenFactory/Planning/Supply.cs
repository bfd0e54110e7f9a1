using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Planning;

/// <summary>GPU-hours that a plan may use: of one kind, bought one way from one provider.</summary>
public sealed record Supply
{
    /// <summary>What is offered.</summary>
    public required Accelerator Gpu { get; init; }

    /// <summary>How it is paid for.</summary>
    public required Billing Billing { get; init; }

    /// <summary>What a GPU-hour costs, with who said so and when.</summary>
    public required Sourced<UsdPerHour> PerGpu { get; init; }

    /// <summary>Who offers it: a provider, "owned", or "given" where the user gave the price.</summary>
    public string Provider { get; init; } = "given";

    /// <summary>Where; empty where nobody said.</summary>
    public string Region { get; init; } = "";

    /// <summary>The provider's name for the machine; empty where nobody said.</summary>
    public string InstanceType { get; init; } = "";

    /// <summary>GPUs that are rented together: fewer are paid for as many.</summary>
    public int GpusPerInstance { get; init; } = 1;

    /// <summary>GPUs of one machine; as many as one likes where nobody says how machines are built.</summary>
    public int GpusPerMachine { get; init; } = int.MaxValue;

    /// <summary>GPUs there are, in all supplies of the same <see cref="StockKey"/>; null for as many as one likes.</summary>
    public int? Stock { get; init; }

    /// <summary>What stock is counted by: supplies that share one take from the same GPUs. Its own key unless given.</summary>
    public string StockKey
    {
        get => field ?? Key;
        init;
    }

    /// <summary>It is paid for whether it is used or not: owned machines, commitments already bought.</summary>
    public bool Sunk { get; init; }

    /// <summary>Whether the price may be out of date.</summary>
    public bool Stale { get; init; }

    /// <summary>Hours paid per hour of work: above 1 where restarts after preemptions are paid for.</summary>
    public double WallTimePerWork { get; init; } = 1;

    /// <summary>Share of the time in which the provider has taken it back; 0 for what is not taken back.</summary>
    public double Unavailable { get; init; }

    /// <summary>Whether a replica can run on it: its GPU, and GPUs that share layers in one machine, up to the usual eight.</summary>
    public bool Hosts(Deployment deployment) =>
        deployment.Gpu.Key == Gpu.Key && Math.Min(deployment.Parallelism.StageGpus, UsualMachine) <= GpusPerMachine;

    /// <summary>
    /// Whether its machines stand beside those of another, so that KV caches can pass between them: the same provider and region.
    /// </summary>
    public bool IsBeside(Supply other) => Provider == other.Provider && Region == other.Region;

    /// <summary>GPUs that are paid for where so many are used: whole instances.</summary>
    public int Paid(int gpus) => (gpus + GpusPerInstance - 1) / GpusPerInstance * GpusPerInstance;

    /// <summary>Which of several offers of the same GPUs, where nothing else tells them apart; empty for the only one.</summary>
    public string Offered { get; init; } = "";

    private const int UsualMachine = 8;

    /// <summary>Dollars that choosing a GPU of it adds to an hour.</summary>
    public UsdPerHour Marginal => Sunk ? default : PerGpu.Value * WallTimePerWork;

    /// <summary>"h100-sxm on-demand Spheron": what machines are counted by, and for people.</summary>
    public string Key => string.Join(' ', ((string[])
    [
        Gpu.Key, Billing.Text(), Provider == Billing.Text() ? "" : Provider, Offered, Region, InstanceType, Sunk && Billing != Billing.Owned ? "bought" : "",
    ]).Where(part => part.Length > 0));
}
