using TokenFactory.Units;

namespace TokenFactory.Workload.Traces;

/// <summary>A recorded trace, sent again at its recorded times: later turns of its sessions wait for no answer either.</summary>
public sealed record TracePlan : StreamPlan
{
    /// <summary>The lines of the trace from the first on, each time it is asked.</summary>
    public required Func<IEnumerable<string>> Lines { get; init; }

    /// <summary>What a check found in it, with the same options.</summary>
    public required TraceContents Contents { get; init; }

    /// <summary>What is made of it.</summary>
    public TraceOptions Options { get; init; } = new();

    /// <inheritdoc/>
    public override ITraffic Traffic(ulong seed) => new TraceTraffic(this, seed);
}

/// <summary>The requests of a recorded trace.</summary>
public sealed class TraceTraffic : ITraffic, IDisposable
{
    private readonly Dictionary<string, int> _classes;
    private readonly TraceLog _log = new();
    private readonly TracePlan _plan;
    private readonly IEnumerator<TraceRow> _rows;
    private readonly Dictionary<string, int> _tenants;

    /// <summary>The requests of a plan.</summary>
    /// <exception cref="TraceException">The check of the trace found mistakes.</exception>
    public TraceTraffic(TracePlan plan, ulong seed)
    {
        if (plan.Contents.Mistakes.Count > 0)
            throw new TraceException(plan.Contents.Mistakes);
        _plan = plan;
        Classes = Names(plan.Contents.Classes, plan.Contents.HasUnclassed, plan.Class);
        Tenants = Names(plan.Contents.Tenants, plan.Contents.HasTenantless, plan.Tenant);
        (_classes, _tenants) = (Indexes(Classes), Indexes(Tenants));
        _rows = TraceReader.Rows(plan.Lines(), _log).Shaped(plan.Options, seed).GetEnumerator();
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Tenants { get; }

    /// <inheritdoc/>
    public long? Expected => _plan.Options.Scale == Math.Floor(_plan.Options.Scale)
        ? _plan.Contents.Requests * (long)_plan.Options.Scale
        : null;

    /// <inheritdoc/>
    /// <exception cref="TraceException">The trace is not the one that was checked.</exception>
    public Request? Next()
    {
        if (!_rows.MoveNext())
            return null;
        var row = _rows.Current;
        if (_log.MistakeCount > 0)
            throw new TraceException(_log.Mistakes);
        return new Request
        {
            Id = RequestNumber.Of(row.Line, row.Copy),
            Arrival = Instant.AtSeconds(row.Seconds),
            PromptTokens = row.InputTokens,
            Prompt = row.Prefix,
            Script = new Script(row.MaxTokens > 0 ? row.OutputTokens : _plan.Limited(row.OutputTokens), row.Answer),
            MaxTokens = row.MaxTokens > 0 ? row.MaxTokens : _plan.MaxTokens,
            Class = Index(_classes, row.Class ?? _plan.Class),
            Tenant = Index(_tenants, row.Tenant ?? _plan.Tenant),
            Session = row.Session is { } session ? RequestNumber.SessionOf(session) : -1,
            Turn = row.Turn,
        };
    }

    /// <inheritdoc/>
    public Request? After(Request ended, Instant at, bool completed) => null;

    /// <summary>Closes the file.</summary>
    public void Dispose() => _rows.Dispose();

    private static List<string> Names(IReadOnlyList<string> named, bool hasOthers, string others) =>
        [.. hasOthers ? named.Append(others).Distinct(StringComparer.Ordinal) : named];

    private static Dictionary<string, int> Indexes(IReadOnlyList<string> names) =>
        names.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);

    private static int Index(Dictionary<string, int> names, string name) =>
        names.TryGetValue(name, out var index)
            ? index
            : throw new TraceException($"The trace names '{name}', which it did not when it was checked.");
}
