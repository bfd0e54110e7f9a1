using TokenFactory.Gateway.Live;
using TokenFactory.Policies;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Requests find replicas, wait, and are told the truth where they do not.</summary>
public sealed class PlacingTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_request_is_placed_at_once_and_its_end_lets_the_next_go_on()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(1, Fleets.Facts(most: 2))), clock);
        var requests = new Requests(fleet, clock);
        var legs = await requests.SendAsync(4); // two run, two queue in the engine
        var waiting = requests.PlaceAsync(requests.New());
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, fleet.WaitingOf(0));
        requests.Answer(legs[0]);
        var placement = await waiting.WaitAsync(Guard, TestContext.Current.CancellationToken);
        Assert.NotNull(placement.Leg);
        Assert.Equal((0, 4), (fleet.WaitingOf(0), fleet.Replicas[0].InFlight));
    }

    [Fact]
    public async Task What_is_too_long_for_every_replica_is_refused_in_words()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(1, Fleets.Facts(longest: 8192))), clock);
        var requests = new Requests(fleet, clock);
        var placement = await requests.PlaceAsync(requests.New(9000));
        Assert.Equal("The prompt has about 9,000 tokens; replicas of 'm' take less than 8,192. Shorten it.", placement.Refused);
        Assert.Equal(0, fleet.WaitingOf(0));
    }

    [Fact]
    public async Task Who_waits_too_long_is_shed_and_told_how_long_the_line_takes()
    {
        var clock = new HandClock();
        var setup = Fleets.Setup(Fleets.Pool(1, Fleets.Facts(most: 2))) with { Limits = new() { WaitSeconds = 20 } };
        await using var fleet = await Fleets.StartAsync(setup, clock);
        var requests = new Requests(fleet, clock);
        var running = new Queue<Leg>(await requests.SendAsync(4));
        var waiting = new Queue<Task<Placement>>(Enumerable.Range(0, 40).Select(_ => requests.PlaceAsync(requests.New())));
        while (running.TryDequeue(out var leg))
        {
            requests.Answer(leg, seconds: 1); // one a second
            if (waiting.Count <= 20)
                break;
            running.Enqueue((await waiting.Dequeue().WaitAsync(Guard, TestContext.Current.CancellationToken)).Leg!);
        }

        var shed = (await waiting.Peek().WaitAsync(Guard, TestContext.Current.CancellationToken)).Shed!.Value;
        Assert.Equal(ShedLimit.MaxWait, shed.Limit);
        Assert.InRange(shed.Actual, 20, 20.1);
        Assert.InRange(shed.RetryAfterSeconds, 15, 20); // twenty wait with it, and one goes a second; none may wait longer
    }

    [Fact]
    public async Task More_than_may_wait_are_shed_at_once()
    {
        var clock = new HandClock();
        var setup = Fleets.Setup(Fleets.Pool(1, Fleets.Facts(most: 1))) with { Limits = new() { Waiting = 2 } };
        await using var fleet = await Fleets.StartAsync(setup, clock);
        var requests = new Requests(fleet, clock);
        var all = Enumerable.Range(0, 6).Select(_ => requests.PlaceAsync(requests.New())).ToList();
        Assert.Equal([true, true, true, false, false, true], all.Select(one => one.IsCompleted));
        var shed = (await all[5]).Shed!.Value;
        Assert.Equal((ShedLimit.MaxWaiting, 2.0), (shed.Limit, shed.Value));
    }

    [Fact]
    public async Task A_client_that_leaves_while_it_waits_leaves_nothing_behind()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(1, Fleets.Facts(most: 1))), clock);
        var requests = new Requests(fleet, clock);
        var legs = await requests.SendAsync(3);
        using var leaves = new CancellationTokenSource();
        var gone = requests.PlaceAsync(requests.New(), leaves.Token);
        var stays = requests.PlaceAsync(requests.New());
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.WaitAsync(Guard, TestContext.Current.CancellationToken));
        Assert.Equal(1, fleet.WaitingOf(0));
        requests.Answer(legs[0]);
        Assert.NotNull((await stays.WaitAsync(Guard, TestContext.Current.CancellationToken)).Leg);
        Assert.Equal(0, fleet.WaitingOf(0));
    }

    [Fact]
    public async Task A_request_that_only_a_broken_pool_could_serve_does_not_stop_the_line()
    {
        var clock = new HandClock();
        var http = new Answers();
        http.Set("l40s-0", null);
        var setup = Fleets.Setup(Fleets.Pool(1, Fleets.Facts(longest: 8192)), Fleets.Pool(1, Fleets.Facts("l40s", 1, longest: 32768)));
        await using var fleet = await Fleets.StartAsync(setup, clock, http);
        var requests = new Requests(fleet, clock);
        var asks = requests.PlaceAsync(requests.New(10_000));
        Assert.Equal("h100-sxm-0", (await requests.SendAsync()).Replica.Name);
        Assert.Equal(1, fleet.WaitingOf(0));
        http.Set("l40s-0", System.Net.HttpStatusCode.OK);
        await Fleets.Until(clock, () => asks.IsCompleted);
        Assert.Equal("l40s-0", (await asks).Leg!.Replica.Name);
    }

    [Fact]
    public async Task Answers_that_are_no_streams_do_not_look_like_prompts_for_ever()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(1)), clock);
        var requests = new Requests(fleet, clock);
        var leg = await requests.SendAsync(streams: false);
        var predicted = leg.Decision.Reason.A; // seconds to the first token
        clock.Advance(predicted + 1.1); // and a tick of the fleet's clock
        Assert.Equal(1, leg.Replica.Known.Generating);
        leg.End(requests.Now, true, 50, 1000, 0);
        Assert.Equal(0, leg.Replica.InFlight);
        Assert.Throws<InvalidOperationException>(() => leg.End(requests.Now, true, 50, 1000, 0));
    }

    [Fact]
    public async Task A_failed_request_is_tried_again_elsewhere_and_given_up_in_the_end()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(3)), clock);
        var requests = new Requests(fleet, clock);
        var first = await requests.SendAsync();
        var again = requests.Fail(first);
        Assert.Equal(RecoveryAction.Restart, again.Action);
        var second = await requests.SendAsync(again.Next);
        Assert.NotEqual(first.Replica, second.Replica);
        var third = await requests.SendAsync(requests.Fail(second).Next);
        Assert.NotEqual(second.Replica, third.Replica);
        Assert.Equal(RecoveryCause.Attempts, requests.Fail(third).Cause);
        var seen = (await requests.SendAsync()).Fail(requests.Now, Mishap.AnswerLost, 0, retryable: false).Decision;
        Assert.Equal((RecoveryAction.GiveUp, RecoveryCause.CannotContinue), (seen.Action, seen.Cause));
    }

    [Fact]
    public async Task A_fleet_that_closes_takes_nothing_new_and_ends_when_all_is_done()
    {
        var clock = new HandClock();
        await using var fleet = await Fleets.StartAsync(Fleets.Setup(Fleets.Pool(1)), clock);
        var requests = new Requests(fleet, clock);
        var leg = await requests.SendAsync();
        var closing = fleet.DrainAsync(TestContext.Current.CancellationToken);
        var refused = await requests.PlaceAsync(requests.New());
        Assert.True(refused.Closed && refused.Refused!.Contains("takes no more requests", StringComparison.Ordinal));
        Assert.False(closing.IsCompleted);
        requests.Answer(leg);
        await closing.WaitAsync(Guard, TestContext.Current.CancellationToken);
        Assert.Empty(fleet.Replicas);
        Assert.Equal(0, fleet.TakeMeters().Single().Idle.Value);
    }
}
