using TokenFactory.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Fleet;

/// <summary>Draws events that can happen one after another, and remembers each request, so that sums can be computed afresh.</summary>
internal sealed class FleetDice(Dice dice, FleetState state)
{
    private long _ids;
    private long _now;

    public sealed record Flight(Ask Ask, int Replica, int Fresh, Instant? FirstToken);

    public List<FleetEvent> Log { get; } = [];

    public List<Flight> Flights { get; } = [];

    public List<Ask> Waiting { get; } = [];

    public Dictionary<int, ReplicaPhase> Phases { get; } = [];

    public List<(int Replica, int Tokens)> Written { get; } = [];

    public Instant Now => new(_now);

    public FleetSnapshot Fleet => state.Snapshot;

    public void Step()
    {
        _now += dice.Whole(0, 2_000_000_000);
        switch (dice.Whole(0, 11))
        {
            case 0: Order(); break;
            case 1: Grow(); break;
            case 2: if (dice.Chance(0.2)) Shrink(); break;
            case 3 or 4 or 5: Wait(); break;
            case 6 or 7: Send(); break;
            case 8 or 9: Begin(); break;
            case 10: End(); break;
            default: Report(); break;
        }
    }

    public Ask NewAsk() => new()
    {
        Id = _ids++,
        Arrival = Now,
        PromptTokens = dice.Whole(1, 3000),
        Class = dice.Whole(0, Fleet.Classes.Count - 1),
        Tenant = dice.Whole(0, 4),
        MaxTokens = dice.Chance(0.5) ? dice.Whole(1, 1000) : 0,
        Prefix = dice.Many(0, 3, () => dice.Whole(1, 12)).Distinct().Order()
            .Select((key, i) => new PrefixKey((ulong)key, 50 * (i + 1))).ToArray(),
    };

    public void Apply(in FleetEvent e)
    {
        Log.Add(e);
        state.Apply(e);
    }

    public void SendTo(Ask ask, int replica, int fresh)
    {
        Waiting.Remove(ask);
        Apply(new(FleetEventKind.Unqueued, Now) { Ask = ask });
        Apply(new(FleetEventKind.Dispatched, Now, replica) { Ask = ask, FreshTokens = fresh });
        Flights.Add(new Flight(ask, replica, fresh, null));
        Written.Add((replica, fresh));
    }

    private void Order()
    {
        var replica = Phases.Count;
        Apply(new(FleetEventKind.Starting, Now, replica) { Pool = dice.Whole(0, Fleet.Pools.Count - 1) });
        Phases[replica] = ReplicaPhase.Starting;
    }

    private void Grow()
    {
        if (Any(phase => phase == ReplicaPhase.Starting) is { } replica)
            Move(FleetEventKind.Ready, replica, ReplicaPhase.Ready);
    }

    private void Shrink()
    {
        if (dice.Chance(0.5) && Any(phase => phase == ReplicaPhase.Ready) is { } ready)
            Move(FleetEventKind.Draining, ready, ReplicaPhase.Draining);
        else if (Any(phase => phase != ReplicaPhase.Gone) is { } replica)
            Move(FleetEventKind.Gone, replica, ReplicaPhase.Gone);
    }

    private void Move(FleetEventKind kind, int replica, ReplicaPhase phase)
    {
        Apply(new(kind, Now, replica));
        Phases[replica] = phase;
    }

    private void Wait()
    {
        var ask = NewAsk();
        Apply(new(FleetEventKind.Queued, Now) { Ask = ask });
        Waiting.Add(ask);
    }

    private void Send()
    {
        if (Waiting.Count == 0 || Any(phase => phase == ReplicaPhase.Ready) is not { } replica)
            return;
        var ask = Waiting[dice.Whole(0, Waiting.Count - 1)];
        SendTo(ask, replica, dice.Whole(1, ask.PromptTokens));
    }

    private void Begin()
    {
        var index = Flights.FindIndex(flight => flight.FirstToken is null);
        if (index < 0)
            return;
        var flight = Flights[index];
        Apply(new(FleetEventKind.FirstToken, Now, flight.Replica) { Ask = flight.Ask, FreshTokens = flight.Fresh });
        Flights[index] = flight with { FirstToken = Now };
    }

    private void End()
    {
        if (Flights.Count == 0)
            return;
        var flight = Flights[dice.Whole(0, Flights.Count - 1)];
        Flights.Remove(flight);
        var tokens = flight.FirstToken is null ? 0 : dice.Whole(1, 500);
        Apply(new(FleetEventKind.Ended, Now, flight.Replica)
        {
            Ask = flight.Ask,
            FreshTokens = flight.Fresh,
            HadFirstToken = flight.FirstToken is not null,
            FirstTokenAt = flight.FirstToken ?? default,
            OutputTokens = tokens,
            Completed = tokens > 0 && dice.Chance(0.8),
        });
        Written.Add((flight.Replica, tokens));
    }

    private void Report()
    {
        if (Any(phase => phase == ReplicaPhase.Ready) is { } replica)
        {
            var (running, waiting) = (dice.Whole(0, 40), dice.Whole(0, 4));
            Apply(new(FleetEventKind.Reported, Now, replica) { Running = running, Waiting = waiting, KvHeld = dice.Real(0, 1) });
        }
    }

    private int? Any(Func<ReplicaPhase, bool> phase)
    {
        var found = Phases.Where(one => phase(one.Value)).Select(one => one.Key).ToList();
        return found.Count == 0 ? null : found[dice.Whole(0, found.Count - 1)];
    }
}
