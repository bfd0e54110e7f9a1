using TokenFactory.Tests.Laws;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Workload;

/// <summary>Traffic follows from its seed, in order, with identities that say what prompts share.</summary>
public sealed class TrafficTests
{
    private static readonly Lengths Some = new PairedLengths(new Uniform(50, 150), new Uniform(10, 60));

    [Fact]
    public void The_same_seed_gives_the_same_requests_whatever_the_fleet_does() =>
        Cases.Check(20, dice =>
        {
            var plan = Mixed(dice);
            var seed = (ulong)dice.Whole(0, 1 << 30);
            var fast = TrafficOf.Served(plan(seed), _ => 0.001);
            var slow = TrafficOf.Served(plan(seed), request => 0.05 * request.Script.OutputTokens);
            Assert.Equal(fast.Select(TrafficOf.Text).Order(StringComparer.Ordinal), slow.Select(TrafficOf.Text).Order(StringComparer.Ordinal));
            Assert.Equal(TrafficOf.Served(plan(seed), _ => 0.5).Select(TrafficOf.Timed), TrafficOf.Served(plan(seed), _ => 0.5).Select(TrafficOf.Timed));
            Assert.NotEqual(fast.Select(TrafficOf.Text), TrafficOf.Served(plan(seed + 1), _ => 0.001).Select(TrafficOf.Text));
        });

    [Fact]
    public void Merged_requests_are_in_order_with_numbers_of_their_own() =>
        Cases.Check(20, dice =>
        {
            var traffic = Mixed(dice)((ulong)dice.Whole(0, 1 << 30));
            var open = TrafficOf.Open(traffic);
            Assert.All(open.Zip(open.Skip(1)), pair => Assert.True(pair.First.Arrival <= pair.Second.Arrival));
            var served = TrafficOf.Served(Mixed(dice)(3), _ => 0.2);
            Assert.Equal(served.Count, served.Select(request => request.Id).Distinct().Count());
            Assert.All(served, request => Assert.True(request.Id >= 0 && request.PromptTokens >= 1 && request.Script.OutputTokens >= 1));
        });

    [Fact]
    public void Merging_gives_every_request_the_class_and_tenant_of_its_stream()
    {
        var traffic = new MergedTraffic([Open("a", 5, 30).Traffic(1), Open("b", 5, 40).Traffic(1), (Open("c", 5, 20) with { Class = "a", Tenant = "x" }).Traffic(1)]);
        var requests = TrafficOf.Open(traffic);
        Assert.Equal(["a", "b"], traffic.Classes);
        Assert.Equal(["of a", "of b", "x"], traffic.Tenants);
        Assert.Equal([50, 40], requests.GroupBy(request => request.Class).OrderBy(group => group.Key).Select(group => group.Count()));
        Assert.Equal([30, 40, 20], requests.GroupBy(request => request.Tenant).OrderBy(group => group.Key).Select(group => group.Count()));
        Assert.Equal(90, traffic.Expected);
    }

    [Fact]
    public void A_stream_does_not_move_when_another_joins()
    {
        var alone = TrafficOf.Open(new MergedTraffic([Open("a", 5, 100).Traffic(9)]));
        var beside = TrafficOf.Open(new MergedTraffic([Open("a", 5, 100).Traffic(9), Open("b", 50, 100).Traffic(9)])).Where(request => request.Class == 0);
        Assert.Equal(alone.Select(TrafficOf.Timed), beside.Select(TrafficOf.Timed));
    }

