using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Tests.Simulation;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Engine;

/// <summary>Prompts and answers in engines of their own, and everything that ends early.</summary>
public sealed class EngineRolesTests
{
    [Fact]
    public void A_computed_prompt_holds_its_blocks_until_it_is_fetched()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 100, PrefixCaching = false });
        var request = Engines.Ask(0, 200, 50, leg: Leg.Prompt);
        var run = new ReplicaRun(replica);
        var held = new List<long>();
        run.Submit(request, 0);
        run.At(Instant.AtSeconds(1), now => held.Add(replica.Load(now).HeldBlocks));
        run.At(Instant.AtSeconds(2), now => replica.Release(request, now));
        run.At(Instant.AtSeconds(3), now => held.Add(replica.Load(now).HeldBlocks));
        run.Run();
        Assert.Equal([13, 0], held);
        Assert.Equal([0], run.Ids(EngineEventKind.PromptDone));
        Assert.Equal(0, request.Generated);
        Assert.Equal(0, replica.Count);
    }

    [Fact]
    public void Prompts_that_wait_to_be_fetched_take_blocks_but_no_places()
    {
        var run = Engines.Run(
            Engines.Of(settings => settings with { MaxSequences = 1 }),
            Engines.Ask(0, 200, 50, leg: Leg.Prompt), Engines.Ask(1, 200, 50, leg: Leg.Prompt));
        Assert.Equal([0, 1], run.Ids(EngineEventKind.PromptDone));
    }

    [Fact]
    public void A_prompt_alone_needs_no_blocks_for_its_answer()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 20 }, Engines.With("tensorrt-llm")); // of 32 tokens
        var run = Engines.Run(
            replica, Engines.Ask(0, 200, 400, leg: Leg.Prompt, most: 400), Engines.Ask(1, 200, 400, leg: Leg.Prompt, most: 400));
        Assert.Equal([0, 1], run.Ids(EngineEventKind.PromptDone));
        Assert.Equal(run.Log[0].At, run.Log[1].At);
    }

    [Fact]
    public void An_answer_begins_one_step_after_its_cache_is_there()
    {
        var replica = Engines.Of();
        var request = Engines.Ask(0, 1000, 50, leg: Leg.Answer);
        var run = new ReplicaRun(replica);
        run.Submit(request, 0);
        run.At(Instant.AtSeconds(2), now => replica.Delivered(request, now));
        run.Run();
        Assert.Equal(Instant.Start, run.When(EngineEventKind.PlaceReady, 0));
        var step = replica.Model.Decode(1, 1, 1001).Seconds;
        Assert.Equal(2 + step, run.When(EngineEventKind.FirstToken, 0).Seconds, 1e-6);
        Assert.Equal((50, 0L), (request.Generated, request.ComputedTokens));
    }

    [Fact]
    public void An_answer_that_loses_its_blocks_is_computed_again_where_it_is()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 20 });
        EngineRequest[] requests = [Engines.Ask(0, 100, 150, leg: Leg.Answer), Engines.Ask(1, 100, 150, leg: Leg.Answer)];
        var run = new ReplicaRun(replica);
        run.React = (told, now) =>
        {
            if (told.Kind == EngineEventKind.PlaceReady)
                run.At(now + Duration.OfSeconds(0.1), then => replica.Delivered(told.Request, then));
        };
        foreach (var request in requests)
            run.Submit(request, 0);
        run.Run();
        Assert.Equal([0, 1], run.Ids(EngineEventKind.PlaceReady)); // nobody has the cache any more: it is not asked for again
        Assert.Equal([1], run.Ids(EngineEventKind.Preempted));
        Assert.All(requests, request => Assert.Equal(150, request.Generated));
        Assert.True(requests[1].ComputedTokens > 100);
        Assert.Equal(0, requests[0].ComputedTokens);
    }

    [Fact]
    public void What_is_fetched_is_not_loaded_from_host_memory_too()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 40, HostBytes = 1e9 });
        var again = Engines.Ask(2, 336, 1, leg: Leg.Answer, pieces: new PromptSegment(7, 320));
        var run = new ReplicaRun(replica);
        run.Submit(Engines.Ask(0, 336, 1, pieces: new PromptSegment(7, 320)), 0);
        run.Submit(Engines.Ask(1, 600, 1), 1); // leaves two of its blocks
        run.Submit(again, 2);
        run.Run();
        Assert.Equal((32, 0), (again.CachedTokens, again.HostTokens));
    }

    [Theory]
    [InlineData(EnginePhase.Waiting)]
    [InlineData(EnginePhase.Loading)]
    [InlineData(EnginePhase.Prefill)]
    [InlineData(EnginePhase.Decode)]
    [InlineData(EnginePhase.Fetched)]
    public void A_request_can_be_taken_out_of_every_phase(EnginePhase phase)
    {
        var replica = Engines.Of(settings => settings with { MaxSequences = phase == EnginePhase.Waiting ? 1 : 8, TokenBudget = 64, Blocks = 1000 });
        var leg = phase switch { EnginePhase.Loading => Leg.Answer, EnginePhase.Fetched => Leg.Prompt, _ => Leg.Whole };
        var (other, request) = (Engines.Ask(0, 100, 3000), Engines.Ask(1, phase == EnginePhase.Prefill ? 9000 : 100, 900, leg: leg));
        var run = new ReplicaRun(replica);
        run.Submit(other, 0);
        run.Submit(request, 0.01);
        EnginePhase? met = null;
        run.At(Instant.AtSeconds(0.5), now =>
        {
            met = request.Phase;
            replica.Cancel(request, now);
            replica.Cancel(request, now);
        });
        run.Run();
        Assert.Equal(phase, met);
        Assert.Equal([1], run.Ids(EngineEventKind.Cancelled));
        Assert.Equal([0], run.Ids(EngineEventKind.Finished));
        Assert.Equal(EnginePhase.Outside, request.Phase);
        Assert.InRange(run.When(EngineEventKind.Cancelled, 1).Seconds, 0.5, 0.55);
        Assert.Equal(0, replica.Load(run.Log[^1].At).HeldBlocks);
    }

    [Fact]
    public void All_can_be_taken_out_at_once_and_who_is_done_stays_done()
    {
        var replica = Engines.Of(settings => settings with { MaxSequences = 5, PrefixCaching = false });
        var requests = Enumerable.Range(0, 50).Select(i => Engines.Ask(i, 100, i == 0 ? 2 : 5000)).ToArray();
        var run = new ReplicaRun(replica);
        foreach (var request in requests)
            run.Submit(request, 0);
        run.At(Instant.AtSeconds(1), now => Array.ForEach(requests, request => replica.Cancel(request, now)));
        var end = run.Run();
        Assert.Equal([0], run.Ids(EngineEventKind.Finished));
        Assert.Equal(49, run.Ids(EngineEventKind.Cancelled).Distinct().Count());
        Assert.Equal(0, replica.Count);
        Assert.Equal(replica.Load(end).Blocks, replica.Load(end).FreeBlocks);
    }

    [Fact]
    public void A_failure_returns_everything_once_and_leaves_an_empty_engine()
    {
        var replica = Engines.Of(settings => settings with { MaxSequences = 6, TokenBudget = 64 });
        var released = Engines.Ask(0, 50, 1, leg: Leg.Prompt);
        EngineRequest[] requests =
        [
            Engines.Ask(1, 50, 1, leg: Leg.Prompt), // waits to be fetched
            Engines.Ask(2, 50, 9, leg: Leg.Answer), // waits for its cache
            Engines.Ask(3, 50, 900), // generates
            Engines.Ask(4, 50, 900), // is being taken out
            Engines.Ask(5, 50_000, 9), // its prompt is computed
            Engines.Ask(6, 50_000, 9), // has a place, and no share of the budget yet
            Engines.Ask(7, 50, 9), // waits
        ];
        var run = new ReplicaRun(replica);
        run.Submit(released, 0);
        foreach (var request in requests)
            run.Submit(request, 0.01 * request.Id);
        IReadOnlyList<EngineRequest> lost = [];
        run.At(Instant.AtSeconds(1), now =>
        {
            replica.Release(released, now);
            replica.Cancel(requests[3], now);
            lost = replica.Fail(now);
            Assert.Equal(0, replica.Count);
            Assert.Equal(replica.Load(now).Blocks, replica.Load(now).FreeBlocks);
        });
        run.Submit(Engines.Ask(8, 50, 9), 2);
        run.Run();
        Assert.Equal(requests.Select(request => request.Id), lost.Select(request => request.Id));
        Assert.All(requests, request => Assert.Equal(EnginePhase.Outside, request.Phase));
        Assert.True(requests[2].Generated > 10);
        Assert.Equal([8], run.Ids(EngineEventKind.Finished));
    }

    [Fact]
    public void A_gap_is_no_longer_than_who_waited_was_there()
    {
        // SGLang: one who generates waits for a long prompt, and is taken out before that is done. Nobody who comes later waited for it.
        var replica = Engines.Of(settings => settings with { TokenBudget = 512 }, Engines.With("sglang"));
        var (first, second) = (Engines.Ask(0, 16, 5000), Engines.Ask(1, 60_000, 50));
        var run = new ReplicaRun(replica);
        run.Submit(first, 0);
        run.Submit(second, 0.5);
        run.At(Instant.AtSeconds(0.6), now => replica.Cancel(first, now));
        var end = run.Run();
        Assert.True((run.When(EngineEventKind.FirstToken, 1) - Instant.AtSeconds(0.6)).Seconds > 0.1);
        Assert.True(replica.Gaps(end).Max < 0.05, $"longest gap {replica.Gaps(end).Max} s");
    }

    [Fact]
    public void A_slow_replica_takes_its_time_from_the_next_step_on()
    {
        var replica = Engines.Of();
        var request = Engines.Ask(0, 100, 1000);
        var run = new ReplicaRun(replica);
        run.Submit(request, 0);
        var generated = new List<int>();
        run.At(Instant.AtSeconds(1), now => replica.Replace(new DecodeCurve(replica.Model.Slowed(4)), now));
        foreach (var at in (double[])[0.5, 1, 1.5, 2])
            run.At(Instant.AtSeconds(at), now => generated.Add(replica.GeneratedBy(request, now)));
        run.Run();
        Assert.InRange((double)(generated[1] - generated[0]) / (generated[3] - generated[2]), 3.8, 4.2);
        Assert.Equal(Fleets.Small, replica.Model.Deployment);
    }
}
