using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>
/// Clients that each send the next request when the last one ended. Where they share a number of requests, the k-th that is sent is the
/// same whoever sends it; else the k-th of each client is. A client whose request failed tries the next one no sooner than
/// <see cref="PauseAfterFailure"/>, so that a fleet which refuses at once is not asked a billion times a second.
/// </summary>
public sealed class ClosedTraffic : ITraffic
{
    private readonly PromptSegment[] _opening;
    private readonly ClosedPlan _plan;
    private readonly ulong _seed;
    private int _begun;
    private long _taken;

    /// <summary>The requests of a plan.</summary>
    public ClosedTraffic(ClosedPlan plan, ulong seed) => (_plan, _seed, _opening) = (plan, seed, plan.Opening(seed));

    /// <summary>Least time between a failure and the next request of its client.</summary>
    public static Duration PauseAfterFailure { get; } = Duration.OfSeconds(1);

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes => [_plan.Class];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tenants => [_plan.Tenant];

    /// <inheritdoc/>
    public long? Expected => _plan.Requests ?? (long?)_plan.RequestsPerClient * _plan.Clients;

    /// <inheritdoc/>
    public Request? Next()
    {
        if (_begun >= _plan.Clients || _plan.RequestsPerClient <= 0)
            return null;
        var client = _begun++;
        var number = Number(client, 0);
        return number < 0 ? null : Made(number, Instant.AtSeconds(_plan.RampSeconds * client / _plan.Clients), Numbered(number));
    }

    /// <inheritdoc/>
    public Request? After(Request ended, Instant at, bool completed)
    {
        var number = Number(RequestNumber.Session(ended.Id), RequestNumber.Turn(ended.Id) + 1);
        if (number < 0)
            return null;
        var draws = Numbered(number);
        var pause = Duration.OfSeconds(_plan.Think.Draw(draws)).Nanoseconds;
        var least = completed ? Duration.Tick : PauseAfterFailure;
        return Made(number, at + new Duration(Math.Max(pause, least.Nanoseconds)), draws);
    }

    /// <summary>The number of the next request of a client; -1 where there is none.</summary>
    private long Number(long client, int turn)
    {
        if (_plan.Requests is { } all)
            return _taken < all ? RequestNumber.Of(_taken++, 0) : -1;
        return turn < Math.Min(_plan.RequestsPerClient ?? int.MaxValue, RequestNumber.MostTurns) ? RequestNumber.Of(client, turn) : -1;
    }

    private Draws Numbered(long number) => new(_seed, "requests of " + _plan.Name, number);

    private Request Made(long number, Instant at, Draws draws)
    {
        var (input, output) = _plan.Lengths.Draw(draws);
        return new Request
        {
            Id = number,
            Arrival = at,
            PromptTokens = _plan.SystemPromptTokens + input,
            Prompt = _opening,
            Script = new Script(_plan.Limited(output)),
            MaxTokens = _plan.MaxTokens,
        };
    }
}
