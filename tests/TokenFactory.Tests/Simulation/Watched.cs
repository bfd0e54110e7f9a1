using TokenFactory.Fleet;
using TokenFactory.Simulation;

namespace TokenFactory.Tests.Simulation;

/// <summary>A run, and all that could be seen of it.</summary>
internal sealed class Watched
{
    private Watched()
    {
    }

    public List<RequestRow> Rows { get; } = [];

    public List<FleetEvent> Events { get; } = [];

    /// <summary>Pool of each replica.</summary>
    public List<int> Hosts { get; } = [];

    public RunReport Report { get; private set; } = null!;

    public static Watched Run(FleetPlan plan, ulong seed = 7)
    {
        var run = new Watched();
        run.Report = Simulator.Run(plan, seed, new RunHooks
        {
            Row = run.Rows.Add,
            Progress = progress => progress.Seconds < 1_000_000
                ? true
                : throw new InvalidOperationException($"still going at {progress}"),
            Event = one =>
            {
                run.Events.Add(one);
                if (one.Kind == FleetEventKind.Starting)
                    run.Hosts.Add(one.Pool);
            },
        });
        return run;
    }

    public RequestRow Row(long id) => Rows.Single(row => row.Id == id);

    /// <summary>When something first happened to a replica, in seconds.</summary>
    public double When(FleetEventKind kind, int replica) => Events.First(one => one.Kind == kind && one.Replica == replica).At.Seconds;
}
