namespace TokenFactory.Workload.Traces;

/// <summary>
/// Reads a trace row by row, whatever its kind, and never holds it: only the rows of the last <see cref="DisorderSeconds"/>, to put those
/// back in order that come a little late. A row that is wrong is noted and left out.
/// </summary>
public static class TraceReader
{
    /// <summary>How far behind the latest row another may lie and still be put back in order.</summary>
    public const double DisorderSeconds = 60;

    /// <summary>The rows in the order of time, equal times in the order of lines.</summary>
    /// <param name="lines">The lines of the file.</param>
    /// <param name="log">Gets what was found.</param>
    public static IEnumerable<TraceRow> Rows(IEnumerable<string> lines, TraceLog log)
    {
        var waiting = new PriorityQueue<TraceRow, (double Seconds, long Line)>();
        var latest = double.NegativeInfinity;
        var begin = double.NaN;
        foreach (var row in Written(lines, log))
        {
            if (row.Seconds < latest - DisorderSeconds)
            {
                log.Note(
                    row.Line,
                    $"arrives {latest - row.Seconds:0.###} s before a row above it",
                    $"Sort the rows by time: up to {DisorderSeconds:0} s are put back in order");
                continue;
            }

            log.Reordered += row.Seconds < latest ? 1 : 0;
            latest = Math.Max(latest, row.Seconds);
            waiting.Enqueue(row, (row.Seconds, row.Line));
            while (waiting.TryPeek(out _, out var first) && first.Seconds <= latest - DisorderSeconds)
                yield return Counted(waiting.Dequeue());
        }

        while (waiting.TryDequeue(out var row, out _))
            yield return Counted(row);
        if (log is { Rows: 0, MistakeCount: 0 })
            log.Note(1, "the trace holds no request", "Give at least one row");

        TraceRow Counted(TraceRow row)
        {
            log.Rows++;
            if (log.Format != TraceFormat.Azure)
                return row;
            if (double.IsNaN(begin))
                begin = row.Seconds;
            return row with { Seconds = Math.Round(row.Seconds - begin, 7) };
        }
    }

    /// <summary>The rows as they are written.</summary>
    private static IEnumerable<TraceRow> Written(IEnumerable<string> lines, TraceLog log)
    {
        ITraceLines? reader = null;
        var number = 0L;
        foreach (var raw in lines)
        {
            number++;
            var line = number == 1 ? raw.TrimStart('\uFEFF') : raw;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            if (reader is null)
            {
                reader = TraceFormats.Of(line, number, log, out var isHeader);
                if (reader is null)
                    yield break;
                log.Format = reader.Format;
                if (isHeader)
                    continue;
            }

            if (reader.Row(line, number, log) is { } row)
                yield return row;
        }
    }
}
