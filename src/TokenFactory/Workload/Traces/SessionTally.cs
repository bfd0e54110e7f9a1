namespace TokenFactory.Workload.Traces;

/// <summary>Sessions of a trace where it names them: turns, pauses and what a turn adds. Holds the sessions of late only.</summary>
public sealed class SessionTally
{
    private const int MostHeld = 500_000;

    private Dictionary<string, Talk> _recent = new(StringComparer.Ordinal);
    private Dictionary<string, Talk> _older = new(StringComparer.Ordinal);

    private readonly record struct Talk(int Turns, double Seconds, long Context);

    /// <summary>Sessions begun.</summary>
    public long Sessions { get; private set; }

    /// <summary>Their turns.</summary>
    public long Turns { get; private set; }

    /// <summary>Most turns of one.</summary>
    public int MostTurns { get; private set; }

    /// <summary>Seconds from the arrival of a turn to that of the next.</summary>
    public LogHistogram Pauses { get; } = new();

    /// <summary>Prompt tokens of first turns.</summary>
    public LogHistogram FirstTokens { get; } = new();

    /// <summary>Prompt tokens of later turns beyond the prompt and the answer before.</summary>
    public LogHistogram AddedTokens { get; } = new();

    /// <summary>Counts a turn; rows without a session are none.</summary>
    public void Add(TraceRow row)
    {
        if (row.Session is not { } name)
            return;
        Turns++;
        var known = _recent.TryGetValue(name, out var talk) || _older.TryGetValue(name, out talk);
        if (known)
        {
            Pauses.Add(row.Seconds - talk.Seconds);
            AddedTokens.Add(Math.Max(0, row.InputTokens - talk.Context));
        }
        else
        {
            Sessions++;
            FirstTokens.Add(row.InputTokens);
        }

        MostTurns = Math.Max(MostTurns, talk.Turns + 1);
        _recent[name] = new Talk(talk.Turns + 1, row.Seconds, (long)row.InputTokens + row.OutputTokens);
        if (_recent.Count >= MostHeld)
            (_older, _recent) = (_recent, new(StringComparer.Ordinal));
    }
}
