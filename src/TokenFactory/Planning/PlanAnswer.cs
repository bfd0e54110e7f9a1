using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>What keeps a plan from being found.</summary>
public enum Obstacle
{
    /// <summary>The model fits on nothing that is on offer.</summary>
    Memory,

    /// <summary>A request is longer than the model is made for.</summary>
    Context,

    /// <summary>Not even a lone request keeps the promise on first tokens.</summary>
    Ttft,

    /// <summary>Not even a lone request keeps the promise on the time per output token.</summary>
    Tpot,

    /// <summary>Not even a lone request keeps the promise on whole answers.</summary>
    EndToEnd,

    /// <summary>There are not enough GPUs.</summary>
    Stock,

    /// <summary>The budget is too small.</summary>
    Budget,

    /// <summary>The site's power, or the carbon limit, is too small.</summary>
    Power,

    /// <summary>There is more demand than the limits allow to serve.</summary>
    Demand,

    /// <summary>Only capacity that is taken away more often than the promise tolerates could serve it.</summary>
    Spot,

    /// <summary>No machine on offer holds a replica that keeps the promise, or its other half stands elsewhere.</summary>
    Machines,

    /// <summary>No fleet of the closed form keeps the promises in the twin.</summary>
    Twin,
}

/// <summary>What makes a plan infeasible, and the smallest change that would do.</summary>
/// <param name="Obstacle">What it is.</param>
/// <param name="Service">The service that it concerns; empty for all.</param>
/// <param name="Class">The class that it concerns; empty for all.</param>
/// <param name="Given">The promise or limit as it is, in seconds, GPUs, dollars per month or watts.</param>
/// <param name="Needed">The smallest that works, in the same unit; null where none does or nobody knows.</param>
/// <param name="On">What it would take then, in words of keys: "8 x b200 fp8 TP8"; empty where that is not known.</param>
public sealed record Infeasibility(Obstacle Obstacle, string Service, string Class, double Given, double? Needed, string On);

/// <summary>What a planner answers.</summary>
public sealed record PlanAnswer
{
    /// <summary>What was asked.</summary>
    public required PlanAsk Ask { get; init; }

    /// <summary>What the sweep found, service by service.</summary>
    public required IReadOnlyList<ServiceSearch> Searches { get; init; }

    /// <summary>Fleets that were looked at to the end, the best first; those that do not keep the promises last.</summary>
    public required IReadOnlyList<Finalist> Finalists { get; init; }

    /// <summary>Fleets of one kind of unit as the closed form sees them, the best first; empty for several services.</summary>
    public required IReadOnlyList<Finalist> Alternatives { get; init; }

    /// <summary>Why there is no plan; empty where there is one.</summary>
    public IReadOnlyList<Infeasibility> Infeasible { get; init; } = [];

    /// <summary>Runs of the twin.</summary>
    public int TwinRuns { get; init; }

    /// <summary>The plan; null where there is none.</summary>
    public Finalist? Best => Infeasible.Count == 0 && Finalists.Count > 0 ? Finalists[0] : null;
}
