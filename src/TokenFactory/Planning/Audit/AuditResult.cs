namespace TokenFactory.Planning.Audit;

/// <summary>One way to pull a lever, tried.</summary>
/// <param name="What">In the words of a scenario.</param>
/// <param name="Fleet">With the fewest replicas that keep the promises; with as many as it may have where none do.</param>
/// <param name="Figures">By seed; of the first seed only, for a way that was not the best.</param>
/// <param name="Broken">The promise that it broke at no more than today's cost; null where it keeps all.</param>
public sealed record LeverTrial(string What, AuditedFleet Fleet, IReadOnlyList<AuditFigures> Figures, string? Broken);

/// <summary>What became of a lever.</summary>
/// <param name="Lever">The lever.</param>
/// <param name="State">Whether it is pulled today.</param>
/// <param name="Reason">Why one thinks so.</param>
public sealed record LeverResult(Lever Lever, LeverState State, string Reason)
{
    /// <summary>What it is worth alone.</summary>
    public LeverVerdict Verdict { get; init; }

    /// <summary>The best way to pull it; null where none was tried.</summary>
    public LeverTrial? Best { get; init; }

    /// <summary>All ways that were tried.</summary>
    public IReadOnlyList<LeverTrial> Tried { get; init; } = [];

    /// <summary>
    /// What it is measured against, by seed: today's fleet for fewer replicas, for all others that fleet without spare replicas.
    /// </summary>
    public IReadOnlyList<AuditFigures> Against { get; init; } = [];

    /// <summary>Why the total does not have it although it helps; null where that is no question.</summary>
    public string? Barred { get; init; }

    /// <summary>Share of the cost that it saves, seed by seed; below zero where it costs more.</summary>
    public IReadOnlyList<double> Savings =>
        Compare((with, without) => without.UsdPerMillion > 0 ? 1 - (with.UsdPerMillion / without.UsdPerMillion) : 0);

    /// <summary>Share of tokens per watt that it gains, seed by seed.</summary>
    public IReadOnlyList<double> Gains =>
        Compare((with, without) => without.TokensPerJoule > 0 ? (with.TokensPerJoule / without.TokensPerJoule) - 1 : 0);

    /// <summary>Mean share of the cost that it saves; 0 where it breaks a promise or was not tried.</summary>
    public double Saving => Verdict is LeverVerdict.Saves or LeverVerdict.SavesWatts ? Savings.DefaultIfEmpty().Average() : 0;

    /// <summary>Mean share of tokens per watt that it gains; 0 where it breaks a promise or was not tried.</summary>
    public double Gain => Verdict is LeverVerdict.Saves or LeverVerdict.SavesWatts ? Gains.DefaultIfEmpty().Average() : 0;

    private IReadOnlyList<double> Compare(Func<AuditFigures, AuditFigures, double> what) =>
        [.. (Best?.Figures ?? []).Join(Against, one => one.Seed, other => other.Seed, what)];
}

/// <summary>A lever pulled after others.</summary>
/// <param name="Lever">The lever.</param>
/// <param name="What">In the words of a scenario.</param>
/// <param name="Fleet">The fleet after it.</param>
/// <param name="Figures">
/// What it comes to by seed: on the stretch on which levers are judged, or on the check where the lever needs hours.
/// </param>
public sealed record TogetherStep(Lever Lever, string What, AuditedFleet Fleet, IReadOnlyList<AuditFigures> Figures);

/// <summary>What an audit found.</summary>
public sealed record AuditResult
{
    /// <summary>Today's fleet.</summary>
    public required AuditedFleet Fleet { get; init; }

    /// <summary>What was asked.</summary>
    public required AuditAsked Asked { get; init; }

    /// <summary>The stretch on which levers are judged.</summary>
    public required Stretch Sample { get; init; }

    /// <summary>The stretch on which today and the total are compared.</summary>
    public required Stretch Check { get; init; }

    /// <summary>Today's figures on the check, by seed.</summary>
    public IReadOnlyList<AuditFigures> Today { get; init; } = [];

    /// <summary>
    /// What each class keeps of its promises today, on the check, of all seeds: name, whether anything is promised, share.
    /// </summary>
    public IReadOnlyList<(string Class, bool Promised, double Kept)> Classes { get; init; } = [];

    /// <summary>Today's fleet without the replicas that its promises do not need.</summary>
    public AuditedFleet? Cut { get; init; }

    /// <summary>Its figures on the check, by seed.</summary>
    public IReadOnlyList<AuditFigures> CutFigures { get; init; } = [];

    /// <summary>Its figures on the stretch on which levers are judged, by seed.</summary>
    public IReadOnlyList<AuditFigures> CutSample { get; init; } = [];

    /// <summary>The levers, those that save first, the most saving before.</summary>
    public IReadOnlyList<LeverResult> Levers { get; init; } = [];

    /// <summary>The levers that help together, in the order in which they were pulled.</summary>
    public IReadOnlyList<TogetherStep> Steps { get; init; } = [];

    /// <summary>The fleet with all of them; null where nothing helps, or the audit was stopped.</summary>
    public AuditedFleet? Best { get; init; }

    /// <summary>Its figures on the check, by seed.</summary>
    public IReadOnlyList<AuditFigures> BestFigures { get; init; } = [];

    /// <summary>The promise that it breaks on the check, which the stretch did not show; null where it keeps all.</summary>
    public string? BestBroken { get; init; }

    /// <summary>Whether it was stopped before its end.</summary>
    public bool Stopped { get; init; }

    /// <summary>Runs of the twin.</summary>
    public int Runs { get; init; }

    /// <summary>Requests of all of them.</summary>
    public long Requests { get; init; }

    /// <summary>Whether anything is promised to anybody.</summary>
    public bool Promised => Classes.Any(one => one.Promised);

    /// <summary>Dollars per million that a lever saves alone, at the scale of the check.</summary>
    public double UsdSaved(LeverResult lever) =>
        lever.Saving * (lever.Lever.Key == Audit.Levers.Replicas ? Mean(Today) : Mean(CutFigures.Count > 0 ? CutFigures : Today));

    /// <summary>Mean dollars per million output tokens.</summary>
    public static double Mean(IReadOnlyList<AuditFigures> figures) => Mean(figures, one => one.UsdPerMillion);

    /// <summary>Mean of a figure over seeds; 0 without any.</summary>
    public static double Mean(IReadOnlyList<AuditFigures> figures, Func<AuditFigures, double> of) =>
        figures.Select(of).DefaultIfEmpty().Average();
}
