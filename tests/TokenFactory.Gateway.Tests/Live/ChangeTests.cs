using System.Net;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Live;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Replicas come and go in a fleet as its file changes; who stays loses nothing.</summary>
public sealed class ChangeTests
{
    private static readonly PrefixKey[] Prompt = [.. Enumerable.Range(1, 40).Select(i => new PrefixKey((ulong)i, i * 256))];

    [Fact]
    public async Task Who_stays_keeps_its_name_and_what_is_known_of_its_cache()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Model("a", "b").Setup, clock);
        var requests = new Requests(fleet, clock);
        var first = await requests.SendAsync(requests.New(10_240, prefix: Prompt));
        var (warm, cold) = first.Replica.Address.Host == "a" ? ("a", "b") : ("b", "a");
        requests.Answer(first);

        var gone = await fleet.BecomeAsync(Model(warm, "c", "d").Model, TestContext.Current.CancellationToken);

        Assert.Equal(cold, Assert.Single(gone).Address.Host);
        Assert.True(gone[0].Left.IsCompleted);
        Assert.Equal(new[] { "c", "d", warm }.Order(), fleet.Replicas.Select(replica => replica.Address.Host).Order());
        Assert.Equal(3, fleet.Replicas.Select(replica => replica.Name).Distinct().Count());
        Assert.All(fleet.Replicas, replica => Assert.True(replica.IsReady));
        var again = await requests.SendAsync(requests.New(10_240, prefix: Prompt));
        Assert.Same(first.Replica, again.Replica);
        Assert.Equal((first.Replica.Name, 1), (again.Replica.Name, again.Decision.FreshTokens));
        requests.Answer(again);
        Assert.Equal(4, fleet.TakeMeters().Count); // the one that went is paid for until it did
    }

    [Fact]
    public async Task Who_goes_ends_what_it_has_and_who_is_named_again_before_stays()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Model("a", "b").Setup, clock);
        var requests = new Requests(fleet, clock);
        var legs = await requests.SendAsync(8);
        var there = fleet.Replicas.Single(replica => replica.Address.Host == "a");
        var mine = legs.FindAll(leg => leg.Replica == there);
        Assert.NotEmpty(mine);

        await fleet.BecomeAsync(Model("b").Model, TestContext.Current.CancellationToken);
        Assert.Equal("draining", there.State);
        Assert.All(await requests.SendAsync(4), leg => Assert.NotSame(there, leg.Replica));
        await fleet.BecomeAsync(Model("b", "a").Model, TestContext.Current.CancellationToken);
        Assert.Equal(("ready", 2), (there.State, fleet.Replicas.Count));
        await fleet.BecomeAsync(Model("b").Model, TestContext.Current.CancellationToken);
        mine.ForEach(leg => requests.Answer(leg));
        await there.Left;
        Assert.Equal("b", Assert.Single(fleet.Replicas).Address.Host);
    }

    [Fact]
    public async Task Who_was_drained_by_an_operator_stays_so_and_who_does_not_answer_is_not_used()
    {
        var (clock, http) = (new HandClock(), new Answers());
        await using var fleet = await Fleets.StartAsync(Model("a", "b").Setup, clock, http);
        var requests = new Requests(fleet, clock);
        fleet.Drain(fleet.Replicas.Single(replica => replica.Address.Host == "a"));
        http.Set("c", null);

        await fleet.BecomeAsync(Model("c", "a", "b").Model, TestContext.Current.CancellationToken);

        Assert.All(await requests.SendAsync(6), leg => Assert.Equal("b", leg.Replica.Address.Host));
        http.Set("c", HttpStatusCode.OK);
        await Fleets.Until(clock, () => fleet.Replicas.All(replica => replica.Address.Host == "a" || replica.IsReady));
    }

    [Fact]
    public async Task A_waiting_request_goes_to_the_replica_that_comes()
    {
        var (clock, http) = (new HandClock(), new Answers());
        http.Set("a", null);
        await using var fleet = await Fleets.StartAsync(Model("a").Setup, clock, http);
        var requests = new Requests(fleet, clock);
        var waiting = requests.PlaceAsync(requests.New());
        Assert.False(waiting.IsCompleted);
        await fleet.BecomeAsync(Model("b").Model, TestContext.Current.CancellationToken);
        Assert.Equal("b", (await waiting).Leg!.Replica.Address.Host);
    }

    [Fact]
    public async Task A_replica_of_two_fleets_is_paid_once_and_what_runs_in_the_former_is_counted_with_it()
    {
        var clock = new HandClock();
        await using var former = await Fleets.StartAsync(Model("a", "b").Setup, clock);
        var requests = new Requests(former, clock);
        var leg = await requests.SendAsync();
        leg.FirstToken(requests.Now);
        clock.Advance(10);
        await using var next = await Fleets.StartAsync(Model("b", "a").Setup, clock);

        former.HandOver(next.Replicas.ToList());
        clock.Advance(50);

        var shown = ReplicaStatus.Of([next], [former]);
        Assert.Equal(["h100-sxm-0", "h100-sxm-1"], shown.Select(replica => replica.Name).Order());
        Assert.Equal(1, shown.Single(replica => replica.Address == leg.Replica.Address.ToString()).InFlight);
        Assert.Equal(1, shown.Sum(replica => replica.InFlight));
        var cost = leg.End(requests.Now, true, 100, null, null);
        var paid = former.TakeMeters().Concat(next.TakeMeters()).Sum(record => record.Paid.Value);
        Assert.Equal(60 * 2 * 3 / 3600.0, (double)paid, 6); // a minute of two replicas
        Assert.Equal(10 * 3 / 3600.0, cost.UsageUsd, 6);
        Assert.Empty(former.TakeMeters());
    }

    [Fact]
    public async Task Other_pools_and_many_more_replicas_need_another_fleet()
    {
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(6)), new HandClock());
        Assert.True(fleet.CanBecome(Of(Fleets.Pool(8))));
        Assert.False(fleet.CanBecome(Of(Fleets.Pool(9)))); // it would remember more prefixes, as its log's first line says
        Assert.False(fleet.CanBecome(Of(Fleets.Pool(), Fleets.Pool(facts: Fleets.Facts("l40s")))));
        Assert.False(fleet.CanBecome(Of(Fleets.Pool(facts: Fleets.Facts("l40s")))));
    }

    private static ModelSetup Of(params PoolSetup[] pools) => Fleets.Setup(pools).Models[0];

    private static (GatewaySetup Setup, ModelSetup Model) Model(params string[] hosts)
    {
        var replicas = hosts.Select((host, i) => new ReplicaSetup($"h100-sxm-{i}", new Uri($"http://{host}"))).ToList();
        var setup = Fleets.Setup(Fleets.Pool() with { Replicas = replicas });
        return (setup, setup.Models[0]);
    }
}
