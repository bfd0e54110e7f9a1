namespace TokenFactory.Workload.Traces;

/// <summary>What a trace holds, as far as one must know before it is sent.</summary>
public sealed record TraceContents
{
    /// <summary>How it is written; null where nobody knows.</summary>
    public TraceFormat? Format { get; init; }

    /// <summary>Requests of the slice.</summary>
    public long Requests { get; init; }

    /// <summary>Rows left out as they hold no prompt or no answer.</summary>
    public long Failed { get; init; }

    /// <summary>Rows that were put back in order.</summary>
    public long Reordered { get; init; }

    /// <summary>Latest arrival in seconds, after slicing and before any speed-up.</summary>
    public double LastSeconds { get; init; }

    /// <summary>Tokens of the longest prompt.</summary>
    public int LongestPromptTokens { get; init; }

    /// <summary>The line that it is in.</summary>
    public long LongestPromptLine { get; init; }

    /// <summary>Service classes that rows name, in the order of their first.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Tenants that rows name, in the order of their first.</summary>
    public IReadOnlyList<string> Tenants { get; init; } = [];

    /// <summary>Whether some rows name no class.</summary>
    public bool HasUnclassed { get; init; }

    /// <summary>Whether some rows name no tenant.</summary>
    public bool HasTenantless { get; init; }

    /// <summary>What is wrong with it, at most <see cref="TraceLog.MostMistakes"/>; line 0 for the whole.</summary>
    public IReadOnlyList<TraceMistake> Mistakes { get; init; } = [];

    /// <summary>How many mistakes there are in all.</summary>
    public long MistakeCount { get; init; }
}

/// <summary>Reads a trace once from beginning to end before it is used, so that what is wrong is said before anything runs.</summary>
public static class TraceCheck
{
    /// <summary>Most service classes, and most tenants, of one trace.</summary>
    public const int MostNames = 10_000;

    /// <summary>What a trace holds.</summary>
    /// <param name="lines">Its lines.</param>
    /// <param name="options">What will be made of it.</param>
    public static TraceContents Of(IEnumerable<string> lines, TraceOptions options)
    {
        var log = new TraceLog();
        var (classes, tenants) = (new NameList(), new NameList());
        var requests = 0L;
        var last = 0.0;
        var (longest, longestLine) = (0, 0L);
        var plain = options with { Speedup = 1, Scale = 1 };
        foreach (var row in TraceReader.Rows(lines, log).Shaped(plain, 0))
        {
            requests++;
            last = row.Seconds;
            if (row.InputTokens > longest)
                (longest, longestLine) = (row.InputTokens, row.Line);
            classes.Add(row.Class, "class", row.Line, log);
            tenants.Add(row.Tenant, "tenant", row.Line, log);
        }

        if (requests == 0 && log.MistakeCount == 0)
            log.Note(0, $"none of its requests lies in the slice; it holds {log.Rows}", "Widen the slice");
        return new TraceContents
        {
            Format = log.Format,
            Requests = requests,
            Failed = log.Failed,
            Reordered = log.Reordered,
            LastSeconds = last,
            LongestPromptTokens = longest,
            LongestPromptLine = longestLine,
            Classes = classes.Names,
            Tenants = tenants.Names,
            HasUnclassed = classes.HasOthers,
            HasTenantless = tenants.HasOthers,
            Mistakes = log.Mistakes,
            MistakeCount = log.MistakeCount,
        };
    }

    private sealed class NameList
    {
        private readonly HashSet<string> _known = new(StringComparer.Ordinal);

        public List<string> Names { get; } = [];

        public bool HasOthers { get; private set; }

        public void Add(string? name, string what, long line, TraceLog log)
        {
            if (name is null)
                HasOthers = true;
            else if (_known.Count > MostNames || !_known.Add(name))
                return;
            else if (_known.Count > MostNames)
                log.Note(line, $"names the {_known.Count:N0}th {what}", $"Name at most {MostNames:N0}");
            else
                Names.Add(name);
        }
    }
}
