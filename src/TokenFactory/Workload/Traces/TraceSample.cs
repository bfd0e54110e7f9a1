namespace TokenFactory.Workload.Traces;

/// <summary>Lengths to draw from, taken from a trace: all pairs of a short one, a fair sample of a long one.</summary>
public static class TraceSample
{
    /// <summary>Pairs of prompt and answer; the log says what is wrong with the trace.</summary>
    public static IReadOnlyList<(int Input, int Output)> Pairs(IEnumerable<string> lines, TraceLog log)
    {
        var sample = new Reservoir<(int Input, int Output)>();
        foreach (var row in TraceReader.Rows(lines, log))
            sample.Add((row.InputTokens, row.OutputTokens));
        return sample.Kept;
    }
}
