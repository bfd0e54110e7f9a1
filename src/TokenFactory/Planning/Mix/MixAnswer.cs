namespace TokenFactory.Planning.Mix;

/// <summary>What one more unit of a limit is worth, in the linear relaxation: counts not yet rounded to whole replicas.</summary>
/// <param name="Limit">Which limit.</param>
/// <param name="PerUnit">
/// By how much the objective improves per unit more (a GPU, a watt, a dollar an hour). Of demand: by how much it worsens per request a
/// second more.
/// </param>
public readonly record struct MixPrice(MixLimit Limit, double PerUnit);

/// <summary>A change that makes an infeasible problem feasible.</summary>
/// <param name="Limit">The limit to move up; of demand: to scale down.</param>
/// <param name="By">The least amount that works, in the limit's unit; of demand: the share to drop.</param>
/// <param name="Proven">Whether nothing less works; else the search was cut short.</param>
public readonly record struct MixRelaxation(MixLimit Limit, double By, bool Proven);

/// <summary>Why there is no mix.</summary>
public sealed record MixInfeasibility
{
    /// <summary>Buckets that no amount of anything can serve.</summary>
    public IReadOnlyList<MixLimit> Hopeless { get; init; } = [];

    /// <summary>Single changes, each of which is enough.</summary>
    public IReadOnlyList<MixRelaxation> Alone { get; init; } = [];

    /// <summary>Changes that are enough together, where none is alone: of least sum, each relative to its limit.</summary>
    public IReadOnlyList<MixRelaxation> Together { get; init; } = [];
}

/// <summary>The best mix, or why there is none.</summary>
public sealed record MixAnswer
{
    /// <summary>Replicas of each option; empty where there is no mix.</summary>
    public IReadOnlyList<int> Replicas { get; init; } = [];

    /// <summary>Requests a second of each bucket on each option: [bucket][option].</summary>
    public IReadOnlyList<IReadOnlyList<double>> Assigned { get; init; } = [];

    /// <summary>Dollars an hour, watts, or minus the profit an hour: the less the better.</summary>
    public double Objective { get; init; } = double.PositiveInfinity;

    /// <summary>Dollars an hour that the plan decides about.</summary>
    public double UsdPerHour { get; init; }

    /// <summary>Dollars an hour that are paid for these replicas.</summary>
    public double PaidUsdPerHour { get; init; }

    /// <summary>Watts at the site's meter.</summary>
    public double Watts { get; init; }

    /// <summary>Dollars an hour that the answered requests bring.</summary>
    public double RevenueUsdPerHour { get; init; }

    /// <summary>No mix has an objective below this.</summary>
    public double Bound { get; init; } = double.NegativeInfinity;

    /// <summary>Distance between objective and bound over the objective.</summary>
    public double Gap { get; init; } = double.PositiveInfinity;

    /// <summary>Whether it is proven that no mix is better; or, without one, that there is none.</summary>
    public bool Proven { get; init; }

    /// <summary>Linear programmes solved.</summary>
    public int Nodes { get; init; }

    /// <summary>What the limits and the demand are worth.</summary>
    public IReadOnlyList<MixPrice> Prices { get; init; } = [];

    /// <summary>Limits that cost something: those with a price, and those with too little left for one replica more.</summary>
    public IReadOnlyList<MixLimit> Binding { get; init; } = [];

    /// <summary>Why there is no mix; null where there is one.</summary>
    public MixInfeasibility? Infeasible { get; init; }

    /// <summary>Whether there is a mix.</summary>
    public bool Found => Replicas.Count > 0;
}
