using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Simulation;

/// <summary>Requests of a list, numbered from 0.</summary>
internal sealed class Listed(IReadOnlyList<(double At, int Prompt, int Output)> requests) : ITraffic
{
    private int _next;

    public IReadOnlyList<string> Classes => ["default"];

    public IReadOnlyList<string> Tenants => ["default"];

    public long? Expected => requests.Count;

    public static Func<ulong, ITraffic> Of(params (double At, int Prompt, int Output)[] requests) => _ => new Listed(requests);

    public Request? Next()
    {
        if (_next >= requests.Count)
            return null;
        var (at, prompt, output) = requests[_next];
        return new Request { Id = _next++, Arrival = Instant.AtSeconds(at), PromptTokens = prompt, Script = new Script(output) };
    }

    public Request? After(Request ended, Instant at, bool completed) => null;
}

/// <summary>Wants what a list says from each of its times on.</summary>
internal sealed class ListedScaler(params (double At, int Replicas)[] wanted) : IScaler
{
    public ScalingDecision Decide(FleetSnapshot fleet, int pool, Instant now) =>
        new(wanted.Last(one => one.At <= now.Seconds).Replicas, new(ScalingCause.Fits));
}
