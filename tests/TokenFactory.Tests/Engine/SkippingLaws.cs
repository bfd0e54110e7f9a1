using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Tests.Laws;
using TokenFactory.Tests.Performance;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Engine;

/// <summary>Skipping through steps that only generate changes nothing: law 2, on one replica with everything that may disturb it.</summary>
public sealed class SkippingLaws
{
    private static readonly (string Model, string Gpu, NumberFormat Weights)[] Places =
    [
        ("llama-3.1-8b", "h100-sxm", NumberFormat.Bf16),
        ("qwen3-30b-a3b", "h100-sxm", NumberFormat.Fp8),
        ("gpt-oss-120b", "b200", NumberFormat.Mxfp4),
        ("deepseek-v3", "b200", NumberFormat.Nvfp4),
    ];

    [Fact]
    public void The_fast_run_equals_the_run_step_by_step() => Cases.Check(150, dice =>
    {
        var seed = dice.Whole(0, int.MaxValue - 1);
        var (fast, slow) = (Story(seed, false), Story(seed, true));
        Assert.Equal(slow.Run.Log, fast.Run.Log);
        Assert.NotEmpty(fast.Run.Log);
        Assert.Equal(slow.End, fast.End);
        var (a, b) = (slow.Run.Replica.Meter(slow.End), fast.Run.Replica.Meter(fast.End));
        Nearly.Equal(a.StepJoules, b.StepJoules, 1e-9);
        Nearly.Equal(a.BusySeconds, b.BusySeconds, 1e-12);
        Nearly.Equal(a.OutputTokens, b.OutputTokens, 1e-9);
        Nearly.Equal(a.PromptTokens, b.PromptTokens, 1e-9);
        Assert.Equal(slow.Looks.Count, fast.Looks.Count);
        Assert.All(slow.Looks.Zip(fast.Looks), pair => Assert.Equal(pair.First.Load, pair.Second.Load));
        Assert.All(slow.Looks.Zip(fast.Looks), pair => Nearly.Equal(pair.First.Joules, pair.Second.Joules, 1e-9));
        Assert.Equal(slow.Run.Replica.Gaps(slow.End).Count, fast.Run.Replica.Gaps(fast.End).Count);
        foreach (var share in (double[])[0.1, 0.5, 0.9, 0.99])
            Assert.Equal(slow.Run.Replica.Gaps(slow.End).Percentile(share), fast.Run.Replica.Gaps(fast.End).Percentile(share));
        Assert.All(slow.Requests.Zip(fast.Requests), pair => Nearly.Equal(pair.First.Joules, pair.Second.Joules, 1e-9));
    });

    [Fact]
    public void Blocks_are_free_held_or_cached_and_all_free_or_cached_in_the_end() => Cases.Check(60, dice =>
    {
        var story = Story(dice.Whole(0, int.MaxValue - 1), false);
        Assert.All(story.Looks, look =>
        {
            Assert.Equal(look.Load.Blocks, look.Load.FreeBlocks + look.Load.HeldBlocks + look.Load.CachedBlocks);
            Assert.True(look.Load is { FreeBlocks: >= 0, HeldBlocks: >= 0, CachedBlocks: >= 0 }, look.Load.ToString());
        });
        Assert.Equal(0, story.Looks[^1].Load.HeldBlocks);
    });

    [Fact]
    public void Every_request_ends_once_and_all_work_is_somebodys() => Cases.Check(60, dice =>
    {
        var story = Story(dice.Whole(0, int.MaxValue - 1), false);
        var ends = story.Run.Log
            .Where(told => told.Kind is EngineEventKind.Finished or EngineEventKind.Cancelled or EngineEventKind.Refused)
            .Select(told => told.Id).Concat(story.Lost).ToList();
        var computed = story.Run.Log.Where(told => told.Kind == EngineEventKind.PromptDone).Select(told => told.Id).ToList();
        Assert.Equal(ends.Count, ends.Distinct().Count());
        Assert.Equal(computed.Count, computed.Distinct().Count());
        Assert.Equal(story.Requests.Select(request => request.Id).Order(), ends.Union(computed).Order());
        var meter = story.Run.Replica.Meter(story.End);
        Nearly.Equal(meter.StepJoules, story.Requests.Sum(request => request.Joules), 1e-9);
        Nearly.Equal(meter.BusySeconds, story.Requests.Sum(request => request.BusySeconds), 1e-9);
    });

    /// <summary>What came of a story.</summary>
    private sealed record Told(
        ReplicaRun Run, Instant End, List<EngineRequest> Requests, List<(ReplicaLoad Load, double Joules)> Looks, HashSet<long> Lost);

