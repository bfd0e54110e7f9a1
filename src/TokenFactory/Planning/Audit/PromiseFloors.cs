using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>
/// What a variant must keep, from a run of today's fleet under the same seed: of each class the share asked for, or where fewer keep
/// their promises today, as many as today. Where nothing is promised to anybody, the work must be done as soon as today.
/// </summary>
public sealed class PromiseFloors
{
    /// <summary>Points by which a class whose promises do not hold today may differ by chance.</summary>
    private const double Slack = 0.005;

    /// <summary>Points by which a class without promises may have fewer answers.</summary>
    private const double UnansweredSlack = 0.001;

    /// <summary>Times today's length that a run may last where nothing is promised.</summary>
    private const double LongestRun = 1.02;

    /// <summary>
    /// How far beyond what may break a class must be for its run to be given up: fast fleets may be sent more by closed loops.
    /// </summary>
    private const double GivenUpAt = 1.5;

    private readonly Dictionary<string, (double Floor, bool Promised, long Arrived)> _classes = new(StringComparer.Ordinal);
    private readonly double _longest = double.PositiveInfinity;

    /// <summary>Floors from today's run.</summary>
    /// <param name="today">The run.</param>
    /// <param name="share">Share that must be kept where it is kept today.</param>
    public PromiseFloors(RunReport today, double share)
    {
        foreach (var one in today.Classes)
        {
            var promised = one.Class is { Promises: true };
            var now = promised ? one.KeptShare : Answered(one);
            var floor = !promised ? now - UnansweredSlack : now >= share ? share : now - Slack;
            _classes[one.Name] = (floor, promised, one.Requests.Arrived);
        }

        if (!today.Classes.Any(one => one.Class is { Promises: true }))
            _longest = today.Seconds * LongestRun;
    }

    /// <summary>The promise that a whole run broke, in words; null where all are kept.</summary>
    public string? Broken(RunReport run)
    {
        foreach (var one in run.Classes)
        {
            if (!_classes.TryGetValue(one.Name, out var must) || one.Requests.Arrived == 0)
                continue;
            var now = must.Promised ? one.KeptShare : Answered(one);
            if (now < must.Floor)
                return $"{one.Name}: {now:0.0%} {(must.Promised ? "kept" : "answered")}{Most(one)}";
        }

        return run.Seconds > _longest ? $"the work takes {run.Seconds / _longest * LongestRun:0.##} times as long as today" : null;
    }

    /// <summary>Watches a run, so that one that is lost already is not run to its end.</summary>
    public Watch Watching() => new(this);

    private static double Answered(RequestReport one)
    {
        var over = one.Requests.Arrived - one.Requests.Waiting - one.Requests.Running;
        return over > 0 ? (double)one.Requests.Completed / over : 1;
    }

    private static string Most(RequestReport one)
    {
        if (one.Class is not { } promised)
            return "";
        (string What, double Share)[] all =
        [
            ("the first token", one.Ttft.P99 / promised.TtftSeconds ?? 0),
            ("the time per token", one.Tpot.P99 / promised.TpotSeconds ?? 0),
            ("the whole answer", one.EndToEnd.P99 / promised.EndToEndSeconds ?? 0),
            ("the deadline", one.EndToEnd.P99 / promised.DeadlineSeconds ?? 0),
        ];
        var worst = all.MaxBy(time => time.Share);
        return worst.Share > 1 ? $", late most by {worst.What}" : "";
    }

    /// <summary>Counts what a run breaks while it lasts.</summary>
    public sealed class Watch(PromiseFloors floors)
    {
        private readonly Dictionary<string, long> _missed = new(StringComparer.Ordinal);

        /// <summary>Why the run is lost; null while it is not.</summary>
        public string? Lost { get; private set; }

        /// <summary>A request ended.</summary>
        public void Row(in RequestRow row)
        {
            if (!floors._classes.TryGetValue(row.Class, out var must) || (must.Promised ? row.Kept : row.Outcome == "completed"))
                return;
            var missed = _missed[row.Class] = _missed.GetValueOrDefault(row.Class) + 1;
            var may = (1 - must.Floor) * must.Arrived * GivenUpAt;
            if (Lost is null && missed > Math.Max(may, 20))
                Lost = $"{row.Class}: fewer than {must.Floor:0.#%} {(must.Promised ? "kept" : "answered")}";
        }

        /// <summary>How far the run is in simulated time.</summary>
        public void At(double seconds)
        {
            if (seconds > floors._longest)
                Lost ??= "the work takes longer than today";
        }
    }
}
