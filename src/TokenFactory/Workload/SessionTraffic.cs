using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>
/// Conversations or agent runs. The prompt of a turn is the system prompt, then what was said and answered in every turn before, then what
/// the turn adds; a prefix cache that holds the turn before computes only the last piece. A session follows from its number alone, and only
/// sessions in flight are held. A session whose turn failed ends there.
/// </summary>
public sealed class SessionTraffic : ITraffic
{
    private readonly Arrivals _arrivals;
    private readonly PromptSegment[] _opening;
    private readonly SessionPlan _plan;
    private readonly ulong _seed;
    private readonly Dictionary<long, Session> _inFlight = [];
    private Session? _newest;
    private long _begun;

    /// <summary>The requests of a plan.</summary>
    public SessionTraffic(SessionPlan plan, ulong seed)
    {
        (_plan, _seed, _opening) = (plan, seed, plan.Opening(seed));
        _arrivals = new Arrivals(plan.Arrivals, new Draws(seed, "arrivals of " + plan.Name));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes => [_plan.Class];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tenants => [_plan.Tenant];

    /// <inheritdoc/>
    public long? Expected => null;

    /// <summary>Sessions that wait for an answer or for their next turn.</summary>
    public int InFlight => _inFlight.Count;

    /// <summary>Turns that the session begun last will have if every one is answered.</summary>
    internal int NewestTurns => _newest?.Turns ?? 0;

    /// <inheritdoc/>
    public Request? Next()
    {
        var at = _begun >= _plan.Sessions ? Instant.Never : _arrivals.Next();
        if (at == Instant.Never)
            return null;
        _newest = new Session(_plan, _opening, _seed, _begun++);
        if (_newest.Turns > 1)
            _inFlight.Add(_newest.Number, _newest);
        return _newest.NextTurn(at);
    }

    /// <inheritdoc/>
    public Request? After(Request ended, Instant at, bool completed)
    {
        if (!_inFlight.TryGetValue(ended.Session, out var session))
            return null;
        if (!completed || session.Turn >= session.Turns)
        {
            _inFlight.Remove(ended.Session);
            return null;
        }

        var pause = Duration.OfSeconds(session.Pause());
        return session.NextTurn(at + new Duration(Math.Max(pause.Nanoseconds, Duration.Tick.Nanoseconds)));
    }

    /// <summary>Ends the session begun last after fewer turns.</summary>
    internal void ShortenNewest(int turns) => _newest?.Shorten(turns);
}

/// <summary>One conversation.</summary>
internal sealed class Session
{
    private readonly SessionPlan _plan;
    private readonly ulong _seed;
    private readonly Draws _draws;
    private PromptSegment[] _said;
    private int _pieces;
    private int _context;
    private (int Added, int Answer) _coming;

    /// <summary>A conversation before its first turn.</summary>
    public Session(SessionPlan plan, PromptSegment[] opening, ulong seed, long number)
    {
        (_plan, _seed, Number) = (plan, seed, number);
        Turns = Fitting(plan, seed, number);
        _draws = Started(plan, seed, number, out _);
        _said = [.. opening, .. new PromptSegment[3]];
        (_pieces, _context) = (opening.Length, plan.SystemPromptTokens);
        _coming = Lengths(plan, _draws, 0, _context);
    }

    /// <summary>Its number.</summary>
    public long Number { get; }

    /// <summary>Turns that it will have if every one is answered.</summary>
    public int Turns { get; private set; }

    /// <summary>Turns taken.</summary>
    public int Turn { get; private set; }

    /// <summary>Seconds from an answer to the next turn.</summary>
    public double Pause() => _plan.Think.Draw(new Draws(_seed, "pauses of " + _plan.Name, RequestNumber.Of(Number, Turn)));

    /// <summary>Ends it earlier.</summary>
    public void Shorten(int turns) => Turns = Math.Min(Turns, turns);

    /// <summary>The request of the next turn.</summary>
    public Request NextTurn(Instant at)
    {
        var turn = Turn++;
        var (added, answer) = _coming;
        Say(Content(turn, "asked in "), added);
        var prompt = _said.AsMemory(0, _pieces);
        var (tokens, answered) = (_context, Content(turn, "answered in "));
        if (Turn < Turns)
        {
            Say(answered, answer);
            _coming = Lengths(_plan, _draws, Turn, _context);
        }

        return new Request
        {
            Id = RequestNumber.Of(Number, turn),
            Arrival = at,
            PromptTokens = tokens,
            Prompt = prompt,
            Script = new Script(answer, answered),
            MaxTokens = _plan.MaxTokens,
            Session = Number,
            Turn = turn,
        };
    }

    /// <summary>Turns are drawn in the same order here as when they are taken, so that how many fit is known from the start.</summary>
    private static int Fitting(SessionPlan plan, ulong seed, long number)
    {
        var draws = Started(plan, seed, number, out var wanted);
        if (plan.MaxContextTokens == int.MaxValue)
            return wanted;
        long context = plan.SystemPromptTokens;
        for (var turn = 0; turn < wanted; turn++)
        {
            var (added, answer) = Lengths(plan, draws, turn, context);
            context += added + answer;
            if (turn > 0 && context > plan.MaxContextTokens)
                return turn;
        }

        return wanted;
    }

    private static Draws Started(SessionPlan plan, ulong seed, long number, out int turns)
    {
        var draws = new Draws(seed, "sessions of " + plan.Name, number);
        turns = Math.Min(plan.Turns.DrawWhole(draws), RequestNumber.MostTurns);
        return draws;
    }

    /// <summary>What a turn adds and its answer; a first turn longer than the limit is cut to fit.</summary>
    private static (int Added, int Answer) Lengths(SessionPlan plan, Draws draws, int turn, long context)
    {
        var (added, answer) = plan.Lengths.Draw(draws);
        answer = plan.Limited(answer);
        if (turn > 0)
            return (added, answer);
        added = plan.FirstTokens?.DrawWhole(draws) ?? added;
        var room = (int)Math.Max(2, plan.MaxContextTokens - context);
        answer = Math.Min(answer, room - 1);
        return (Math.Min(added, room - answer), answer);
    }

    private ulong Content(int turn, string what) => Draws.Identity(_seed, what + _plan.Name, RequestNumber.Of(Number, turn));

    private void Say(ulong content, int tokens)
    {
        if (_pieces == _said.Length)
            Array.Resize(ref _said, _said.Length * 2);
        _said[_pieces++] = new PromptSegment(content, tokens);
        _context += tokens;
    }
}
