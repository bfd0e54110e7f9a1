namespace TokenFactory.Planning.Schedule;

/// <summary>What a schedule costs, by billing, over all its hours.</summary>
/// <param name="Fixed">Dollars for the commitments that the plan makes.</param>
/// <param name="WhileUsed">Dollars for the use of committed GPUs, sunk ones among them.</param>
/// <param name="OnDemand">Dollars on demand.</param>
/// <param name="Spot">Dollars on spot.</param>
/// <param name="Sunk">Dollars for commitments made before; in no total, as no plan changes them.</param>
public readonly record struct ScheduleCost(double Fixed, double WhileUsed, double OnDemand, double Spot, double Sunk)
{
    /// <summary>Everything that the plan decides about.</summary>
    public double Total => Fixed + WhileUsed + OnDemand + Spot;
}

/// <summary>A plain way to pay, with what it costs.</summary>
/// <param name="Gpus">GPUs committed, by commitment, besides those committed before.</param>
/// <param name="Cost">Over all hours, every hour dispatched as in the schedule.</param>
/// <param name="Unserved">Requests that it leaves.</param>
public sealed record PlainWay(IReadOnlyList<int> Gpus, ScheduleCost Cost, double Unserved);

/// <summary>What to commit to for the year, and what to run in each hour.</summary>
public sealed record YearSchedule
{
    /// <summary>GPUs to commit to, by commitment, besides those committed before.</summary>
    public required IReadOnlyList<int> Committed { get; init; }

    /// <summary>What is used, in the order of the columns of <see cref="Replicas"/>.</summary>
    public required IReadOnlyList<ReplicaUse> Uses { get; init; }

    /// <summary>Replicas in each hour: [hour][use].</summary>
    public required IReadOnlyList<int[]> Replicas { get; init; }

    /// <summary>What it costs over all hours.</summary>
    public required ScheduleCost Cost { get; init; }

    /// <summary>No schedule costs less than this over all hours.</summary>
    public required double Bound { get; init; }

    /// <summary>Requests that no GPU to be had can serve, over all hours; 0 where the demand is met.</summary>
    public double Unserved { get; init; }

    /// <summary>Distance between cost and bound over the cost.</summary>
    public double Gap => Cost.Total <= Bound ? 0 : (Cost.Total - Bound) / Math.Max(1e-12, Cost.Total);

    /// <summary>No new commitment at all.</summary>
    public required PlainWay AllOnDemand { get; init; }

    /// <summary>Commitments for every service's highest hour; null where commitments cannot carry it.</summary>
    public PlainWay? ReservePeak { get; init; }
}
