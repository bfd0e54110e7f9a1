namespace TokenFactory.Planning.Schedule;

/// <summary>What a service asks for, hour by hour.</summary>
/// <param name="Name">The service.</param>
/// <param name="Firm">Requests a second that must not be interrupted, by hour.</param>
/// <param name="Interruptible">Requests a second that may be, by hour.</param>
public sealed record ServiceHours(string Name, IReadOnlyList<double> Firm, IReadOnlyList<double> Interruptible)
{
    /// <summary>Requests a second of both kinds in an hour.</summary>
    public double All(int hour) => Firm[hour] + Interruptible[hour];

    /// <summary>Requests a second of both kinds in the highest hour.</summary>
    public double Peak => Enumerable.Range(0, Firm.Count).Select(All).DefaultIfEmpty(0).Max();

    /// <summary>Constant rates times a multiplier for each hour.</summary>
    public static ServiceHours Of(string name, double firm, double interruptible, IReadOnlyList<double> multipliers) =>
        new(name, [.. multipliers.Select(factor => firm * factor)], [.. multipliers.Select(factor => interruptible * factor)]);
}

/// <summary>A replica of a service: GPUs in some shape, and what they can serve at the promise.</summary>
/// <param name="Name">What it is called in answers.</param>
/// <param name="Service">The service.</param>
/// <param name="Gpu">Key of the accelerator.</param>
/// <param name="Gpus">GPUs of a replica.</param>
/// <param name="RequestsPerSecond">What a replica serves, of the service's usual mix.</param>
public sealed record ScheduleShape(string Name, string Service, string Gpu, int Gpus, double RequestsPerSecond);

/// <summary>What a GPU costs by the hour.</summary>
/// <param name="Gpu">Key of the accelerator.</param>
/// <param name="OnDemand">Dollars per GPU-hour on demand; null where there is none.</param>
/// <param name="Spot">
/// Dollars per useful GPU-hour on spot, restarts paid for; null where there is none. For interruptible work only.
/// </param>
/// <param name="MostGpus">GPUs to be had by the hour at once, on demand and spot together; null for any number.</param>
public sealed record HourlyGpu(string Gpu, double? OnDemand, double? Spot = null, int? MostGpus = null);

/// <summary>GPUs paid for in every hour, used or not, by whatever service.</summary>
/// <param name="Name">"reserved-1y", "owned".</param>
/// <param name="Gpu">Key of the accelerator.</param>
/// <param name="Fixed">Dollars per GPU and hour, always.</param>
/// <param name="WhileUsed">Dollars per GPU and hour of use: energy of owned hardware, nothing for a reservation.</param>
/// <param name="Already">GPUs that are committed to and paid for whatever is decided: sunk.</param>
/// <param name="Most">GPUs that can be committed to besides; null for any number.</param>
public sealed record GpuCommitment(string Name, string Gpu, double Fixed, double WhileUsed = 0, int Already = 0, int? Most = null);

/// <summary>Demand hour by hour, and the ways to meet it.</summary>
public sealed record ScheduleProblem
{
    /// <summary>The services; all have as many hours.</summary>
    public required IReadOnlyList<ServiceHours> Services { get; init; }

    /// <summary>Replicas that can be run.</summary>
    public required IReadOnlyList<ScheduleShape> Shapes { get; init; }

    /// <summary>GPUs by the hour.</summary>
    public required IReadOnlyList<HourlyGpu> Hourly { get; init; }

    /// <summary>GPUs by commitment.</summary>
    public IReadOnlyList<GpuCommitment> Commitments { get; init; } = [];

    /// <summary>How many hours there are.</summary>
    public int Hours => Services.Count == 0 ? 0 : Services[0].Firm.Count;
}

/// <summary>How a replica in use is paid for.</summary>
/// <param name="Shape">Which replica.</param>
/// <param name="Commitment">Number of the commitment whose GPUs it takes; below zero for GPUs by the hour.</param>
/// <param name="Spot">Whether those are spot.</param>
public readonly record struct ReplicaUse(int Shape, int Commitment, bool Spot)
{
    /// <summary>Whether its GPUs are rented on demand.</summary>
    public bool OnDemand => Commitment < 0 && !Spot;
}
