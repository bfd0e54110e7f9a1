using TokenFactory.Planning.Search;
using TokenFactory.Simulation;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Planning;

/// <summary>Runs fleets in the twin on the user's own traffic, and finds how small one may be.</summary>
internal sealed class TwinCheck(PlanAsk ask, PlanKnowledge knowledge, IReadOnlyList<ServiceSearch> searches, Func<string, bool>? progress)
{
    private const double Finest = 1.02;
    private const int MostHalvings = 5;

    /// <summary>Times the sending of its requests that a run may last where work that can wait might pile up.</summary>
    private const double PilingUp = 1.05;

    private static readonly double[] Smaller = [0.85, 0.7, 0.5, 0.35, 0.25];
    private static readonly double[] Larger = [1.15, 1.4, 1.8, 2.5, 3.5, 5];

    private readonly Dictionary<string, ServiceRun> _runs = new(StringComparer.Ordinal);

    /// <summary>Runs of the twin so far.</summary>
    public int Runs { get; private set; }

    /// <summary>What the twin says of a fleet.</summary>
    public Finalist Of(Finalist finalist) => finalist with
    {
        Runs = [.. searches.Where(search => finalist.Units.Any(chosen => chosen.Unit.Service == search.Index))
            .Select(search => Run(finalist, search))],
    };

    /// <summary>
    /// The smallest fleet of a kind that keeps the promises, or the last one tried where none does; null where there is none at all.
    /// </summary>
    /// <param name="at">The fleet that carries so many times the traffic in closed form; null where limits forbid it.</param>
    public Finalist? Smallest(Func<double, Finalist?> at)
    {
        var first = Try(1);
        if (first is null || (first.Kept && !KeepsUp(first)))
            return first;
        var (kept, broken) = first.Kept ? (first, null) : ((Finalist?)null, first);
        foreach (var factor in first.Kept ? Smaller : Larger)
        {
            if (Try(factor) is not { } next)
                break;
            if (next.Kept && (!first.Kept || KeepsUp(next)))
                kept = next;
            else
                broken = next;
            if (kept is not null && broken is not null)
                break;
        }

        for (var i = 0; i < MostHalvings && kept is not null && broken is not null && kept.Factor / broken.Factor > Finest; i++)
        {
            if (Try(Math.Sqrt(kept.Factor * broken.Factor)) is not { } middle)
                break;
            if (middle.Kept && (!first.Kept || KeepsUp(middle)))
                kept = middle;
            else
                broken = middle;
        }

        return kept ?? broken;

        Finalist? Try(double factor) => at(factor) is { } fleet ? Of(fleet with { Factor = factor }) : null;
    }

    private double Margin(Finalist finalist, ServiceSearch search, string time) => knowledge.Margin is not { } margin
        ? 1
        : finalist.Units.Where(chosen => chosen.Unit.Service == search.Index).Max(chosen => Math.Max(1, margin(search, chosen.Unit, time)));

    /// <summary>
    /// Whether its runs show that a fleet carries the traffic for ever, so that a smaller one may be tried: they last long enough, and work
    /// that can wait is done as fast as it comes. Otherwise the closed form is the better judge of what a fleet needs at least.
    /// </summary>
    private bool KeepsUp(Finalist fleet) => fleet.Runs.All(run => run.Settles
        && (!searches[run.Service].Service.Promises.Any(promise => promise.Interruptible)
            || run.Report.Seconds <= run.SentSeconds * PilingUp));

    private ServiceRun Run(Finalist finalist, ServiceSearch search)
    {
        var pools = finalist.Proven.Pools.Where(pool => pool.Service == search.Service.Name);
        var key = $"{search.Index} " + string.Join(
            ';', pools.Select(pool => $"{Kind(pool.Order)} {pool.Order.Replicas} {pool.HostCacheBytes}"));
        if (_runs.TryGetValue(key, out var known))
            return known;
        Runs++;
        var going = progress?.Invoke(
            $"twin: {search.Service.Name} on "
            + $"{string.Join(", ", pools.Select(pool => $"{pool.Order.Replicas} x {pool.Order.Name}"))}") ?? true;
        if (!going)
            throw new OperationCanceledException("The plan was stopped.");
        var plan = finalist.Proven.Plan(search.Service.Name, First);
        var report = Simulator.Run(plan, ask.Seed, new RunHooks { Progress = _ => progress?.Invoke("") ?? true });
        if (report.Partial)
            throw new OperationCanceledException("The plan was stopped.");
        var promises = search.Service.Promises
            .SelectMany(promise => report.Classes.Where(one => one.Name == promise.Class).SelectMany(promise.Against))
            .Select(promise => promise with { Margin = Margin(finalist, search, promise.Time) }).ToList();
        return _runs[key] = new ServiceRun(search.Index, report, promises)
        {
            MayReject = search.Service.RejectsTooLong,
            SentSeconds = report.Requests.Requests.Arrived / search.Profile.RequestsPerSecond,
        };

        static string Kind(PoolOrder order)
        {
            var d = order.Deployment;
            return $"{d.Gpu.Key} {d.Engine} {d.Weights} {d.Precision.KvCache} {d.Parallelism} "
                + $"{d.TokenBudget} {d.MaxSequences} {d.Speculation} {d.Clock} "
                + $"{order.Role} {order.UsdPerGpuHour}";
        }

        ITraffic First(ulong seed)
        {
            var lasting = Math.Min(PlanAsk.MostTwinRequests, search.Profile.RequestsPerSecond * ask.TwinSeconds);
            return new MergedTraffic([search.Service.Traffic(seed)], (long)Math.Max(ask.TwinRequests, lasting), Instant.Never);
        }
    }
}
