using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>What was asked for and answered in a span of time, without work that only fills slack.</summary>
/// <param name="Arrivals">Requests that came, retries not counted.</param>
/// <param name="PromptTokens">Tokens of their prompts.</param>
/// <param name="SentPromptTokens">Prompt tokens of what was sent to replicas.</param>
/// <param name="SentFreshTokens">Those of them that had to be computed, as far as the senders knew.</param>
/// <param name="Completed">Complete answers.</param>
/// <param name="OutputTokens">Tokens of answers.</param>
public readonly record struct Demand(
    long Arrivals, long PromptTokens, long SentPromptTokens, long SentFreshTokens, long Completed, long OutputTokens)
{
    /// <summary>Both together.</summary>
    public static Demand operator +(Demand left, Demand right) => new(
        left.Arrivals + right.Arrivals,
        left.PromptTokens + right.PromptTokens,
        left.SentPromptTokens + right.SentPromptTokens,
        left.SentFreshTokens + right.SentFreshTokens,
        left.Completed + right.Completed,
        left.OutputTokens + right.OutputTokens);
}

/// <summary>Demand of the last days in spans of equal length; what is older is forgotten.</summary>
public sealed class DemandHistory
{
    private readonly Demand[] _spans;
    private readonly long _nanoseconds;

    internal DemandHistory(double spanSeconds = 10, double keptSeconds = 2 * 86400)
    {
        _nanoseconds = Duration.OfSeconds(spanSeconds).Nanoseconds;
        _spans = new Demand[(int)Math.Ceiling(keptSeconds / spanSeconds)];
    }

    /// <summary>Length of a span in seconds.</summary>
    public double SpanSeconds => _nanoseconds * 1e-9;

    /// <summary>Number of the newest span; span n covers the time from n to n + 1 times its length.</summary>
    public long Newest { get; private set; } = -1;

    /// <summary>Number of the first span that something was noted in.</summary>
    public long First { get; private set; } = -1;

    /// <summary>Number of the span that an instant lies in.</summary>
    public long SpanOf(Instant at) => Math.DivRem(at.Nanoseconds, _nanoseconds) is var (whole, rest) && rest < 0 ? whole - 1 : whole;

    /// <summary>Demand of a span; none where it is forgotten or yet to come.</summary>
    public Demand Of(long span) =>
        span < First || span > Newest || span <= Newest - _spans.Length || First < 0 ? default : _spans[span % _spans.Length];

    /// <summary>Demand of several spans.</summary>
    /// <param name="first">The first.</param>
    /// <param name="last">The last, included.</param>
    public Demand Between(long first, long last)
    {
        var sum = default(Demand);
        for (var span = Math.Max(first, Newest - _spans.Length + 1); span <= Math.Min(last, Newest); span++)
            sum += Of(span);
        return sum;
    }

    internal void Add(Instant at, Demand demand)
    {
        var span = Math.Max(0, SpanOf(at));
        if (First < 0)
            (First, Newest) = (span, span);
        for (var forgotten = Math.Max(Newest + 1, span - _spans.Length + 1); forgotten <= span; forgotten++)
            _spans[forgotten % _spans.Length] = default;
        Newest = Math.Max(Newest, span);
        if (span > Newest - _spans.Length)
            _spans[span % _spans.Length] += demand;
        First = Math.Min(First, span);
    }
}
