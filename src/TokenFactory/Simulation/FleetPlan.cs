using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <summary>A pool of a simulated fleet.</summary>
public sealed record PoolPlan
{
    /// <summary>What policies know of it.</summary>
    public required PoolFacts Facts { get; init; }

    /// <summary>How its engines schedule.</summary>
    public required EngineSettings Engine { get; init; }

    /// <summary>Replicas that take requests at the beginning.</summary>
    public required int Replicas { get; init; }

    /// <summary>In words.</summary>
    public string What { get; init; } = "";

    /// <summary>"on-demand", "spot", "reserved-1y", "owned".</summary>
    public string Billing { get; init; } = "on-demand";

    /// <summary>Watts of all IT and at the site's meter per GPU from watts per GPU at its board.</summary>
    public required Func<double, (double It, double Facility)> Ladder { get; init; }

    /// <summary>Bytes per second that a replica sends or takes of KV caches.</summary>
    public double LinkBytesPerSecond { get; init; } = 25e9;

    /// <summary>Bytes of the KV cache of a sequence of so many tokens, on all GPUs that hold a part of it.</summary>
    public Func<double, double> KvBytes { get; init; } = tokens => tokens * 1e5;

    /// <summary>Decides how many replicas there should be, anew for each run; null for as many as at the beginning.</summary>
    public Func<IScaler>? Scaler { get; init; }
}

/// <summary>A fleet, its traffic and its policies: everything that a run follows from, beside its seed.</summary>
public sealed record FleetPlan
{
    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>Its pools.</summary>
    public required IReadOnlyList<PoolPlan> Pools { get; init; }

    /// <summary>Its service classes, by the names that the traffic uses.</summary>
    public required IReadOnlyList<ServiceClass> Classes { get; init; }

    /// <summary>Requests of a seed. Called anew for each run.</summary>
    public required Func<ulong, ITraffic> Traffic { get; init; }

    /// <summary>The routing policy, anew for each run: policies may keep tables of what they computed.</summary>
    public required Func<IRouter> Router { get; init; }

    /// <summary>Its name.</summary>
    public string Routing { get; init; } = "";

    /// <summary>Who may fill slack, and when.</summary>
    public BatchFill Fill { get; init; } = new();

    /// <summary>What to do with requests whose replica failed them.</summary>
    public Recovery Recovery { get; init; } = new();

    /// <summary>What goes wrong.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>When no more requests are taken and the run ends, in seconds; null for when all are done.</summary>
    public double? StopSeconds { get; init; }

    /// <summary>Seconds between reports of a replica's load to those who steer; 0 for none.</summary>
    public double ReportSeconds { get; init; } = 5;

    /// <summary>Seconds between decisions of scalers.</summary>
    public double ScaleSeconds { get; init; } = 15;

    /// <summary>Run every engine step by itself: slow, and the same results.</summary>
    public bool StepByStep { get; init; }
}
