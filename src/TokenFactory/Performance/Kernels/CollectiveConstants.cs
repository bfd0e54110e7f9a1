namespace TokenFactory.Performance.Kernels;

/// <summary>Time of one collective among a given number of ranks over the bytes of its message.</summary>
/// <param name="FloorSeconds">Seconds of an empty message.</param>
/// <param name="SecondsPerByte">Seconds per byte of a long message.</param>
/// <param name="RootSecondsSquared">Seconds squared per byte under the root: the way from latency to bandwidth.</param>
public readonly record struct CollectiveCurve(double FloorSeconds, double SecondsPerByte, double RootSecondsSquared)
{
    /// <summary>Seconds of a message; zero where there is none.</summary>
    /// <param name="bytes">
    /// All-reduce: the vector on each rank. All-gather: all parts together, as every rank ends with them. Reduce-scatter: the vector on
    /// each rank before. All-to-all: what one rank holds for all.
    /// </param>
    public double Seconds(double bytes) =>
        bytes > 0 ? FloorSeconds + (bytes * SecondsPerByte) + Math.Sqrt(bytes * RootSecondsSquared) : 0;
}

/// <summary>
/// Collectives on one accelerator. Measured for 2, 4 and 8 ranks inside a scale-up domain; more ranks extrapolate the floor in a straight
/// line. Ranks in several domains add the exchange over the scale-out network, which is an estimate.
/// </summary>
public sealed class CollectiveConstants
{
    /// <summary>Latency of one exchange between domains in seconds: about 20 µs are published for DeepEP between two nodes.</summary>
    internal const double NetworkFloorSeconds = 20e-6;

    /// <summary>Share of the scale-out bandwidth that is reached: published DeepEP rates on 2 to 8 nodes give 0.89 to 0.93.</summary>
    internal const double NetworkEfficiency = 0.9;

    private readonly IReadOnlyList<CollectiveRow>[] _rows;
    private readonly LinkSpeeds _links;
    private readonly CollectiveCurve[][] _curves;

    internal CollectiveConstants(IReadOnlyList<CollectiveRow>[] rows, LinkSpeeds links)
    {
        (_rows, _links) = (rows, links);
        _curves = new CollectiveCurve[4][];
        for (var op = 0; op < _curves.Length; op++)
        {
            _curves[op] = new CollectiveCurve[Tabulated + 1];
            for (var ranks = 2; ranks <= Tabulated; ranks++)
                _curves[op][ranks] = Compute((CollectiveOperator)op, ranks);
        }
    }

    private const int Tabulated = 72;

    /// <summary>Ranks that share a scale-up domain; 8 in a host whose cards only share PCIe.</summary>
    public int DomainRanks => _links.DomainRanks;

