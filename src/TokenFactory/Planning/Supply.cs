using TokenFactory.Catalog;
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

    /// <summary>GPUs that are rented together.</summary>
    public int GpusPerInstance { get; init; } = 1;

    /// <summary>GPUs there are; null for as many as one likes.</summary>
    public int? Stock { get; init; }

    /// <summary>It is paid for whether it is used or not: owned machines, commitments already bought.</summary>
    public bool Sunk { get; init; }

    /// <summary>Whether the price may be out of date.</summary>
    public bool Stale { get; init; }

    /// <summary>Hours paid per hour of work: above 1 where restarts after preemptions are paid for.</summary>
    public double WallTimePerWork { get; init; } = 1;

    /// <summary>Share of the time in which the provider has taken it back; 0 for what is not taken back.</summary>
    public double Unavailable { get; init; }

    /// <summary>Dollars that choosing a GPU of it adds to an hour.</summary>
    public UsdPerHour Marginal => Sunk ? default : PerGpu.Value * WallTimePerWork;

    /// <summary>"h100-sxm on-demand Spheron": what stock is counted by, and for people.</summary>
    public string Key => $"{Gpu.Key} {Billing.Text()} {Provider}{(Region.Length > 0 ? " " + Region : "")}{(Sunk ? " bought" : "")}";
}