    [Fact]
    public void A_turn_begins_with_all_of_the_turn_before_and_its_answer() =>
        Cases.Check(20, dice =>
        {
            var plan = Talks(dice) with { Sessions = 20 };
            var requests = TrafficOf.Served(plan.Traffic((ulong)dice.Whole(0, 1 << 30)), _ => 1);
            foreach (var session in requests.GroupBy(request => request.Session))
            {
                var turns = session.OrderBy(request => request.Turn).ToList();
                Assert.Equal(Enumerable.Range(0, turns.Count), turns.Select(request => request.Turn));
                Assert.All(turns, turn => Assert.Equal(turn.PromptTokens, turn.Prompt.ToArray().Sum(piece => piece.Tokens)));
                foreach (var (before, after) in turns.Zip(turns.Skip(1)))
                {
                    PromptSegment[] held = [.. before.Prompt.Span, new PromptSegment(before.Script.OutputContent, before.Script.OutputTokens)];
                    Assert.Equal(held, after.Prompt.ToArray()[..held.Length]);
                    Assert.Equal(held.Length + 1, after.Prompt.Length);
                }

                Assert.All(turns, turn => Assert.True(turn.PromptTokens + turn.Script.OutputTokens <= plan.MaxContextTokens));
            }

            var opening = plan.SystemPromptTokens > 0 ? 1 : 0;
            Assert.All(requests, request => Assert.Equal(requests[0].Prompt.ToArray()[..opening], request.Prompt.ToArray()[..opening]));
            var contents = requests.Select(request => request.Prompt.ToArray()[^1].Content).ToList();
            Assert.Equal(contents.Count, contents.Distinct().Count());
        });

    [Fact]
    public void Sessions_that_ended_are_forgotten()
    {
        var plan = Talks(new Dice(5)) with { Sessions = 500, Arrivals = ArrivalPlan.Poisson(5) };
        var traffic = new SessionTraffic(plan, 1);
        var most = 0;
        TrafficOf.Served(traffic, _ => { most = Math.Max(most, traffic.InFlight); return 0.1; });
        Assert.Equal(0, traffic.InFlight);
        Assert.InRange(most, 2, 450);
    }

    [Fact]
    public void A_session_whose_turn_failed_ends_there()
    {
        var plan = Talks(new Dice(5)) with { Sessions = 50, Turns = new Constant(4), MaxContextTokens = 1_000_000 };
        var traffic = new SessionTraffic(plan, 1);
        var requests = TrafficOf.Served(traffic, _ => 0.1, answered: request => request.Turn != 1);
        Assert.Equal(100, requests.Count);
        Assert.Equal(0, traffic.InFlight);
        Assert.Equal(200, TrafficOf.Served(plan.Traffic(1), _ => 0.1).Count);
    }

    [Fact]
    public void Pauses_between_turns_are_as_long_as_told()
    {
        var plan = Talks(new Dice(5)) with { Sessions = 300, Turns = new Constant(5), MaxContextTokens = 1_000_000, Think = new Constant(7) };
        var requests = TrafficOf.Served(plan.Traffic(1), _ => 2);
        foreach (var session in requests.GroupBy(request => request.Session))
            Assert.All(session.Zip(session.Skip(1)), pair => Assert.Equal(9_000_000_000, (pair.Second.Arrival - pair.First.Arrival).Nanoseconds));
    }

    [Fact]
    public void Clients_wait_for_their_answers()
    {
        var plan = new ClosedPlan { Name = "bulk", Clients = 8, RequestsPerClient = 5, Lengths = Some };
        var requests = TrafficOf.Served(plan.Traffic(1), _ => 10);
        Assert.Equal((40, 40), (requests.Count, plan.Traffic(1).Expected));
        foreach (var (wave, i) in requests.Chunk(8).Select((wave, i) => (wave, i)))
            Assert.All(wave, request => Assert.InRange(request.Arrival.Seconds, i * 10, (i * 10) + 0.001));
        var shared = plan with { RequestsPerClient = null, Requests = 43 };
        Assert.Equal(43, TrafficOf.Served(shared.Traffic(1), request => request.Id % 3 == 0 ? 5 : 1).Count);
        Assert.Equal(3, TrafficOf.Served((shared with { Requests = 3 }).Traffic(1), _ => 1).Count);
    }

