namespace TokenFactory.Workload.Traces;

/// <summary>
/// What prompts share with those before them, as a cache that forgets nothing would find it. A piece counts as found only where everything
/// before it is the same. Holds the newest pieces, at most <see cref="MostPieces"/> or half as many; beyond, what was used longest ago is
/// forgotten and the figures are lower bounds.
/// </summary>
public sealed class PrefixReuse
{
    /// <summary>Most pieces held.</summary>
    public const int MostPieces = 4_000_000;

    private Dictionary<ulong, Seen> _recent = [];
    private Dictionary<ulong, Seen> _older = [];
    private readonly Dictionary<ulong, (int Tokens, long Requests)> _openings = [];
    private double _clock;

    private readonly record struct Seen(double Clock, double Seconds);

    /// <summary>Whether any prompt named its pieces: else nothing is known.</summary>
    public bool Known { get; private set; }

    /// <summary>Whether pieces were forgotten.</summary>
    public bool IsLowerBound { get; private set; }

    /// <summary>Input tokens found again.</summary>
    public long FoundTokens { get; private set; }

    /// <summary>Requests that went on from an earlier prompt beyond its first piece.</summary>
    public long Followers { get; private set; }

    /// <summary>
    /// For each token found again, how many tokens of prompts and answers came since its last use. A cache of N tokens that drops what was
    /// used longest ago holds at least what is not older than N.
    /// </summary>
    public LogHistogram Ages { get; } = new();

    /// <summary>Seconds since the last use of the last piece that a follower found.</summary>
    public LogHistogram Pauses { get; } = new();

    /// <summary>Tokens of prompts that follow no other, beyond their first piece where that is shared.</summary>
    public LogHistogram FirstTokens { get; } = new();

    /// <summary>Tokens of the opening that most requests share; 0 where there is none.</summary>
    public int OpeningTokens(long requests)
    {
        const int most = 2;
        var common = _openings.Values.Where(opening => opening.Requests * most > requests).ToList();
        return common.Count > 0 ? common.Max(opening => opening.Tokens) : 0;
    }

    /// <summary>Looks at the next prompt.</summary>
    public void Add(TraceRow row)
    {
        Known |= row.Prefix.Length > 0;
        var (chain, found, foundPieces, pause) = (0UL, 0, 0, 0.0);
        var (broken, sum, place) = (false, 0, 0);
        foreach (var piece in row.Prefix.Span)
        {
            chain = Draws.Mix(chain ^ Draws.Mix(piece.Content + ((ulong)piece.Tokens * 0x9E3779B97F4A7C15UL)));
            sum += piece.Tokens;
            if (!broken && Find(chain) is { } seen)
            {
                found += piece.Tokens;
                foundPieces++;
                pause = row.Seconds - seen.Seconds;
                Ages.Add(_clock - seen.Clock, piece.Tokens);
            }
            else
            {
                broken = true;
            }

            Keep(chain, row.Seconds);
            if (place++ == 0)
                Open(chain, piece.Tokens);
        }

        FoundTokens += found;
        _clock += row.InputTokens + (double)row.OutputTokens;
        if (row.Answer != 0 && sum == row.InputTokens)
            Keep(Draws.Mix(chain ^ Draws.Mix(row.Answer + ((ulong)row.OutputTokens * 0x9E3779B97F4A7C15UL))), row.Seconds);
        if (foundPieces > 1)
        {
            Followers++;
            Pauses.Add(pause);
        }
        else if (row.Prefix.Length > 0)
        {
            FirstTokens.Add(row.InputTokens - found);
        }
    }

    private void Open(ulong chain, int tokens)
    {
        const int most = 100_000;
        if (_openings.TryGetValue(chain, out var opening))
            _openings[chain] = (tokens, opening.Requests + 1);
        else if (_openings.Count < most)
            _openings.Add(chain, (tokens, 1));
    }

    private Seen? Find(ulong chain) =>
        _recent.TryGetValue(chain, out var seen) || _older.TryGetValue(chain, out seen) ? seen : null;

    private void Keep(ulong chain, double seconds)
    {
        _recent[chain] = new Seen(_clock, seconds);
        if (_recent.Count < MostPieces / 2)
            return;
        IsLowerBound |= _older.Count > 0;
        (_older, _recent) = (_recent, []);
    }
}
