using System.Net;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Policies;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Replicas that fail, are slow, are drained or come and go.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task A_circuit_opens_after_failures_in_a_row_lets_one_through_and_opens_for_twice_as_long()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(2)), clock);
        var (requests, bad) = (new Requests(fleet, clock), fleet.Replicas[0]);
        await Break(requests, bad);
        Assert.Equal(("broken", false), (bad.State, bad.Usable));
        Assert.Contains("3 requests failed in a row", bad.Why, StringComparison.Ordinal);
        Assert.All(await requests.SendAsync(10), leg => Assert.NotEqual(bad, leg.Replica));

        clock.Advance(6); // half-open: one passes, until it is known what becomes of it
        var trials = (await requests.SendAsync(6)).FindAll(leg => leg.Replica == bad);
        Assert.Single(trials);
        requests.Fail(trials[0]);
        Assert.Equal("broken", bad.State);
        clock.Advance(9);
        Assert.Equal("broken", bad.State); // ten seconds this time
        clock.Advance(2);
        trials = (await requests.SendAsync(6)).FindAll(leg => leg.Replica == bad);
        Assert.Single(trials);
        trials[0].FirstToken(requests.Now);
        Assert.Equal("ready", bad.State);
        Assert.Contains("gets its share", bad.Why, StringComparison.Ordinal);
        clock.Advance(11);
        Assert.Equal(("ready", ""), (bad.State, bad.Why));
    }

    [Fact]
    public async Task A_trial_whose_client_left_is_followed_by_another()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(2)), clock);
        var (requests, bad) = (new Requests(fleet, clock), fleet.Replicas[0]);
        await Break(requests, bad);
        clock.Advance(6);
        var first = (await requests.SendAsync(6)).Single(leg => leg.Replica == bad);
        first.End(requests.Now, completed: false, 0, null, null);
        Assert.Single((await requests.SendAsync(6)).FindAll(leg => leg.Replica == bad));
    }

    [Fact]
    public async Task One_that_comes_back_gets_its_share_little_by_little()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(2)), clock);
        var (requests, back) = (new Requests(fleet, clock), fleet.Replicas[1]);
        fleet.Drain(back);
        var running = await requests.SendAsync(40);
        Assert.All(running, leg => Assert.Equal(fleet.Replicas[0], leg.Replica));
        running.ForEach(leg => leg.FirstToken(requests.Now));
        Assert.Equal("drained", back.State);
        fleet.Resume(back);
        var shares = new List<int>();
        for (var second = 0; second < 12; second++)
        {
            foreach (var leg in await requests.SendAsync(20))
            {
                leg.FirstToken(requests.Now);
                running.Add(leg);
            }

            shares.Add(back.InFlight);
            clock.Advance(1);
            foreach (var leg in running.FindAll(leg => leg.Replica != back).Take(20).ToList())
            {
                requests.Answer(leg, 0);
                running.Remove(leg);
            }
        }

        Assert.InRange(shares[0], 1, 8); // a tenth of what the other has
        Assert.True(shares[4] > shares[0] && shares[4] <= 30, string.Join(' ', shares));
        Assert.True(shares[11] > shares[4], string.Join(' ', shares));
        Assert.Equal(ReplicaState.NoLimit, back.Known.MostInFlight);
    }

    [Fact]
    public async Task One_much_slower_than_its_pool_is_put_aside_and_judged_afresh()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(4)), clock);
        var (requests, slow) = (new Requests(fleet, clock), fleet.Replicas[2]);
        for (var i = 0; i < 12; i++)
        {
            foreach (var leg in await requests.SendAsync(8))
                requests.Answer(leg, leg.Replica == slow ? 30 : 0.7);
        }

        Assert.Equal("outlier", slow.State);
        Assert.Contains("times as long as those of its pool", slow.Why, StringComparison.Ordinal);
        Assert.All(await requests.SendAsync(8), leg => Assert.NotEqual(slow, leg.Replica));
        await Fleets.Until(clock, () => slow.State == "ready");
        Assert.Equal(1, slow.Known.Slowness);
    }

    [Fact]
    public async Task Of_two_that_are_slow_only_a_third_of_the_pool_is_put_aside()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(5)), clock);
        var requests = new Requests(fleet, clock);
        for (var i = 0; i < 15; i++)
        {
            foreach (var leg in await requests.SendAsync(10))
                requests.Answer(leg, leg.Replica.Index < 2 ? 30 : 0.7);
            Assert.InRange(fleet.Replicas.Count(replica => replica.State == "outlier"), 0, 1);
        }
    }

    [Fact]
    public async Task A_replica_that_no_longer_answers_looks_is_unreachable_until_it_does()
    {
        var (clock, http) = (new HandClock(), new Answers());
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(2)), clock, http);
        var (requests, lost) = (new Requests(fleet, clock), fleet.Replicas[0]);
        http.Set("h100-sxm-0", HttpStatusCode.ServiceUnavailable);
        await Fleets.Until(clock, () => lost.State == "unreachable");
        Assert.Equal("GET /health answered 503: it is loading or out of order", lost.Why);
        Assert.All(await requests.SendAsync(6), leg => Assert.NotEqual(lost, leg.Replica));
        http.Set("h100-sxm-0", HttpStatusCode.Unauthorized);
        await Fleets.Until(clock, () => lost.Why == "its api_key is refused");
        http.Set("h100-sxm-0", null);
        await Fleets.Until(clock, () => lost.Why == "the connection was refused");
        http.Set("h100-sxm-0", HttpStatusCode.OK);
        await Fleets.Until(clock, () => lost.State == "ready");
        Assert.Contains(await requests.SendAsync(8), leg => leg.Replica == lost);
    }

    [Fact]
    public async Task While_no_replica_is_there_requests_wait_and_are_told_to_come_back_when_one_may_be()
    {
        var (clock, http) = (new HandClock(), new Answers());
        http.Set("h100-sxm-0", null);
        var setup = Fleets.Setup(Fleets.Pool(1)) with { Limits = new() { WaitSeconds = 5 } };
        await using var fleet = await Fleets.StartAsync(setup, clock, http);
        var requests = new Requests(fleet, clock);
        Assert.Equal(("starting", "the connection was refused"), (fleet.Replicas[0].State, fleet.Replicas[0].Why));
        var waiting = requests.PlaceAsync(requests.New());
        clock.Advance(6);
        var shed = (await waiting.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken)).Shed!.Value;
        Assert.Equal((ShedLimit.MaxWait, 30.0), (shed.Limit, shed.RetryAfterSeconds));
        Assert.Empty(fleet.TakeMeters()); // what never was there is not paid for
        var later = requests.PlaceAsync(requests.New());
        http.Set("h100-sxm-0", HttpStatusCode.OK);
        await Fleets.Until(clock, () => later.IsCompleted, 0.5);
        Assert.NotNull((await later).Leg);
    }

    [Fact]
    public async Task Who_resumes_what_was_not_drained_changes_nothing()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool()), clock);
        fleet.Resume(fleet.Replicas[0]);
        Assert.Equal("", fleet.Replicas[0].Why);
        fleet.Drain(fleet.Replicas[0]);
        fleet.Resume(fleet.Replicas[0]);
        Assert.NotEqual("", fleet.Replicas[0].Why);
    }

    [Fact]
    public async Task Addresses_that_a_name_stands_for_come_and_go()
    {
        var clock = new HandClock();
        IPAddress[] found = [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2")];
        var pool = Fleets.Pool(0) with { Discover = "engines.test:8000" };
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(pool), clock, null, null, (host, _) =>
        {
            Assert.Equal("engines.test", host);
            return Task.FromResult(found);
        });
        var requests = new Requests(fleet, clock);
        Assert.Equal(["h100-sxm@10.0.0.1:8000", "h100-sxm@10.0.0.2:8000"], fleet.Replicas.Select(replica => replica.Name));
        Assert.Equal(new Uri("http://10.0.0.1:8000"), fleet.Replicas[0].Address);
        var there = (await requests.SendAsync(4)).FindAll(leg => leg.Replica.Index == 0);
        Assert.NotEmpty(there);
        found = [IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.3")];
        await Fleets.Until(clock, () => fleet.Replicas.Count == 3 && fleet.Replicas[2].State == "ready");
        Assert.Equal("draining", fleet.Replicas[0].State);
        Assert.All(await requests.SendAsync(6), sent => Assert.NotEqual(0, sent.Replica.Index));
        there.ForEach(leg => requests.Answer(leg));
        Assert.Equal(["h100-sxm@10.0.0.2:8000", "h100-sxm@10.0.0.3:8000"], fleet.Replicas.Select(replica => replica.Name));
        Assert.Equal(3, fleet.TakeMeters().Count); // the one that went is paid for until it did
        found = [];
        clock.Advance(25); // nothing is found: all stays
        Assert.Equal(2, fleet.Replicas.Count);
    }

    [Fact]
    public async Task Meters_hold_all_time_from_when_a_replica_is_first_there_until_it_is_gone()
    {
        var (clock, http) = (new HandClock(), new Answers());
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(2)), clock, http);
        var requests = new Requests(fleet, clock);
        var (records, usage, joules) = (new List<MeterRecord>(), 0.0, 0.0);
        for (var i = 0; i < 30; i++)
        {
            if (i == 10)
                http.Set("h100-sxm-1", null); // unreachable, and paid for all the same
            foreach (var leg in await requests.SendAsync(3))
            {
                var cost = requests.Answer(leg, 0.9);
                (usage, joules) = (usage + cost.UsageUsd, joules + cost.Joules);
            }

            clock.Advance(1.3);
            if (i % 5 == 4)
                records.AddRange(fleet.TakeMeters());
        }

        records.AddRange(fleet.TakeMeters());
        foreach (var name in new[] { "h100-sxm-0", "h100-sxm-1" })
        {
            var own = records.FindAll(record => record.Replica == name);
            Assert.All(own.Zip(own.Skip(1)), pair => Assert.Equal(pair.First.To, pair.Second.From));
            Assert.Equal(120 * 3.0 / 3600, (double)own.Sum(record => record.Paid.Value), 1e-8);
        }

        Assert.Equal((double)records.Sum(record => record.Paid.Value - record.Idle.Value), usage, 1e-7);
        Assert.Equal(records.Sum(record => record.Joules - record.IdleJoules), joules, joules * 1e-9);
        Assert.Equal(fleet.Totals().Sum(total => total.UsdPaid), (double)records.Sum(record => record.Paid.Value), 1e-7);
    }

    private static async Task Break(Requests requests, LiveReplica bad)
    {
        while (bad.State == "ready")
        {
            var leg = await requests.SendAsync();
            if (leg.Replica == bad)
                requests.Fail(leg);
        }
    }
}
