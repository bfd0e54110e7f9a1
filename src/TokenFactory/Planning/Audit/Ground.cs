using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>A run of a fleet, and the promise that it broke.</summary>
/// <param name="Figures">What it came to; of what ran, where it was given up.</param>
/// <param name="Broken">The broken promise in words; null where all are kept.</param>
public sealed record Ran(AuditFigures Figures, string? Broken);

/// <summary>Counts runs of the twin, and asks between them whether to go on.</summary>
/// <param name="progress">Called often; returns whether to go on. Null for nobody.</param>
internal sealed class RunCounter(Func<AuditProgress, bool>? progress)
{
    private long _before;

    /// <summary>What is tried, in words.</summary>
    public string What { get; set; } = "";

    /// <summary>Whether it was asked to stop.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Runs so far.</summary>
    public int Runs { get; private set; }

    /// <summary>Requests of all runs so far.</summary>
    public long Requests { get; private set; }

    /// <summary>A run is under way.</summary>
    public bool GoOn(RunProgress now)
    {
        Requests = _before + now.Ended;
        Stopped |= progress?.Invoke(new AuditProgress(What, Runs, Requests)) == false;
        return !Stopped;
    }

    /// <summary>A run is over.</summary>
    public void Add(RunReport run)
    {
        _before += run.Requests.Requests.Arrived;
        (Runs, Requests) = (Runs + 1, _before);
    }
}

/// <summary>Where fleets are tried: a stretch of the traffic, seeds, and what today's fleet keeps under each of them.</summary>
internal sealed class Ground(Stretch stretch, RunCounter counter)
{
    /// <summary>Share of a run in which requests must arrive for it to count as traffic that goes on.</summary>
    private const double Ongoing = 0.5;

    private readonly Dictionary<ulong, PromiseFloors> _floors = [];
    private readonly Dictionary<ulong, double> _ongoing = [];

    /// <summary>The stretch.</summary>
    public Stretch Stretch => stretch;

    /// <summary>Runs today's fleet, which sets what others must keep; null where it was stopped.</summary>
    /// <param name="today">Today's fleet.</param>
    /// <param name="seeds">The seeds.</param>
    /// <param name="share">Share of each class that must keep its promises.</param>
    public IReadOnlyList<RunReport>? Begin(AuditedFleet today, IReadOnlyList<ulong> seeds, double share)
    {
        var runs = new List<RunReport>();
        foreach (var seed in seeds)
        {
            var run = Simulator.Run(Under(today), seed, new RunHooks { Progress = counter.GoOn });
            counter.Add(run);
            if (counter.Stopped)
                return null;
            _floors[seed] = new PromiseFloors(run, share);
            _ongoing[seed] = !stretch.IsClosed && stretch.Seconds >= Ongoing * run.Seconds ? run.Seconds : 0;
            runs.Add(run);
        }

        return runs;
    }

    /// <summary>Runs a variant until it is over or lost; null where it was stopped.</summary>
    public Ran? Try(AuditedFleet fleet, ulong seed)
    {
        if (counter.Stopped)
            return null;
        var watch = _floors[seed].Watching();
        var run = Simulator.Run(Under(fleet), seed, new RunHooks
        {
            Row = row => watch.Row(row),
            Progress = now =>
            {
                watch.At(now.Seconds);
                return counter.GoOn(now) && watch.Lost is null;
            },
        });
        counter.Add(run);
        if (counter.Stopped)
            return null;
        return new Ran(AuditFigures.Of(run, _ongoing[seed]), run.Partial ? watch.Lost : _floors[seed].Broken(run));
    }

    private FleetPlan Under(AuditedFleet fleet) => stretch.Under(fleet.Plan());
}
