using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Requests of a test at a live fleet.</summary>
internal sealed class Requests(LiveFleet fleet, HandClock clock)
{
    private readonly WallClock _wall = new(clock);
    private long _ids;

    public Instant Now => _wall.Now;

    public Ask New(int prompt = 1000, int kind = 0, int tenant = 0, int maxTokens = 0, PrefixKey[]? prefix = null) => new()
    {
        Id = Interlocked.Increment(ref _ids),
        Arrival = Now,
        PromptTokens = prompt,
        Class = kind,
        Tenant = tenant,
        MaxTokens = maxTokens,
        Prefix = prefix ?? [],
    };

    public Task<Placement> PlaceAsync(Ask ask, CancellationToken? cancel = null, bool streams = true) =>
        fleet.PlaceAsync(ask, cancel ?? TestContext.Current.CancellationToken, streams).AsTask();

    /// <summary>One that must find a replica at once.</summary>
    public async Task<Leg> SendAsync(Ask? ask = null, bool streams = true)
    {
        var placing = PlaceAsync(ask ?? New(), null, streams);
        Assert.True(placing.IsCompleted, "it waits");
        var placement = await placing;
        Assert.True(placement.Leg is not null, placement.Refused ?? placement.Shed.ToString());
        return placement.Leg!;
    }

    public async Task<List<Leg>> SendAsync(int count)
    {
        var legs = new List<Leg>();
        for (var i = 0; i < count; i++)
            legs.Add(await SendAsync());
        return legs;
    }

    public LegCost Answer(Leg leg, double seconds = 1, int tokens = 100)
    {
        leg.FirstToken(Now);
        clock.Advance(seconds);
        return leg.End(Now, true, tokens, null, null);
    }

    public RecoveryDecision Fail(Leg leg) => leg.Fail(Now, Mishap.ReplicaFailed, 0, retryable: true).Decision;
}
