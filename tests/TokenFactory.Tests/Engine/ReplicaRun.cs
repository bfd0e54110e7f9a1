using TokenFactory.Engine;
using TokenFactory.Units;

namespace TokenFactory.Tests.Engine;

/// <summary>Drives one replica through a script of disturbances, and writes down everything that it tells.</summary>
internal sealed class ReplicaRun(Replica replica)
{
    private readonly PriorityQueue<Action<Instant>, (Instant At, int Order)> _script = new();
    private readonly List<EngineEvent> _told = [];
    private int _order;

    public Replica Replica => replica;

    /// <summary>What was told, in order: when, what, to whom, and how many tokens it had.</summary>
    public List<(Instant At, EngineEventKind Kind, long Id, int Generated)> Log { get; } = [];

    /// <summary>What to do when something is told.</summary>
    public Action<EngineEvent, Instant>? React { get; set; }

    /// <summary>Called after every event.</summary>
    public Action<Instant>? Look { get; set; }

    public void At(Instant when, Action<Instant> what) => _script.Enqueue(what, (when, _order++));

    public void Submit(EngineRequest request, double seconds) => At(Instant.AtSeconds(seconds), now => replica.Submit(request, now));

    /// <summary>Runs until nothing is left to do; things from outside come before steps that end at the same time.</summary>
    public Instant Run()
    {
        var now = Instant.Start;
        while (true)
        {
            var outside = _script.TryPeek(out _, out var key) ? key.At : Instant.Never;
            if (outside == Instant.Never && replica.NextEvent == Instant.Never)
                return now;
            if (outside <= replica.NextEvent)
            {
                now = outside;
                _script.Dequeue()(now);
            }
            else
            {
                now = replica.NextEvent;
                replica.Advance(now, _told);
                foreach (var one in _told)
                {
                    Log.Add((now, one.Kind, one.Request.Id, one.Request.Generated));
                    React?.Invoke(one, now);
                }

                _told.Clear();
            }

            Look?.Invoke(now);
        }
    }
}
