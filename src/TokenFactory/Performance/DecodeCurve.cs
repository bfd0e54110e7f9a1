namespace TokenFactory.Performance;

/// <summary>
/// Time and energy of steps that only generate, for one number of sequences and one stretch of mean context in which both grow evenly with
/// the tokens in the cache: what lets a simulation sum many steps at once. Times are whole numbers of <see cref="DecodeCurve.Unit"/> of a
/// nanosecond, so that a sum does not depend on how it is taken.
/// </summary>
/// <param name="From">Tokens in the cache at which the stretch begins, in <see cref="DecodeCurve.TokenParts"/> of a token.</param>
/// <param name="To">Where it ends, excluded.</param>
/// <param name="Time">Time of a step at the beginning.</param>
/// <param name="TimeSlope">Time that each part of a token adds.</param>
/// <param name="Joules">Joules of a step at the beginning, at the boards of all GPUs.</param>
/// <param name="JoulesSlope">Joules that each part of a token adds.</param>
public sealed record DecodePiece(long From, long To, long Time, long TimeSlope, double Joules, double JoulesSlope)
{
    /// <summary>Time of a step with so many parts of tokens in the cache.</summary>
    public long TimeAt(long parts) => Time + (TimeSlope * (parts - From));

    /// <summary>Joules of a step with so many parts of tokens in the cache.</summary>
    public double JoulesAt(long parts) => Joules + (JoulesSlope * (parts - From));
}

/// <summary>
/// Steps that only generate, as pieces that end where attention bends: at the length of a window, at as many keys as it picks. Step times are
/// even within each. Energy bends besides where boards reach their limit; there the piece is the chord, 3 % off at most.
/// </summary>
/// <param name="model">The replica.</param>
public sealed class DecodeCurve(ReplicaModel model)
{
    /// <summary>Parts of a nanosecond in the times of pieces.</summary>
    public const long Unit = 1L << 24;

    /// <summary>Parts of a token in the contexts of pieces: speculative decoding yields fractions of a token per step.</summary>
    public const long TokenParts = 64;

    private static readonly int[] Knots = [.. Enumerable.Range(7, 20).Select(power => 1 << power)];

    private readonly int[] _knots =
        [1, .. Knots.Concat(model.Deployment.Model.Attention.SelectMany(Bends)).Where(knot => knot > 1).Distinct().Order()];

    private readonly Dictionary<(int Busiest, int All), DecodePiece?[]> _pieces = [];
    private (int Busiest, int All) _lastKey;
    private DecodePiece?[]? _last;

    /// <summary>The replica.</summary>
    public ReplicaModel Model => model;

    /// <summary>The piece that holds a step.</summary>
    /// <param name="busiest">Sequences of the busiest attention group, at least 1.</param>
    /// <param name="all">Sequences of all groups.</param>
    /// <param name="parts">Tokens in the cache of all of them, in <see cref="TokenParts"/> of a token.</param>
    public DecodePiece Piece(int busiest, int all, long parts)
    {
        if (_last is null || _lastKey != (busiest, all))
        {
            _lastKey = (busiest, all);
            if (!_pieces.TryGetValue(_lastKey, out _last))
                _pieces.Add(_lastKey, _last = new DecodePiece?[_knots.Length]);
        }

        var i = Index(parts / (all * TokenParts));
        return _last[i] ??= Draw(busiest, all, i);
    }

    private int Index(long context)
    {
        var found = Array.BinarySearch(_knots, (int)Math.Min(context, _knots[^1]));
        return found >= 0 ? found : Math.Max(0, ~found - 1);
    }

    private DecodePiece Draw(int busiest, int all, int i)
    {
        var from = _knots[i];
        var to = i + 1 < _knots.Length ? _knots[i + 1] : 2 * from;
        var (a, b) = (model.Decode(busiest, all, from), model.Decode(busiest, all, to));
        var parts = (double)(to - from) * all * TokenParts;
        const double units = 1e9 * Unit;
        return new DecodePiece(
            (long)from * all * TokenParts,
            i + 1 < _knots.Length ? (long)to * all * TokenParts : long.MaxValue,
            (long)Math.Round(a.Seconds * units),
            (long)Math.Round(Math.Max(0, b.Seconds - a.Seconds) * units / parts),
            a.Joules,
            (b.Joules - a.Joules) / parts);
    }

    /// <summary>Contexts at which an attention's time bends: the length of its window, or as many keys as it picks.</summary>
    private static IEnumerable<int> Bends(Catalog.AttentionGroup group) => group switch
    {
        Catalog.GroupedQueryAttention gqa => [gqa.WindowTokens ?? 0, gqa.Indexer?.TopKTokens ?? 0],
        Catalog.LatentAttention mla => [mla.Indexer?.TopKTokens ?? 0],
        Catalog.CompressedAttention c => [c.WindowTokens, (c.Indexer?.TopKTokens ?? 0) * c.CompressRatio],
        _ => [],
    };
}
