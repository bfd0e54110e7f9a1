namespace TokenFactory.Workload.Traces;

/// <summary>What is made of a trace: first a slice of it, then more or less of it, then all of it faster or slower.</summary>
public sealed record TraceOptions
{
    /// <summary>Divides all times: 2 asks the same in half the time.</summary>
    public double Speedup { get; init; } = 1;

    /// <summary>
    /// Multiplies the rate: each request (each session as a whole, where the trace names them) is sent as often as that, 2.5 as two or
    /// three times by a draw from the seed. Copies come up to <see cref="CopySpreadSeconds"/> later and share nothing with the original,
    /// as other users do; the copies of one number share with one another what the originals share.
    /// </summary>
    public double Scale { get; init; } = 1;

    /// <summary>Requests from this time on, in seconds of the trace, which becomes time zero.</summary>
    public double FromSeconds { get; init; }

    /// <summary>Requests before this time, in seconds of the trace.</summary>
    public double ToSeconds { get; init; } = double.PositiveInfinity;

    /// <summary>Requests from this one on, counted from 1 in the order of time; above 1 its arrival becomes time zero.</summary>
    public long FromRow { get; init; } = 1;

    /// <summary>Requests up to this one, itself included.</summary>
    public long ToRow { get; init; } = long.MaxValue;

    /// <summary>Service class of all rows, whatever they say; null for what they say.</summary>
    public string? Class { get; init; }

    /// <summary>Tenant of all rows, whatever they say; null for what they say.</summary>
    public string? Tenant { get; init; }

    /// <summary>Longest time between a request and its copies, in seconds of the trace.</summary>
    public const double CopySpreadSeconds = 1;

    /// <summary>Most that a trace is scaled by.</summary>
    public const double MostScale = 1e6;
}

/// <summary>Makes of the rows of a trace what the options ask for, row by row.</summary>
public static class TraceShaping
{
    /// <summary>The rows that are sent, in the order of time.</summary>
    /// <param name="rows">Rows in the order of time.</param>
    /// <param name="options">What to make of them.</param>
    /// <param name="seed">Which copies there are, and how much later.</param>
    public static IEnumerable<TraceRow> Shaped(this IEnumerable<TraceRow> rows, TraceOptions options, ulong seed)
    {
        var waiting = new PriorityQueue<TraceRow, (double Seconds, long Line, int Copy)>();
        foreach (var row in Sliced(rows, options))
        {
            while (waiting.TryPeek(out _, out var first) && first.Seconds < row.Seconds)
                yield return Faster(waiting.Dequeue(), options);
            foreach (var copy in Copies(row, options.Scale, seed))
                waiting.Enqueue(copy, (copy.Seconds, copy.Line, copy.Copy));
        }

        while (waiting.TryDequeue(out var row, out _))
            yield return Faster(row, options);
    }

    private static IEnumerable<TraceRow> Sliced(IEnumerable<TraceRow> rows, TraceOptions options)
    {
        var number = 0L;
        var begin = options.FromRow > 1 ? double.NaN : options.FromSeconds;
        foreach (var row in rows)
        {
            number++;
            if (row.Seconds >= options.ToSeconds || number > options.ToRow)
                yield break;
            if (row.Seconds < options.FromSeconds || number < options.FromRow)
                continue;
            begin = double.IsNaN(begin) ? row.Seconds : begin;
            yield return row with
            {
                Seconds = row.Seconds - begin,
                Class = options.Class ?? row.Class,
                Tenant = options.Tenant ?? row.Tenant,
            };
        }
    }

    private static TraceRow Faster(TraceRow row, TraceOptions options) =>
        options.Speedup == 1 ? row : row with { Seconds = row.Seconds / options.Speedup };

    private static IEnumerable<TraceRow> Copies(TraceRow row, double scale, ulong seed)
    {
        if (scale == 1)
            return [row];
        var draws = row.Session is { } session
            ? new Draws(seed, "copies of session " + session)
            : new Draws(seed, "copies of row", row.Line);
        var whole = Math.Floor(scale);
        var count = (int)whole + (draws.Share() < scale - whole ? 1 : 0);
        return Enumerable.Range(0, count).Select(copy => Copy(row, copy, copy == 0 ? 0 : draws.Share() * TraceOptions.CopySpreadSeconds));
    }

    private static TraceRow Copy(TraceRow row, int copy, double later) => copy == 0 ? row : row with
    {
        Copy = copy,
        Seconds = row.Seconds + later,
        Session = row.Session is { } session ? $"{session}~{copy}" : null,
        Prefix = row.Prefix.ToArray().Select(piece => piece with { Content = Other(piece.Content, copy) }).ToArray(),
        Answer = row.Answer == 0 ? 0 : Other(row.Answer, copy),
    };

    private static ulong Other(ulong content, int copy) => Draws.Identity(content, "copy", copy);
}
