using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Load;

/// <summary>What became of the requests of a class, or of all.</summary>
public sealed class LoadTally
{
    private readonly SortedDictionary<string, long> _failures = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _messages = new(StringComparer.Ordinal);

    /// <summary>Nothing yet.</summary>
    /// <param name="promise">The class, with what it promises.</param>
    public LoadTally(ServiceClass promise) => Class = promise;

    /// <summary>The class.</summary>
    public ServiceClass Class { get; }

    /// <summary>Requests sent.</summary>
    public long Sent { get; internal set; }

    /// <summary>Answered in full.</summary>
    public long Completed { get; private set; }

    /// <summary>Of them, those that kept the promises of their class.</summary>
    public long Kept { get; private set; }

    /// <summary>Of them, those whose tokens the server did not count.</summary>
    public long WithoutUsage { get; private set; }

    /// <summary>Not answered in full.</summary>
    public long Failed { get; private set; }

    /// <summary>They, by what went wrong.</summary>
    public IReadOnlyDictionary<string, long> Failures => _failures;

    /// <summary>What the server said first, by what went wrong; nothing where it gave no reason.</summary>
    public IReadOnlyDictionary<string, string> Messages => _messages;

    /// <summary>Tokens of the prompts of those that were completed.</summary>
    public long PromptTokens { get; private set; }

    /// <summary>Of them, those that a cache held.</summary>
    public long CachedTokens { get; private set; }

    /// <summary>Tokens of their answers.</summary>
    public long OutputTokens { get; private set; }

    /// <summary>Times from sending to the first token.</summary>
    public TimeHistogram Ttft { get; } = new();

    /// <summary>Mean times per token after the first, of each request.</summary>
    public TimeHistogram Tpot { get; } = new();

    /// <summary>Times from sending to the end.</summary>
    public TimeHistogram EndToEnd { get; } = new();

    internal void End(LoadRow row, bool counted, string? message)
    {
        if (row.Outcome != LoadRow.Completed)
        {
            Failed++;
            _failures[row.Outcome] = _failures.GetValueOrDefault(row.Outcome) + 1;
            if (message is not null)
                _messages.TryAdd(row.Outcome, message);
            return;
        }

        Completed++;
        Kept += row.Kept ? 1 : 0;
        WithoutUsage += counted ? 0 : 1;
        (PromptTokens, CachedTokens, OutputTokens) =
            (PromptTokens + row.PromptTokens, CachedTokens + row.CachedTokens, OutputTokens + row.OutputTokens);
        EndToEnd.Add(Duration.OfSeconds(row.Ended - row.Sent));
        if (row.Ttft is { } first)
            Ttft.Add(Duration.OfSeconds(first));
        if (row.Tpot is { } each)
            Tpot.Add(Duration.OfSeconds(each));
    }
}

/// <summary>What a run found.</summary>
/// <param name="Seconds">From its start, or the end of its warm-up, to the last end, or to its set end where that came later.</param>
/// <param name="All">All requests.</param>
/// <param name="Classes">They by class, in the order of the traffic's.</param>
/// <param name="Behind">By how much requests were sent later than they should be.</param>
/// <param name="Stopped">Whether the user ended it.</param>
public sealed record LoadReport(double Seconds, LoadTally All, IReadOnlyList<LoadTally> Classes, TimeHistogram Behind, bool Stopped)
{
    /// <summary>Lateness in seconds that a run may have at its 99th percentile and still have kept its arrival times.</summary>
    public const double MostBehindSeconds = 0.05;

    /// <summary>Requests that ended before it counted.</summary>
    public long WarmUpRequests { get; init; }

    /// <summary>Of them, those that were not answered in full.</summary>
    public long WarmUpFailures { get; init; }

    /// <summary>Whether it could not keep up with its arrival times.</summary>
    public bool FellBehind => Behind.Percentile(0.99) > MostBehindSeconds;

    /// <summary>Requests under way on average.</summary>
    public double MeanConcurrency => Seconds > 0 ? All.EndToEnd.Sum / Seconds : 0;
}
