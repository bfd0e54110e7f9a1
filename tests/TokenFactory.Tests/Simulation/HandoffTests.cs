using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Tests.Simulation;

/// <summary>KV caches on their way from those who compute prompts to those who answer.</summary>
public sealed class HandoffTests
{
    private const double Link = 1e9;
    private const double TokenBytes = 1e6;

    [Theory]
    [InlineData(1, 1, 1, 1.0)]
    [InlineData(1, 1, 2, 2.0)] // both ends are shared
    [InlineData(1, 2, 2, 2.0)] // who sends has one link
    [InlineData(2, 1, 2, 2.0)] // and who takes
    [InlineData(2, 2, 2, 1.0)]
    [InlineData(1, 2, 4, 4.0)]
    public void Transfers_share_the_links_of_both_ends_evenly(int prompts, int answers, int together, double seconds)
    {
        var run = Watched.Run(Split(prompts, answers, [.. Enumerable.Range(0, together).Select(_ => (0.0, 1000, 10))]));
        var computed = run.Events.Where(one => one.Kind == FleetEventKind.Ended && run.Hosts[one.Replica] == 0).Max(one => one.At.Seconds);
        Assert.All(run.Rows, row => Assert.Equal(seconds, row.FirstTokenSeconds - computed, 0.02));
        Assert.All(run.Rows, row => Assert.Equal(("completed", 10, 1), (row.Outcome, row.OutputTokens, row.Attempts)));
    }

    [Fact]
    public void A_transfer_speeds_up_when_it_is_alone_again()
    {
        var run = Watched.Run(Split(1, 1, (0, 1000, 2), (0.5, 2000, 2)));
        // The first begins alone, has about half left when the second comes, and shares the rest of its way.
        Assert.Equal(1.5, run.Row(0).FirstTokenSeconds, 0.1);
        Assert.Equal(3, run.Row(1).FirstTokenSeconds, 0.15);
    }

    [Fact]
    public void Nothing_passes_a_lost_link_and_what_was_under_way_goes_on_afterwards()
    {
        var plan = Split(1, 1, (0, 1000, 10));
        var plain = Watched.Run(plan).Rows[0].FirstTokenSeconds;
        Assert.Equal(plain + 9.5, First(new LinkLoss { AtSeconds = 0.5, ForSeconds = 9.5 }), 1e-6);
        Assert.Equal(
            plain + 9.5, First(new LinkLoss { AtSeconds = 0.5, ForSeconds = 9.5 }, new LinkLoss { AtSeconds = 2, ForSeconds = 1 }), 1e-6);

        double First(params Fault[] faults) => Watched.Run(plan with { Faults = faults }).Rows[0].FirstTokenSeconds;
    }

    [Fact]
    public void A_prompt_whose_replica_crashes_before_it_is_fetched_is_computed_again()
    {
        var run = Watched.Run(Split(2, 1, (0, 1000, 10)) with { Faults = [new Crashes { AtSeconds = [0.5], Pool = 0 }] });
        Assert.Equal(("completed", 10, 2), (run.Rows[0].Outcome, run.Rows[0].OutputTokens, run.Rows[0].Attempts));
        Assert.InRange(run.Rows[0].FirstTokenSeconds, 1.5, 1.8);
    }

    [Fact]
    public void Whoever_drains_keeps_what_it_computed_until_it_is_fetched()
    {
        var plan = Split(2, 1, (0, 3000, 10), (0, 3000, 10), (100, 100, 1));
        var scaled = plan with
        {
            Pools = [plan.Pools[0] with { Scaler = () => new ListedScaler((0, 2), (1, 1)) }, plan.Pools[1]],
            ScaleSeconds = 1,
        };
        var run = Watched.Run(scaled);
        Assert.All(run.Rows, row => Assert.Equal(("completed", 1), (row.Outcome, row.Attempts)));
        var gone = run.Events.Single(one => one.Kind == FleetEventKind.Gone);
        Assert.InRange(gone.At.Seconds, 5.9, 6.5); // two transfers of three seconds share the link of who takes them
    }

    [Fact]
    public void An_answer_that_loses_its_blocks_has_not_lost_its_replica()
    {
        var plan = Split(1, 1, [.. Enumerable.Range(0, 4).Select(_ => (0.0, 100, 150))]);
        var tight = plan.Pools[1] with
        {
            Engine = plan.Pools[1].Engine with { Blocks = 40 },
            Facts = plan.Pools[1].Facts with { KvTokens = 1e9 }, // those who steer believe in more
        };
        var run = Watched.Run(plan with { Pools = [plan.Pools[0], tight] });
        Assert.All(run.Rows, row => Assert.Equal(("completed", 1, 150), (row.Outcome, row.Attempts, row.OutputTokens)));
        Assert.True(run.Report.Requests.Preemptions > 0);
    }

    /// <summary>Pools between which a token takes a thousandth of a second.</summary>
    internal static FleetPlan Split(int prompts, int answers, params (double, int, int)[] requests) =>
        Fleets.Plan(Listed.Of(requests), Pool("prompts", ReplicaRole.Prefill, prompts), Pool("answers", ReplicaRole.Decode, answers)) with
        {
            Recovery = new Recovery { MaxAttempts = 5 },
        };

    private static PoolPlan Pool(string name, ReplicaRole role, int replicas) =>
        (Fleets.Order(Fleets.Small, name) with { Role = role, Replicas = replicas }).Plan() with
        {
            LinkBytesPerSecond = Link,
            KvBytes = tokens => tokens * TokenBytes,
        };
}
