namespace TokenFactory.Workload.Traces;

/// <summary>One recorded request.</summary>
public sealed record TraceRow
{
    /// <summary>Line of the file, from 1; 0 where it comes from no file.</summary>
    public long Line { get; init; }

    /// <summary>Which copy of the row a scaled trace sends; 0 for the row itself.</summary>
    public int Copy { get; init; }

    /// <summary>When it arrived, in seconds from the beginning of the trace.</summary>
    public required double Seconds { get; init; }

    /// <summary>Tokens of its prompt, at least 1.</summary>
    public required int InputTokens { get; init; }

    /// <summary>Tokens of its answer, at least 1.</summary>
    public required int OutputTokens { get; init; }

    /// <summary>Service class; null where the trace names none.</summary>
    public string? Class { get; init; }

    /// <summary>Tenant; null where the trace names none.</summary>
    public string? Tenant { get; init; }

    /// <summary>Name of its session; null where it stands alone or nobody knows.</summary>
    public string? Session { get; init; }

    /// <summary>Which turn of its session, from 0.</summary>
    public int Turn { get; init; }

    /// <summary>Most tokens that the client allowed; 0 where it declared none.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Leading pieces of the prompt that have an identity.</summary>
    public ReadOnlyMemory<PromptSegment> Prefix { get; init; }

    /// <summary>Identity of the answer; 0 for none.</summary>
    public ulong Answer { get; init; }
}

/// <summary>One thing wrong with a trace.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="What">What is wrong with it.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record TraceMistake(long Line, string What, string Remedy);

/// <summary>What a trace's lines turned out to be: filled while they are read.</summary>
public sealed class TraceLog
{
    /// <summary>Mistakes that are kept; more are counted.</summary>
    public const int MostMistakes = 100;

    private readonly List<TraceMistake> _mistakes = [];

    /// <summary>How the lines are written; null before the first.</summary>
    public TraceFormat? Format { get; internal set; }

    /// <summary>Rows that were read.</summary>
    public long Rows { get; internal set; }

    /// <summary>Rows without an answer or without a prompt: requests that failed. They are left out.</summary>
    public long Failed { get; internal set; }

    /// <summary>Rows that came a little out of order and were put back.</summary>
    public long Reordered { get; internal set; }

    /// <summary>Mistakes in all.</summary>
    public long MistakeCount { get; private set; }

    /// <summary>The first mistakes.</summary>
    public IReadOnlyList<TraceMistake> Mistakes => _mistakes;

    internal void Note(long line, string what, string remedy)
    {
        MistakeCount++;
        if (_mistakes.Count < MostMistakes)
            _mistakes.Add(new TraceMistake(line, what, remedy));
    }
}

/// <summary>A trace changed or was used although it holds mistakes: check it first.</summary>
public sealed class TraceException : Exception
{
    /// <summary>A failure without a reason.</summary>
    public TraceException()
    {
    }

    /// <summary>A failure.</summary>
    public TraceException(string message)
        : base(message)
    {
    }

    /// <summary>A failure with a cause.</summary>
    public TraceException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>The mistakes of a trace.</summary>
    public TraceException(IReadOnlyList<TraceMistake> mistakes)
        : base(string.Join('\n', mistakes.Select(mistake => $"line {mistake.Line}: {mistake.What}. {mistake.Remedy}."))) =>
        Mistakes = mistakes;

    /// <summary>What is wrong, each with its line.</summary>
    public IReadOnlyList<TraceMistake> Mistakes { get; } = [];
}