    [Fact]
    public void A_client_that_is_refused_waits_a_second()
    {
        var plan = new ClosedPlan { Name = "bulk", Clients = 1, RequestsPerClient = 5, Lengths = Some };
        var requests = TrafficOf.Served(plan.Traffic(1), _ => 0, answered: _ => false);
        Assert.Equal([0, 1, 2, 3, 4], requests.Select(request => request.Arrival.Seconds));
    }

    [Fact]
    public void A_workload_ends_after_its_number_of_requests_also_inside_a_session()
    {
        var talks = Talks(new Dice(5)) with { Turns = new Geometric(7), MaxContextTokens = 1_000_000 };
        foreach (var most in new[] { 1, 2, 50, 51, 52, 53 })
            Assert.Equal(most, TrafficOf.Served(new MergedTraffic([talks.Traffic(2), Open("a", 1, null).Traffic(2)], most), _ => 3).Count);
        var timed = TrafficOf.Served(new MergedTraffic([talks.Traffic(2), Open("a", 1, null).Traffic(2)], until: Instant.AtSeconds(100)), _ => 3);
        Assert.InRange(timed.Count, 100, 2000);
        Assert.All(timed, request => Assert.True(request.Arrival < Instant.AtSeconds(100)));
    }

    [Fact]
    public void A_declared_limit_ends_answers_and_a_system_prompt_opens_prompts()
    {
        var plan = Open("a", 5, 200) with { MaxTokens = 30, SystemPromptTokens = 77, SystemPrompt = "helper" };
        var requests = TrafficOf.Open(plan.Traffic(1));
        Assert.All(requests, request => Assert.True(request.Script.OutputTokens <= 30 && request.MaxTokens == 30 && request.PromptTokens >= 77 + 50));
        Assert.Contains(requests, request => request.Script.OutputTokens == 30);
        var other = TrafficOf.Open((Open("b", 5, 1) with { SystemPromptTokens = 77, SystemPrompt = "helper" }).Traffic(1))[0];
        Assert.All(requests, request => Assert.Equal(other.Prompt.ToArray(), request.Prompt.ToArray()));
        var own = TrafficOf.Open((Open("b", 5, 1) with { SystemPromptTokens = 77 }).Traffic(1))[0];
        Assert.NotEqual(other.Prompt.ToArray(), own.Prompt.ToArray());
    }

    private static OpenPlan Open(string name, double rate, int? requests) => new()
    {
        Name = name,
        Class = name,
        Tenant = "of " + name,
        Arrivals = new ArrivalPlan(ArrivalKind.Gamma, new RateCurve { PerSecond = rate }, 2),
        Lengths = Some,
        Requests = requests,
    };

    private static SessionPlan Talks(Dice dice) => new()
    {
        Name = "talks",
        Class = "talks",
        Arrivals = ArrivalPlan.Poisson(dice.Real(0.5, 5)),
        Turns = new Geometric(dice.Real(1, 12)),
        Lengths = Some,
        FirstTokens = dice.Chance(0.5) ? new Uniform(1, 4000) : null,
        SystemPromptTokens = dice.Chance(0.5) ? 500 : 0,
        MaxContextTokens = dice.Whole(600, 4000),
        Think = new Lognormal(5, 1),
    };

    private static Func<ulong, ITraffic> Mixed(Dice dice)
    {
        var (talks, rate, clients, all) = (Talks(dice) with { Sessions = 15 }, dice.Real(1, 20), dice.Whole(1, 9), dice.Chance(0.5));
        var bulk = new ClosedPlan { Name = "bulk", Class = "bulk", Clients = clients, Lengths = Some, Think = new Exponential(1) };
        var ended = all ? bulk with { Requests = 30 } : bulk with { RequestsPerClient = 4 };
        return seed => new MergedTraffic([Open("a", rate, 40).Traffic(seed), talks.Traffic(seed), ended.Traffic(seed)]);
    }
}
