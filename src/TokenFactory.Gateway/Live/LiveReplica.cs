using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// One replica as the gateway sees it. To policies it is ready or it is not: a replica that is broken, put aside, unreachable or drained is
/// told to them as draining, and as ready when it is back.
/// </summary>
public sealed class LiveReplica
{
    private const string Ready = "ready";

    private readonly WallClock _clock;
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Shown _shown = new("starting", "not looked at yet");

    internal LiveReplica(
        ReplicaState state, string name, Uri address, PoolSetup pool, PoolMeter meters, HealthSetup health, WallClock clock)
    {
        (Known, Name, Address, Pool, Meters, Circuit, _clock) = (state, name, address, pool, meters, new Circuit(health), clock);
    }

    /// <summary>Its number in the fleet, never given to another.</summary>
    public int Index => Known.Index;

    /// <summary>Its name, unique in the factory.</summary>
    public string Name { get; }

    /// <summary>Its pool.</summary>
    public PoolSetup Pool { get; }

    /// <summary>Where it answers.</summary>
    public Uri Address { get; }

    /// <summary>Whether it computes in truth or only as the model says.</summary>
    public bool IsVirtual => Pool.Engine == EngineKind.Virtual;

    /// <summary>"ready", "starting", "draining", "drained", "broken", "outlier" or "unreachable".</summary>
    public string State => _shown.State;

    /// <summary>Whether it takes requests.</summary>
    public bool IsReady => State == Ready;

    /// <summary>Why, in words; empty while it is ready and has its full share.</summary>
    public string Why => _shown.Why;

    /// <summary>Requests sent to it and not ended.</summary>
    public int InFlight => Known.InFlight;

    /// <summary>Requests that its engine computed at its last report.</summary>
    public int Running => Known.ReportedRunning;

    /// <summary>Requests that waited in its engine at its last report.</summary>
    public int Waiting => Known.ReportedWaiting;

    /// <summary>Share of its KV cache that requests held at its last report, 0 to 1.</summary>
    public double KvHeld => Known.ReportedKvHeld;

    /// <summary>Seconds since the last good look; null before any.</summary>
    public double? ReportAgeSeconds => LookedAt is { } at ? Math.Max(0, (_clock.Now - at).Seconds) : null;

    internal ReplicaState Known { get; }

    internal PoolMeter Meters { get; }

    internal Circuit Circuit { get; }

    /// <summary>Its meter; null before it was first there.</summary>
    internal WorkMeter? Meter { get; set; }

    /// <summary>What its meter showed when a record was last cut, and when.</summary>
    internal (MeterTotals Totals, Instant At) Cut { get; set; }

    /// <summary>Ends its looks.</summary>
    internal CancellationTokenSource Leaves { get; } = new();

    /// <summary>Ends when it is gone.</summary>
    internal Task Left => _left.Task;

    internal Instant? LookedAt { get; set; }

    /// <summary>Bad looks in a row.</summary>
    internal int BadLooks { get; set; }

    /// <summary>The last look, or one not long ago, was good.</summary>
    internal bool Reachable { get; set; }

    /// <summary>What the last bad look found.</summary>
    internal string LookWords { get; set; } = "not looked at yet";

    /// <summary>What the last failed request met.</summary>
    internal string FailWords { get; set; } = "";

    /// <summary>An operator drains it.</summary>
    internal bool Drained { get; set; }

    /// <summary>It goes when it has nothing more to do, or at this instant.</summary>
    internal Instant? GoesBy { get; set; }

    /// <summary>When it went.</summary>
    internal Instant LeftAt { get; set; }

    /// <summary>Until when it is put aside for being slow, and why.</summary>
    internal (Instant Until, string Words)? Aside { get; set; }

    /// <summary>Until when it was last put aside.</summary>
    internal Instant AsideUntil { get; set; }

    /// <summary>How often in a row it was put aside.</summary>
    internal int Asides { get; set; }

    /// <summary>Since when it gets its share little by little; null where it has all of it.</summary>
    internal Instant? EasesSince { get; set; }

    /// <summary>The request that tries a half-open circuit.</summary>
    internal Leg? Trial { get; set; }

    internal bool Gone => Known.Phase == ReplicaPhase.Gone;

    internal bool Usable => Reachable && !Drained && GoesBy is null && Aside is null && Circuit.OpenUntil is null;

    /// <summary>It is gone: nobody looks at it any more.</summary>
    internal void Leave()
    {
        _ = Leaves.CancelAsync(); // whoever tells this holds a lock
        _left.TrySetResult();
    }

    /// <summary>Whether another stands for the same engine: by its address, or, where it is virtual, by its name.</summary>
    internal bool IsSameAs(LiveReplica other) => IsVirtual && other.IsVirtual ? Name == other.Name : Address == other.Address;

    /// <summary>Says anew what state it is in.</summary>
    internal void Show(HealthSetup health) => _shown = this switch
    {
        { Gone: true } => new("drained", "it has left the fleet"),
        { GoesBy: not null } => new("draining", "it leaves the fleet"),
        { Drained: true } => new(InFlight > 0 ? "draining" : "drained", "drained by an operator"),
        { Reachable: false, LookedAt: null } when BadLooks < health.Failures => new("starting", LookWords),
        { Reachable: false } => new("unreachable", LookWords),
        { Circuit.OpenUntil: not null } => new("broken", BrokenWords()),
        { Aside: { } aside } => new("outlier", aside.Words),
        { Circuit.HalfOpen: true } => new(Ready, "one request tries whether it answers again"),
        { EasesSince: not null } => new(Ready, $"it came not long ago and gets its share over {health.SlowStartSeconds:0.#} s"),
        _ => new(Ready, ""),
    };

    private string BrokenWords() =>
        $"{Circuit.Failures} requests failed in a row, the last: {FailWords}; tried again after {Circuit.OpenSeconds:0.#} s";

    /// <summary>Cuts what its meter showed since the last cut; null where no time has passed that it counts.</summary>
    internal MeterRecord? TakeMeter(string model, Instant now)
    {
        if (Meter is null || now <= Cut.At || Meter.Totals == Cut.Totals)
            return null;
        var (totals, before, from) = (Meter.Totals, Cut.Totals, Cut.At);
        Cut = (totals, now);
        return new MeterRecord
        {
            Replica = Name,
            Pool = Pool.Facts.Name,
            Model = model,
            From = from,
            To = now,
            BusySeconds = totals.BusySeconds - before.BusySeconds,
            Paid = Between(before.UsdPaid, totals.UsdPaid),
            Idle = Between(before.UsdIdle, totals.UsdIdle),
            Joules = totals.Joules - before.Joules,
            IdleJoules = totals.IdleJoules - before.IdleJoules,
            JoulesAt = "board",
            JoulesFrom = "estimated",
        };
    }

    /// <summary>Differences of rounded sums, so that roundings do not add up.</summary>
    private static Usd Between(double from, double to) => new(Rounded(to) - Rounded(from));

    private static decimal Rounded(double usd) => Math.Round((decimal)usd, 9);

    private sealed record Shown(string State, string Why);
}
