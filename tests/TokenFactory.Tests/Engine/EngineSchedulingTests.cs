using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Tests.Performance;
using TokenFactory.Tests.Simulation;
using TokenFactory.Units;

namespace TokenFactory.Tests.Engine;

/// <summary>Who runs in which step.</summary>
public sealed class EngineSchedulingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1000)]
    [InlineData(1024)]
    public void A_prompt_takes_as_many_steps_as_budgets(int prompt)
    {
        var replica = Engines.Of(settings => settings with { TokenBudget = 256 });
        var request = Engines.Ask(0, prompt, 1);
        Assert.Equal((prompt + 255) / 256, Engines.Steps(replica, request));
        Assert.Equal(prompt, request.ComputedTokens);
        Assert.Equal(1, request.Generated);
    }

    [Theory]
    [InlineData("vllm", 9)] // 4,096 tokens in chunks of 511: one place in the budget is that of the token beside them
    [InlineData("sglang", 0)]
    public void Generation_goes_on_beside_prompts_or_waits_for_them(string engine, int tokens)
    {
        var replica = Engines.Of(settings => settings with { TokenBudget = 512 }, Engines.With(engine));
        var (first, second) = (Engines.Ask(0, 16, 400), Engines.Ask(1, 4096, 1));
        var (before, after) = (-1, -1);
        var run = new ReplicaRun(replica)
        {
            Look = now => before = before < 0 && second.Phase == EnginePhase.Prefill ? replica.GeneratedBy(first, now) : before,
            React = (told, now) => after = told.Request == second && told.Kind == EngineEventKind.FirstToken ? replica.GeneratedBy(first, now) : after,
        };
        run.Submit(first, 0);
        run.Submit(second, 0.5);
        run.Run();
        Assert.True(before > 1);
        Assert.Equal(tokens, after - before);
        Assert.Equal(400, first.Generated);
    }

    [Fact]
    public void No_more_sequences_run_at_once_than_may()
    {
        var replica = Engines.Of(settings => settings with { MaxSequences = 3 });
        var run = new ReplicaRun(replica);
        var most = 0;
        run.Look = now => most = Math.Max(most, replica.Load(now).Running);
        for (var i = 0; i < 10; i++)
            run.Submit(Engines.Ask(i, 50, 20 + i), 0);
        run.Run();
        Assert.Equal(3, most);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => (long)i), run.Ids(EngineEventKind.Finished).Order());
    }

    [Fact]
    public void The_urgent_go_first_and_among_equals_the_first()
    {
        var run = Engines.Run(
            Engines.Of(settings => settings with { MaxSequences = 1 }),
            Engines.Ask(0, 50, 9, priority: 1), Engines.Ask(1, 50, 9, priority: 1), Engines.Ask(2, 50, 9), Engines.Ask(3, 50, 9));
        Assert.Equal([2, 3, 0, 1], run.Ids(EngineEventKind.Finished));
    }

    [Fact]
    public void Into_a_static_batch_nobody_joins_until_all_of_it_is_done()
    {
        var (fixedBatch, continuous) = (Batch(true), Batch(false));
        var done = fixedBatch.Run.When(EngineEventKind.Finished, 1);
        Assert.Equal(done, fixedBatch.Requests[2].AdmittedAt);
        Assert.Equal(done, fixedBatch.Requests[3].AdmittedAt);
        Assert.Equal(continuous.Run.When(EngineEventKind.Finished, 0), continuous.Requests[2].AdmittedAt);
        Assert.True(continuous.Run.Log[^1].At < fixedBatch.Run.Log[^1].At);

        static (ReplicaRun Run, EngineRequest[] Requests) Batch(bool isStatic)
        {
            EngineRequest[] requests = [Engines.Ask(0, 99, 10), Engines.Ask(1, 99, 200), Engines.Ask(2, 99, 10), Engines.Ask(3, 99, 200)];
            return (Engines.Run(Engines.Of(settings => settings with { MaxSequences = 2, StaticBatches = isStatic }), requests), requests);
        }
    }

    [Theory]
    [InlineData(2, 0.5, 1.75)]
    [InlineData(4, 1.0, 5.0)]
    [InlineData(3, 0.0, 1.0)]
    public void Speculation_yields_its_mean_tokens_per_step(int draft, double acceptance, double perStep)
    {
        var replica = Engines.Of(deployment: Fleets.Small with { Speculation = new SpeculativeDecoding(draft, acceptance) }, stepByStep: true);
        var request = Engines.Ask(0, 100, 1001);
        Assert.Equal(1 + (int)Math.Ceiling(1000 / perStep), Engines.Steps(replica, request)); // one for the prompt
        Assert.Equal(1001, request.Generated);
        Assert.Equal(1001, replica.Meter(Instant.AtSeconds(1000)).OutputTokens, 1e-6);
    }

    [Fact]
    public void Drafts_that_fill_the_budget_leave_prompts_waiting_but_everybody_gets_done()
    {
        var deployment = Fleets.Small with { Speculation = new SpeculativeDecoding(4, 0.5), TokenBudget = 64 };
        var run = Engines.Run(Engines.Of(deployment: deployment), [.. Enumerable.Range(0, 40).Select(i => Engines.Ask(i, 30, 100))]);
        Assert.Equal(40, run.Ids(EngineEventKind.Finished).Length);
    }

    [Fact]
    public void Requests_spread_over_attention_groups_and_the_busiest_sets_the_pace()
    {
        var deployment = Serving.Deploy("qwen3-30b-a3b", "h200-sxm", NumberFormat.Fp8, dp: 4, ep: 4);
        var replica = Engines.Of(settings => settings with { MaxSequences = 1 }, deployment);
        EngineRequest[] requests = [Engines.Ask(0, 2000, 1), .. Enumerable.Range(1, 4).Select(i => Engines.Ask(i, 10, 1))];
        var run = Engines.Run(replica, requests);
        var step = Engines.Model(deployment).Step(new StepShape(0, 0, 2000, 2000 * 1000.0, 1, 30)).Seconds;
        Assert.All(requests[..4], request => Assert.Equal(step, run.When(EngineEventKind.FirstToken, request.Id).Seconds, 2e-9));
        Assert.Equal(run.When(EngineEventKind.Finished, 1), requests[4].AdmittedAt); // each group has one place
    }

    [Fact]
    public void One_request_runs_on_many_groups_and_on_a_long_pipeline()
    {
        var spread = Engines.Of(deployment: Serving.Deploy("qwen3-30b-a3b", "h200-sxm", NumberFormat.Fp8, dp: 8, ep: 8));
        var piped = Engines.Of(deployment: Serving.Deploy("llama-3.1-8b", "h100-sxm", pp: 4));
        foreach (var replica in (Replica[])[spread, piped])
        {
            var request = Engines.Ask(0, 100, 50);
            Engines.Run(replica, request);
            Assert.Equal(50, request.Generated);
        }
    }

    [Fact]
    public void An_answer_ends_at_the_context_or_where_the_cache_is_full()
    {
        var narrow = Engines.Of(settings => settings with { ContextTokens = 100 });
        Assert.NotNull(narrow.Refuses(100));
        Assert.Null(narrow.Refuses(99));
        Assert.Equal(40, Generated(narrow, 60));
        Assert.Equal(1, Generated(narrow, 99));

        var small = Engines.Of(settings => settings with { Blocks = 10 });
        Assert.NotNull(small.Refuses(160));
        Assert.Null(small.Refuses(159));
        Assert.Equal(60, Generated(small, 100));

        static int Generated(Replica replica, int prompt)
        {
            var request = Engines.Ask(0, prompt, 500);
            Assert.Equal([0], Engines.Run(replica, request).Ids(EngineEventKind.Finished));
            return request.Generated;
        }
    }

    [Fact]
    public void Gaps_meter_and_requests_count_the_same()
    {
        var replica = Engines.Of(settings => settings with { TokenBudget = 512 });
        var requests = Enumerable.Range(0, 30).Select(i => Engines.Ask(i, 1 + (i * 37), 1 + (i * 11))).ToArray();
        var run = new ReplicaRun(replica);
        var meters = new List<ReplicaMeter>();
        foreach (var request in requests)
            run.Submit(request, request.Id * 0.02);
        for (var i = 1; i < 400; i++)
            run.At(Instant.AtSeconds(i * 0.0131), now => meters.Add(replica.Meter(now)));
        var end = run.Run();
        var (meter, gaps) = (replica.Meter(end), replica.Gaps(end));
        Assert.Equal(requests.Sum(request => request.Generated), meter.OutputTokens, 1e-6);
        Assert.Equal(requests.Sum(request => request.ComputedTokens), meter.PromptTokens, 1e-6);
        Assert.Equal(requests.Sum(request => request.Generated - 1), gaps.Count);
        Assert.Equal(meter.SequenceSeconds, gaps.Sum, 1e-6);
        Assert.All(meters.Zip(meters.Skip(1)), pair =>
        {
            Assert.True(pair.First.BusySeconds <= pair.Second.BusySeconds + 1e-12);
            Assert.True(pair.First.StepJoules <= pair.Second.StepJoules + 1e-9);
            Assert.True(pair.First.OutputTokens <= pair.Second.OutputTokens + 1e-9);
        });
    }
}
