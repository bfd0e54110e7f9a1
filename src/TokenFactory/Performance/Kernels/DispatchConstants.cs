namespace TokenFactory.Performance.Kernels;

/// <summary>The two ways of sending tokens to their experts: DeepEP's kernels for decode and for prefill.</summary>
public enum DispatchMode
{
    /// <summary>Few tokens: every (token, expert) pair travels at once.</summary>
    LowLatency,

    /// <summary>Many tokens: a token travels once to each rank that holds one of its experts.</summary>
    Normal,
}

/// <summary>Time of sending tokens to experts or back, among a given number of ranks.</summary>
/// <param name="FloorSeconds">Seconds without tokens.</param>
/// <param name="SecondsPerElement">Seconds per token and element of the hidden width.</param>
/// <param name="SecondsPerToken">Seconds per token on top.</param>
public readonly record struct DispatchCurve(double FloorSeconds, double SecondsPerElement, double SecondsPerToken)
{
    /// <summary>Seconds of one direction; zero without tokens.</summary>
    /// <param name="tokens">Tokens of one rank.</param>
    /// <param name="hidden">Width of a token.</param>
    public double Seconds(double tokens, double hidden) =>
        tokens > 0 ? FloorSeconds + (tokens * ((hidden * SecondsPerElement) + SecondsPerToken)) : 0;
}

/// <summary>
/// Sending tokens to experts on other ranks (dispatch, one byte per element: FP8) and their results back (combine, two bytes: BF16).
/// Measured inside one node; between nodes, published rates of DeepEP's low-latency kernels over the scale-out bandwidth.
/// </summary>
public sealed class DispatchConstants
{
    private const int MeasuredRanks = 8;

    private readonly IReadOnlyList<CollectiveRow>[] _rows;
    private readonly LinkSpeeds _links;

    internal DispatchConstants(IReadOnlyList<CollectiveRow>[] rows, LinkSpeeds links) => (_rows, _links) = (rows, links);

    /// <summary>The curve from tokens to their experts; callers in a loop keep it. One rank sends nothing.</summary>
    /// <param name="mode">Which kernels.</param>
    /// <param name="ranks">Ranks that the experts lie on.</param>
    /// <param name="topK">Experts per token.</param>
    /// <param name="bytesPerElement">1 for FP8, 2 for BF16.</param>
    public DispatchCurve Dispatch(DispatchMode mode, int ranks, int topK, double bytesPerElement = 1) =>
        Curve(Of(mode, CollectiveOperator.DispatchLowLatency, CollectiveOperator.DispatchNormal), ranks, topK, bytesPerElement);

    /// <summary>The curve of the results back.</summary>
    /// <param name="mode">Which kernels.</param>
    /// <param name="ranks">Ranks that the experts lie on.</param>
    /// <param name="topK">Experts per token.</param>
    /// <param name="bytesPerElement">2 for BF16.</param>
    public DispatchCurve Combine(DispatchMode mode, int ranks, int topK, double bytesPerElement = 2) =>
        Curve(Of(mode, CollectiveOperator.CombineLowLatency, CollectiveOperator.CombineNormal), ranks, topK, bytesPerElement);

    private static CollectiveOperator Of(DispatchMode mode, CollectiveOperator few, CollectiveOperator many) =>
        mode == DispatchMode.LowLatency ? few : many;

    private DispatchCurve Curve(CollectiveOperator op, int ranks, int topK, double bytesPerElement)
    {
        if (ranks < 2)
            return default;
        var inside = Math.Min(ranks, _links.DomainRanks);
        var nodes = (ranks + inside - 1) / inside;
        var once = op is CollectiveOperator.DispatchNormal or CollectiveOperator.CombineNormal;
        var row = _rows[(int)op][0];
        var copies = once ? Distinct(inside, topK) : topK;
        var others = (inside - 1.0) / inside / ((MeasuredRanks - 1.0) / MeasuredRanks); // a rank's own share does not travel
        var inner = copies * others * bytesPerElement / (_links.ScaleUp * row.LinkEfficiency);
        var floor = row.FloorMicroseconds * 1e-6;
        if (nodes == 1)
            return new DispatchCurve(floor, inner, row.TokenNanoseconds * 1e-9);

        var between = Between(op, nodes);
        var leaving = once ? Distinct(nodes, topK) * (nodes - 1) / nodes : topK * (nodes - 1.0) / nodes;
        var outer = leaving * bytesPerElement / (_links.ScaleOut * (between?.LinkEfficiency ?? CollectiveConstants.NetworkEfficiency));
        var outerFloor = between?.FloorMicroseconds * 1e-6 ?? (floor + CollectiveConstants.NetworkFloorSeconds);
        return new DispatchCurve(Math.Max(floor, outerFloor), Math.Max(inner, outer), row.TokenNanoseconds * 1e-9);
    }

    /// <summary>The row of at least so many nodes, else of the most; null where none crosses nodes.</summary>
    private CollectiveRow? Between(CollectiveOperator op, int nodes)
    {
        CollectiveRow? found = null;
        foreach (var row in _rows[(int)op])
        {
            if (row.Nodes > 1 && (found is null || found.Nodes < nodes))
                found = row;
        }

        return found;
    }

    /// <summary>Distinct places that a token's experts lie in, on average over even routing.</summary>
    private static double Distinct(int places, int topK) => places * (1 - Math.Pow(1 - (1.0 / places), topK));
}