    private static Told Story(int seed, bool stepByStep)
    {
        var dice = new Dice(seed);
        var place = Serving.Of(dice, Places);
        var spread = place.Model.StartsWith("llama", StringComparison.Ordinal)
            ? new Parallelism(1 << dice.Whole(0, 2), dice.Chance(0.2) ? 2 : 1)
            : dice.Chance(0.5) ? new Parallelism(8, 1, 1, 8) : new Parallelism(2, 1, 4, 8);
        var deployment = Serving.Deploy(
            Serving.Model(place.Model), Serving.Gpu(place.Gpu), place.Weights, spread, Serving.Of(dice, (string[])["vllm", "sglang", "tensorrt-llm"])) with
        {
            TokenBudget = 1 << dice.Whole(6, 13),
            Speculation = dice.Chance(0.3) ? new SpeculativeDecoding(dice.Whole(1, 4), dice.Real(0, 1)) : null,
            PowerCap = dice.Chance(0.2) ? new Watts(400) : null,
        };
        var model = new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped);
        var settings = EngineSettings.Of(deployment) with
        {
            MaxSequences = dice.Whole(1, 40),
            PrefixCaching = dice.Chance(0.7),
            StaticBatches = dice.Chance(0.1),
            HostBytes = dice.Chance(0.3) ? dice.Scale(1e8, 1e10) : 0,
        };
        settings = settings with { Blocks = dice.Whole(600, 6000) / settings.BlockTokens };
        return Play(dice, new Replica(model, settings, stepByStep), model);
    }

    private static Told Play(Dice dice, Replica replica, ReplicaModel model)
    {
        var run = new ReplicaRun(replica);
        var requests = new List<EngineRequest>();
        var looks = new List<(ReplicaLoad, double)>();
        var lost = new HashSet<long>();
        var pace = dice.Scale(0.005, 0.5);
        double time = 0;
        for (var i = 0; i < dice.Whole(5, 60); i++)
        {
            time += dice.Chance(0.2) ? 0 : dice.Real(0, pace);
            var request = Draw(dice, i, replica.MostTokens);
            if (replica.Refuses(request.PromptTokens) is not null)
                continue;
            requests.Add(request);
            run.Submit(request, time);
            if (dice.Chance(0.1))
                run.At(Instant.AtSeconds(time + dice.Scale(0.001, 5)), now => replica.Cancel(request, now));
        }

        for (var i = 0; i < dice.Whole(0, 8); i++)
            run.At(Instant.AtSeconds(dice.Real(0, time * 2)), now => looks.Add((replica.Load(now), replica.Meter(now).StepJoules)));
        if (dice.Chance(0.2))
            run.At(Instant.AtSeconds(dice.Real(0, time)), now => replica.Replace(new DecodeCurve(model.Slowed(2.5)), now));
        if (dice.Chance(0.2))
        {
            run.At(Instant.AtSeconds(dice.Real(0, time)), now => lost.UnionWith(replica.Fail(now).Select(request => request.Id)));
        }

        var (delay, ids) = (dice.Real(0, 0.2), new HashSet<long>());
        run.React = (told, now) =>
        {
            if (told.Kind == EngineEventKind.PlaceReady)
                run.At(now + Duration.OfSeconds(delay), then => replica.Delivered(told.Request, then));
            else if (told.Kind == EngineEventKind.PromptDone && ids.Add(told.Request.Id))
                run.At(now + Duration.OfSeconds(delay), then => replica.Release(told.Request, then));
        };
        var end = run.Run();
        looks.Add((replica.Load(end), replica.Meter(end).StepJoules));
        return new Told(run, end, requests, looks, lost);
    }

    private static EngineRequest Draw(Dice dice, int id, long most)
    {
        var pieces = new List<PromptSegment>();
        for (var i = 0; i < dice.Whole(0, 4); i++)
            pieces.Add(new PromptSegment((ulong)dice.Whole(1, 3), dice.Whole(1, 3) * 37));
        var prompt = pieces.Sum(piece => piece.Tokens) + dice.Whole(dice.Chance(0.5) ? 0 : 1, (int)Math.Max(2, most / 6));
        return new EngineRequest(id, Math.Max(1, prompt), new Script(dice.Whole(1, dice.Chance(0.3) ? 600 : 60), (ulong)dice.Whole(0, 5)))
        {
            Priority = dice.Chance(0.2) ? 1 : 0,
            Leg = dice.Chance(0.15) ? Leg.Prompt : dice.Chance(0.2) ? Leg.Answer : Leg.Whole,
            MaxTokens = dice.Chance(0.5) ? 700 : 0,
            Prompt = pieces.ToArray(),
        };
    }
}
