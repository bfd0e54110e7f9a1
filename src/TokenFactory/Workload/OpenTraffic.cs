using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>Requests of one stream that wait for nobody.</summary>
public sealed class OpenTraffic : ITraffic
{
    private readonly Arrivals _arrivals;
    private readonly Draws _lengths;
    private readonly PromptSegment[] _opening;
    private readonly OpenPlan _plan;
    private long _sent;

    /// <summary>The requests of a plan.</summary>
    public OpenTraffic(OpenPlan plan, ulong seed)
    {
        _plan = plan;
        _arrivals = new Arrivals(plan.Arrivals, new Draws(seed, "arrivals of " + plan.Name));
        _lengths = new Draws(seed, "lengths of " + plan.Name);
        _opening = plan.Opening(seed);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes => [_plan.Class];

    /// <inheritdoc/>
    public IReadOnlyList<string> Tenants => [_plan.Tenant];

    /// <inheritdoc/>
    public long? Expected => _plan.Requests;

    /// <inheritdoc/>
    public Request? Next()
    {
        var at = _sent >= _plan.Requests ? Instant.Never : _arrivals.Next();
        if (at == Instant.Never)
            return null;
        var (input, output) = _plan.Lengths.Draw(_lengths);
        return new Request
        {
            Id = RequestNumber.Of(_sent++, 0),
            Arrival = at,
            PromptTokens = _plan.SystemPromptTokens + input,
            Prompt = _opening,
            Script = new Script(_plan.Limited(output)),
            MaxTokens = _plan.MaxTokens,
        };
    }

    /// <inheritdoc/>
    public Request? After(Request ended, Instant at, bool completed) => null;
}
