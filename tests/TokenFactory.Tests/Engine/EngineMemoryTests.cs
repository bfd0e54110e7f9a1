using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Tests.Performance;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Engine;

/// <summary>Who is let in, who is thrown out, and whose blocks are whose.</summary>
public sealed class EngineMemoryTests
{
    [Theory]
    [InlineData(Admission.Prompt, 4)] // 101 tokens each
    [InlineData(Admission.Estimate, 2)] // and a tenth of the 1,000 declared for each that runs
    [InlineData(Admission.Longest, 1)] // 1,100 tokens do not fit beside anything
    public void Requests_are_let_in_by_what_they_need(Admission admission, int together)
    {
        var replica = Engines.Of(settings => settings with { Admission = admission, BlockTokens = 1, Blocks = 450 });
        var run = new ReplicaRun(replica);
        var running = 0;
        run.Look = now => running = Math.Max(running, replica.Load(now).Running);
        for (var i = 0; i < 6; i++)
            run.Submit(Engines.Ask(i, 100, 3, most: 1000), 0);
        run.Run();
        Assert.Equal(together, running);
        Assert.Equal(6, run.Ids(EngineEventKind.Finished).Length);
    }

    [Theory]
    [InlineData(Admission.Prompt, 0, 1)]
    [InlineData(Admission.Prompt, 1, 0)]
    [InlineData(Admission.Longest, 0, -1)]
    public void Who_is_least_urgent_and_came_last_is_computed_again_and_gets_done(Admission admission, int firstPriority, int victim)
    {
        var replica = Engines.Of(settings => settings with { Admission = admission, Blocks = 20 });
        EngineRequest[] requests = [Engines.Ask(0, 100, 150, firstPriority, most: 150), Engines.Ask(1, 100, 150, most: 150)];
        var run = Engines.Run(replica, requests);
        Assert.All(requests, request => Assert.Equal(150, request.Generated));
        Assert.Equal(victim < 0 ? [] : [victim], run.Ids(EngineEventKind.Preempted));
        foreach (var request in requests)
        {
            var lost = run.Log.Where(told => told.Kind == EngineEventKind.Preempted && told.Id == request.Id).Sum(told => 100 + told.Generated);
            Assert.Equal(100 + lost, request.ComputedTokens);
            Assert.Equal(request.Id == victim ? 1 : 0, request.Preemptions);
        }

        Assert.Equal(20, replica.Load(run.Log[^1].At).FreeBlocks);
    }

    [Fact]
    public void Whoever_is_never_preempted_holds_blocks_for_all_that_it_generates()
    {
        var replica = Engines.Of(deployment: Engines.With("tensorrt-llm"));
        var request = Engines.Ask(0, 100, 9000); // nothing declared, and longer than engines assume
        var run = new ReplicaRun(replica);
        var looks = 0;
        run.Submit(request, 0);
        for (var i = 1; i < 200; i++)
        {
            run.At(Instant.AtSeconds(i * 0.5), now =>
            {
                if (request.Phase != EnginePhase.Decode)
                    return;
                looks++;
                Assert.True(replica.Load(now).HeldBlocks * 32 >= 100 + replica.GeneratedBy(request, now));
            });
        }

        run.Run();
        Assert.True(looks > 100);
    }

    [Fact]
    public void Blocks_grow_with_the_answer()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 1000, PrefixCaching = false });
        var request = Engines.Ask(0, 100, 500);
        var run = new ReplicaRun(replica);
        var looks = 0;
        run.Submit(request, 0);
        for (var i = 1; i < 300; i++)
        {
            run.At(Instant.AtSeconds(i * 0.01), now =>
            {
                if (request.Phase != EnginePhase.Decode)
                    return;
                looks++;
                var context = 100 + replica.GeneratedBy(request, now); // the last token's keys are computed in the step that runs
                Assert.Equal((context + 15) / 16, replica.Load(now).HeldBlocks);
            });
        }

        run.Run();
        Assert.True(looks > 100);
    }

    [Fact]
    public void A_cache_that_does_not_grow_is_counted_in_sequences_and_never_shared()
    {
        var shape = Serving.Model("nemotron-3-nano-30b-a3b");
        var states = shape with { Attention = [.. shape.Attention.Where(group => group.VisibleTokens is not null || group.StateElements > 0)] };
        var deployment = Serving.Deploy(states, Serving.Gpu("h200-sxm"), NumberFormat.Bf16, new Parallelism(1));
        Assert.False(new KvCapacity(deployment).Paged(16).Grows);
        var replica = Engines.Of(settings => settings with { Blocks = 3 }, deployment);
        var run = new ReplicaRun(replica);
        run.Look = now => Assert.True(replica.Load(now) is { FreeBlocks: >= 0, CachedBlocks: 0, HeldBlocks: <= 3 });
        for (var i = 0; i < 5; i++)
            run.Submit(Engines.Ask(i, 1000, 20, answer: 5, pieces: new PromptSegment(7, 1000)), 0.01 * i);
        run.Run();
        Assert.Equal(5, run.Ids(EngineEventKind.Finished).Length);
    }
}
