namespace TokenFactory.Planning.Audit;

/// <summary>Whether a lever is pulled today.</summary>
public enum LeverState
{
    /// <summary>It is pulled already.</summary>
    On,

    /// <summary>It is not pulled, and could be.</summary>
    Off,

    /// <summary>It means nothing to this fleet.</summary>
    NotApplicable,
}

/// <summary>How long it takes a team that runs such a fleet to pull a lever, by our judgement.</summary>
public enum Effort
{
    /// <summary>A flag, a price sheet, a restart.</summary>
    Hours,

    /// <summary>Something to build, measure and roll out.</summary>
    Days,

    /// <summary>A new architecture of the service.</summary>
    Weeks,
}

/// <summary>One way to pull a lever.</summary>
/// <param name="What">In the words of a scenario: "precision: fp8, tp: 2".</param>
/// <param name="Fleet">The fleet then, with as many replicas as cost no more than today's.</param>
public sealed record LeverChange(string What, AuditedFleet Fleet);

/// <summary>What is to be said of a lever before anything is tried.</summary>
/// <param name="State">Whether it is pulled.</param>
/// <param name="Reason">Why one thinks so, in words.</param>
/// <param name="Changes">The ways to pull it; empty unless it is off.</param>
public sealed record LeverAnswer(LeverState State, string Reason, IReadOnlyList<LeverChange> Changes)
{
    /// <summary>It is pulled already.</summary>
    public static LeverAnswer On(string reason) => new(LeverState.On, reason, []);

    /// <summary>It means nothing here.</summary>
    public static LeverAnswer No(string reason) => new(LeverState.NotApplicable, reason, []);

    /// <summary>It is not pulled; without any way to pull it, it means nothing here.</summary>
    /// <param name="reason">What is today.</param>
    /// <param name="changes">The ways, null where one is impossible.</param>
    /// <param name="otherwise">Why there is none.</param>
    public static LeverAnswer Off(string reason, IEnumerable<LeverChange?> changes, string otherwise)
    {
        IReadOnlyList<LeverChange> possible = [.. changes.OfType<LeverChange>()];
        return possible.Count > 0 ? new(LeverState.Off, reason, possible) : No(otherwise);
    }
}

/// <summary>Where a lever is judged: what was asked, and which stretches of the traffic are simulated.</summary>
/// <param name="Asked">What was asked.</param>
/// <param name="Sample">The stretch on which levers are judged.</param>
/// <param name="Check">The stretch on which the whole is compared.</param>
public sealed record AuditScene(AuditAsked Asked, Stretch Sample, Stretch Check);

/// <summary>Something that may make tokens cheaper.</summary>
/// <param name="Key">As it is named in files: "prefix-caching".</param>
/// <param name="Name">As people call it.</param>
/// <param name="Effort">How long it takes to pull.</param>
/// <param name="Risk">What may go wrong, in words.</param>
/// <param name="Basis">What the judgement of effort and risk rests on.</param>
/// <param name="Judge">Whether a fleet has pulled it, and how it could.</param>
public sealed record Lever(
    string Key, string Name, Effort Effort, string Risk, string Basis, Func<AuditedFleet, AuditScene, LeverAnswer> Judge)
{
    /// <summary>A setting with a best value rather than a switch: where nothing is better than today's, it is on.</summary>
    public bool Tunes { get; init; }

    /// <summary>It needs the whole traffic, as its effect comes with the hours: it is judged there, and pulled last.</summary>
    public bool NeedsHours { get; init; }

    /// <summary>What a run with the lever pulled says of its meaning nothing here; null where it says no such thing.</summary>
    public Func<AuditFigures, string?> Void { get; init; } = _ => null;

    /// <summary>A change in words, once it is known how many replicas it takes.</summary>
    public Func<LeverChange, AuditedFleet, string> Told { get; init; } = (change, _) => change.What;

    /// <summary>Why the total may not have it; null where it may.</summary>
    public Func<AuditAsked, string?> Barred { get; init; } = _ => null;
}
