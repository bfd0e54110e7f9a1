using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Tests.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Policies;

/// <summary>Batch work in the slack of others, and requests whose replica fails.</summary>
public sealed class FillAndRecoveryTests
{
    private static readonly ServiceClass[] Classes = [Fleets.Chat with { TpotSeconds = 0.012 }, Fleets.Batch];

    private static readonly BatchFill Fill = new();

    private static FleetState Fleet(int chats, double kv = 400_000, int replicas = 1)
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(kv: kv, most: 256), replicas));
        state.Fill(0, chats);
        return state;
    }

    private static FillDecision Decide(FleetState state, double at = 1, double arrival = 0, int prompt = 200) => Fill.Decide(
        state.Snapshot, Fleets.Ask(1, prompt, 1, at: arrival), 0, ReplicaRole.Aggregated, Instant.AtSeconds(at));

    [Fact]
    public void Batch_fills_slack_and_no_more()
    {
        Assert.Equal((true, RoutingCause.Slack), (Decide(Fleet(10)).Takes, Decide(Fleet(10)).Reason.Cause));
        var full = Decide(Fleet(100));
        Assert.Equal((false, RoutingCause.NoSlack), (full.Takes, full.Reason.Cause));
        Assert.True(full.Reason.A > full.Reason.B);
        var cache = Decide(Fleet(10, kv: 13_000));
        Assert.Equal((false, RoutingCause.NoSlackInKv), (cache.Takes, cache.Reason.Cause));
    }

    [Fact]
    public void Batch_lets_others_go_first()
    {
        var state = Fleet(1);
        state.Queue(Fleets.Ask(2, serviceClass: 1));
        Assert.True(Decide(state).Takes);
        state.Queue(Fleets.Ask(3));
        Assert.Equal("1 requests with promises wait", Decide(state).Reason.ToString());
    }

    [Fact]
    public void A_deadline_presses_as_far_as_promises_hold()
    {
        var state = Fleet(10);
        state.Queue(Fleets.Ask(3));
        Assert.False(Decide(state, at: 1).Takes);
        var pressed = Decide(state, at: 3599);
        Assert.Equal((true, true), (pressed.Takes, pressed.Pressed));
        Assert.False(Decide(Fleet(250), at: 3599).Takes);
    }

    [Fact]
    public void Where_the_router_s_choice_has_no_slack_another_may_have()
    {
        var state = Fleet(100, replicas: 2);
        var ask = Fleets.Ask(1, 200, 1, prefix: new PrefixKey(1, 150));
        state.Send(ask, 0);
        state.Begin(ask, 0);
        var router = new PrefixAffinityRouter { GuardTokens = 1e9 };
        Assert.Equal(0, router.Decide(state.Snapshot, ask, ReplicaRole.Aggregated, default).Replica);
        Assert.Equal(1, Fill.Place(state.Snapshot, ask, ReplicaRole.Aggregated, router, default).Replica);
    }

    [Fact]
    public void What_was_generated_is_kept()
    {
        var ask = Fleets.Ask(1, 500) with { MaxTokens = 300 };
        var trouble = new Trouble(ask, Mishap.ReplicaFailed, 0, 120, true, default);
        var kept = new Recovery().Decide(Fleet(1).Snapshot, trouble, default);
        Assert.Equal((RecoveryAction.Continue, "continued after 120 tokens"), (kept.Action, kept.ToString()));
        Assert.Equal((620, 180, 1), (kept.Next!.PromptTokens, kept.Next.MaxTokens, kept.Next.Attempt));
        var cannot = new Recovery { ContinueAnswers = false };
        Assert.Equal(RecoveryCause.CannotContinue, cannot.Decide(Fleet(1).Snapshot, trouble, default).Cause);
        var unseen = cannot.Decide(Fleet(1).Snapshot, trouble with { Streamed = false }, default);
        Assert.Equal((RecoveryCause.OutputLost, 500), (unseen.Cause, unseen.Next!.PromptTokens));
    }

    [Fact]
    public void Tries_end() => Cases.Check(60, dice =>
    {
        var recovery = new Recovery { MaxAttempts = dice.Whole(1, 6) };
        var ask = Fleets.Ask(1);
        var sent = 1;
        var fleet = Fleet(1).Snapshot;
        while (recovery.Decide(fleet, new(ask, Mishap.AnswerLost, 0, dice.Whole(0, 9), true, default), default).Next is { } next)
            (ask, sent) = (next, sent + 1);
        Assert.Equal(recovery.MaxAttempts, sent);
    });

    [Fact]
    public void Retries_stay_a_share_of_the_traffic()
    {
        var state = Fleet(0);
        var recovery = new Recovery { FreeRetries = 5, MaxAttempts = 100 };
        for (var i = 0; i < 200; i++)
            state.Send(Fleets.Ask(i), 0);
        var retries = 0;
        var trouble = new Trouble(Fleets.Ask(1), Mishap.ReplicaFailed, 0, 0, false, default);
        while (recovery.Decide(state.Snapshot, trouble, default).Next is { } next && retries < 999)
        {
            state.Send(next, 0);
            retries++;
        }

        Assert.Equal(23, retries); // 23 of 223 is more than a tenth, 22 of 222 is not
        var refused = recovery.Decide(state.Snapshot, trouble, default);
        Assert.Equal("given up: 0.103 of the traffic is retries, max_retry_share is 0.1", refused.ToString());
    }

    [Theory]
    [InlineData(200, 60, RecoveryAction.Finish)]
    [InlineData(200, 0.5, RecoveryAction.Continue)]
    [InlineData(0, 60, RecoveryAction.Restart)]
    public void A_notice_lets_finish_what_will_be_done(int output, double left, RecoveryAction action)
    {
        var trouble = new Trouble(Fleets.Ask(1), Mishap.PreemptionNotice, 0, output, true, Instant.AtSeconds(left));
        Assert.Equal(action, new Recovery().Decide(Fleet(5).Snapshot, trouble, default).Action);
    }

    [Fact]
    public void After_its_deadline_nothing_is_tried()
    {
        var trouble = new Trouble(Fleets.Ask(1, serviceClass: 1), Mishap.ReplicaFailed, 0, 0, false, default);
        Assert.Equal(RecoveryCause.Deadline, new Recovery().Decide(Fleet(1).Snapshot, trouble, Instant.AtSeconds(3601)).Cause);
    }
}
