using TokenFactory.Engine;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Engine;

/// <summary>What a prompt finds of those before it.</summary>
public sealed class PrefixCacheTests
{
    [Theory]
    [InlineData(16, 160, 200, 160)] // ten blocks
    [InlineData(16, 100, 200, 96)] // six blocks and a piece of one that is nobody else's
    [InlineData(16, 10, 200, 0)]
    [InlineData(16, 160, 160, 144)] // the last token is computed, and with it its block
    [InlineData(1, 160, 160, 159)]
    [InlineData(16, 160, 161, 160)]
    public void A_second_prompt_computes_only_what_differs(int block, int shared, int prompt, int cached)
    {
        var replica = Engines.Of(settings => settings with { BlockTokens = block, Blocks = 4000 });
        var piece = new PromptSegment(7, shared);
        EngineRequest[] requests = [Engines.Ask(0, prompt, 5, pieces: piece), Engines.Ask(1, prompt, 5, pieces: piece)];
        var run = new ReplicaRun(replica);
        run.Submit(requests[0], 0);
        run.Submit(requests[1], 10);
        run.Run();
        Assert.Equal((0, prompt), (requests[0].CachedTokens, requests[0].ComputedTokens));
        Assert.Equal((cached, prompt - cached), (requests[1].CachedTokens, requests[1].ComputedTokens));
    }

    [Fact]
    public void Pieces_are_known_by_what_comes_before_them()
    {
        var replica = Engines.Of();
        var (a, b, c) = (new PromptSegment(1, 64), new PromptSegment(2, 64), new PromptSegment(3, 64));
        EngineRequest[] requests =
        [
            Engines.Ask(0, 200, 1, pieces: [a, b]),
            Engines.Ask(1, 200, 1, pieces: [a, c]),
            Engines.Ask(2, 200, 1, pieces: [b, a]),
            Engines.Ask(3, 200, 1, pieces: [a, b, c]),
        ];
        var run = new ReplicaRun(replica);
        foreach (var request in requests)
            run.Submit(request, request.Id);
        run.Run();
        Assert.Equal([0, 64, 0, 128], requests.Select(request => request.CachedTokens));
    }