    /// <summary>The curve of a collective; callers in a loop keep it. One rank has nothing to send.</summary>
    /// <param name="collective">All-reduce, all-gather, reduce-scatter or all-to-all.</param>
    /// <param name="ranks">GPUs that take part, 1 or more.</param>
    public CollectiveCurve Curve(CollectiveOperator collective, int ranks)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)collective, (int)CollectiveOperator.AllToAll, nameof(collective));
        if (ranks < 2)
            return default;
        return ranks <= Tabulated ? _curves[(int)collective][ranks] : Compute(collective, ranks);
    }

    /// <summary>Seconds of a collective.</summary>
    /// <param name="collective">All-reduce, all-gather, reduce-scatter or all-to-all.</param>
    /// <param name="ranks">GPUs that take part.</param>
    /// <param name="bytes">Size of the message as in <see cref="CollectiveCurve.Seconds"/>.</param>
    public double Seconds(CollectiveOperator collective, int ranks, double bytes) => Curve(collective, ranks).Seconds(bytes);

    /// <summary>Whether so many ranks lie outside what was measured: more than the most measured, or in several domains.</summary>
    public bool IsExtrapolated(CollectiveOperator collective, int ranks) =>
        ranks > Math.Min(_links.DomainRanks, _rows[(int)collective].Where(row => row.Nodes == 1).Max(row => row.Ranks));

    private CollectiveCurve Compute(CollectiveOperator op, int ranks)
    {
        var inside = Math.Min(ranks, _links.DomainRanks);
        var curve = Inside(op, inside);
        if (ranks <= inside)
            return curve;
        var nodes = (ranks + inside - 1) / inside;
        var shared = op == CollectiveOperator.AllToAll ? ranks : inside * nodes;
        var leaves = op switch
        {
            CollectiveOperator.AllReduce => 2.0 * (nodes - 1) / nodes / inside, // each rank reduces its share of the vector across domains
            CollectiveOperator.AllToAll => (double)(shared - inside) / shared,
            _ => (double)(nodes - 1) / nodes / inside,
        };
        var hops = op == CollectiveOperator.AllReduce ? 2 : 1;
        return new CollectiveCurve(
            curve.FloorSeconds + (hops * NetworkFloorSeconds * Math.Log2(nodes)),
            curve.SecondsPerByte + (leaves / (_links.ScaleOut * NetworkEfficiency)),
            curve.RootSecondsSquared);
    }

    /// <summary>Between measured ranks the constants follow the logarithm of ranks; beyond, the floor follows a line.</summary>
    private CollectiveCurve Inside(CollectiveOperator op, int ranks)
    {
        var rows = _rows[(int)op].Where(row => row.Nodes == 1).ToList();
        var measured = new CollectiveCurve[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            var sent = Sent(op, rows[i].Ranks) / _links.ScaleUp;
            var own = new CollectiveCurve(
                rows[i].FloorMicroseconds * 1e-6, sent / rows[i].LinkEfficiency, sent * rows[i].RootMicroseconds * 1e-6);
            measured[i] = i == 0 ? own : AtLeast(own, measured[i - 1]);
        }

        if (ranks <= rows[0].Ranks)
            return measured[0];
        for (var i = 1; i < rows.Count; i++)
        {
            var (fewer, more) = ((double)rows[i - 1].Ranks, (double)rows[i].Ranks);
            if (ranks <= more)
                return Between(measured[i - 1], measured[i], Math.Log2(ranks / fewer) / Math.Log2(more / fewer));
        }

        var last = measured[^1];
        var most = rows[^1].Ranks;
        var slope = rows.Count < 2 ? 0 : (last.FloorSeconds - measured[0].FloorSeconds) / (most - rows[0].Ranks);
        var grown = Sent(op, ranks) / Sent(op, most);
        return new CollectiveCurve(
            last.FloorSeconds + (slope * (ranks - most)), last.SecondsPerByte * grown, last.RootSecondsSquared * grown);
    }

    /// <summary>Bytes that a rank sends per byte of the message; dispatches count their bytes as they travel.</summary>
    internal static double Sent(CollectiveOperator op, int ranks) =>
        op is CollectiveOperator.AllGather or CollectiveOperator.ReduceScatter or CollectiveOperator.AllToAll ? (ranks - 1.0) / ranks : 1;

    /// <summary>More ranks are never faster: scatter between measurements must not say so.</summary>
    private static CollectiveCurve AtLeast(CollectiveCurve own, CollectiveCurve fewer) => new(
        Math.Max(own.FloorSeconds, fewer.FloorSeconds),
        Math.Max(own.SecondsPerByte, fewer.SecondsPerByte),
        Math.Max(own.RootSecondsSquared, fewer.RootSecondsSquared));

    private static CollectiveCurve Between(CollectiveCurve a, CollectiveCurve b, double way) => new(
        a.FloorSeconds + (way * (b.FloorSeconds - a.FloorSeconds)),
        a.SecondsPerByte + (way * (b.SecondsPerByte - a.SecondsPerByte)),
        a.RootSecondsSquared + (way * (b.RootSecondsSquared - a.RootSecondsSquared)));
}