    [Fact]
    public void Blocks_that_two_share_are_counted_once()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 1000 });
        var piece = new PromptSegment(7, 160);
        var run = new ReplicaRun(replica);
        long held = 0;
        run.Submit(Engines.Ask(0, 200, 300, pieces: piece), 0);
        run.Submit(Engines.Ask(1, 200, 2, pieces: piece), 0);
        run.Look = now => held = held == 0 && replica.Load(now).Running == 2 ? replica.Load(now).HeldBlocks : held;
        run.Run();
        Assert.Equal(13 + 13 - 10, held); // 201 tokens take 13 blocks
    }

    [Fact]
    public void What_was_not_used_longest_goes_first_and_the_end_of_a_prompt_before_its_beginning()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 30 });
        var (a, b) = (new PromptSegment(1, 160), new PromptSegment(2, 160));
        EngineRequest[] requests =
        [
            Engines.Ask(0, 161, 1, pieces: a),
            Engines.Ask(1, 161, 1, pieces: b),
            Engines.Ask(2, 161, 1, pieces: a), // used again
            Engines.Ask(3, 180, 1), // 12 blocks where 10 are free: two of b's go
            Engines.Ask(4, 161, 1, pieces: b),
            Engines.Ask(5, 161, 1, pieces: a),
        ];
        var run = new ReplicaRun(replica);
        foreach (var request in requests)
            run.Submit(request, request.Id);
        run.Run();
        Assert.Equal([0, 0, 160, 0, 128, 160], requests.Select(request => request.CachedTokens));
    }

    [Fact]
    public void A_turn_finds_the_answer_before_it()
    {
        var replica = Engines.Of();
        var (asked, answered) = (new PromptSegment(7, 160), new PromptSegment(99, 64));
        EngineRequest[] requests =
        [
            Engines.Ask(0, 160, 64, answer: 99, pieces: asked),
            Engines.Ask(1, 240, 1, pieces: [asked, answered]),
            Engines.Ask(2, 240, 1, pieces: [asked, new PromptSegment(98, 64)]),
        ];
        var run = new ReplicaRun(replica);
        foreach (var request in requests)
            run.Submit(request, 10 * request.Id);
        run.Run();
        Assert.Equal(208, requests[1].CachedTokens); // of 224 tokens the last was generated and never fed in
        Assert.Equal(160, requests[2].CachedTokens);
    }

    [Fact]
    public void Nothing_is_found_where_nothing_is_kept()
    {
        var replica = Engines.Of(settings => settings with { PrefixCaching = false });
        var request = Engines.Ask(1, 200, 1, pieces: new PromptSegment(7, 160));
        var run = new ReplicaRun(replica);
        run.Submit(Engines.Ask(0, 200, 1, pieces: new PromptSegment(7, 160)), 0);
        run.Submit(request, 1);
        Assert.Equal(0, replica.Load(run.Run()).CachedBlocks);
        Assert.Equal(0, request.CachedTokens);
    }

    [Fact]
    public void What_left_the_gpu_comes_back_from_host_memory_at_its_bandwidth()
    {
        var (cold, slow, fast) = (Back(0, 1), Back(1e9, 1e9), Back(1e9, 50e9));
        const double bytes = 288 * Engines.TokenBytes;
        Assert.Equal((32, 0), (cold.CachedTokens, cold.HostTokens));
        Assert.Equal((320, 288), (slow.CachedTokens, slow.HostTokens));
        Assert.Equal((320, 288), (fast.CachedTokens, fast.HostTokens));
        Assert.Equal(bytes / 1e9 - (bytes / 50e9), slow.Seconds - fast.Seconds, 1e-8);
        Assert.True(fast.Seconds < cold.Seconds, $"{fast.Seconds} s loading, {cold.Seconds} s computing");

        // A prompt of 336 tokens, 320 of them known; another that takes 38 of 40 blocks, and leaves two of the twenty; the first again.
        static (int CachedTokens, int HostTokens, double Seconds) Back(double hostBytes, double bandwidth)
        {
            var replica = Engines.Of(settings => settings with { Blocks = 40, HostBytes = hostBytes, HostBytesPerSecond = bandwidth });
            var again = Engines.Ask(2, 336, 1, pieces: new PromptSegment(7, 320));
            var run = new ReplicaRun(replica);
            run.Submit(Engines.Ask(0, 336, 1, pieces: new PromptSegment(7, 320)), 0);
            run.Submit(Engines.Ask(1, 600, 1), 1);
            run.Submit(again, 2);
            run.Run();
            return (again.CachedTokens, again.HostTokens, (run.When(EngineEventKind.FirstToken, 2) - Instant.AtSeconds(2)).Seconds);
        }
    }

    [Fact]
    public void Loads_from_host_memory_pass_one_after_another_while_others_generate()
    {
        var replica = Engines.Of(settings => settings with { Blocks = 100, HostBytes = 1e9, HostBytesPerSecond = 1e9 });
        var run = new ReplicaRun(replica);
        for (ulong i = 0; i < 2; i++)
            run.Submit(Engines.Ask((long)i, 330, 1, pieces: new PromptSegment(i + 1, 320)), i);
        run.Submit(Engines.Ask(2, 1590, 1), 2); // evicts all
        var other = Engines.Ask(3, 16, 200);
        run.Submit(other, 3);
        for (ulong i = 0; i < 2; i++)
            run.Submit(Engines.Ask(4 + (long)i, 330, 1, pieces: new PromptSegment(i + 1, 320)), 3.1);
        var generated = 0;
        run.React = (told, now) => generated = told.Request.Id == 4 && told.Kind == EngineEventKind.FirstToken ? replica.GeneratedBy(other, now) : generated;
        run.Run();
        var each = 320 * Engines.TokenBytes / 1e9;
        Assert.InRange((run.When(EngineEventKind.FirstToken, 4) - Instant.AtSeconds(3.1)).Seconds, each, each + 0.03);
        Assert.InRange((run.When(EngineEventKind.FirstToken, 5) - Instant.AtSeconds(3.1)).Seconds, 2 * each, (2 * each) + 0.03);
        Assert.True(generated > 10);
    }
}
