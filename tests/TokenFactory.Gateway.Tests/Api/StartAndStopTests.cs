using System.Net;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tests.Virtual;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Tests.Api;

/// <summary>How a gateway begins, how it ends, and what ends by the clock.</summary>
public sealed class StartAndStopTests
{
    private const string Word = "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w\"}}]}\n\n";
    private const double Drain = 500;
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Answers_that_run_when_it_stops_get_the_whole_time_of_drain_s()
    {
        var clock = new HandClock();
        await using var engine = new HeldStream();
        await using var gateway = await RunningGateway.StartAsync([engine.Address], Patient, clock);
        var answer = gateway.ChatAsync(RunningGateway.Body(stream: true));
        await engine.Begun.WaitAsync(Guard, TestContext.Current.CancellationToken);

        var stopping = gateway.StopAsync();
        clock.Advance(Drain - 1);
        Assert.False(stopping.IsCompleted);
        engine.Release();

        var text = await (await answer).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        Assert.Equal(Outcome.Completed, Assert.Single(await stopping.WaitAsync(Guard, TestContext.Current.CancellationToken)).Outcome);
    }

    [Fact]
    public async Task An_answer_that_takes_longer_is_cut_and_its_record_kept()
    {
        var clock = new HandClock();
        await using var engine = new HeldStream();
        await using var gateway = await RunningGateway.StartAsync([engine.Address], Patient, clock);
        var answer = gateway.ChatAsync(RunningGateway.Body(stream: true), whole: false);
        await engine.Begun.WaitAsync(Guard, TestContext.Current.CancellationToken);
        await answer;

        var stopping = gateway.StopAsync();
        while (!stopping.IsCompleted)
        {
            clock.Advance(Drain);
            await Task.Yield();
        }

        var record = Assert.Single(await stopping);
        Assert.Equal((Outcome.Cancelled, 1), (record.Outcome, record.Tokens.Output));
    }

    [Fact]
    public async Task A_class_with_a_deadline_ends_what_still_runs_then()
    {
        var clock = new HandClock();
        await using var engine = new HeldStream();
        await using var gateway = await RunningGateway.StartAsync(
            [engine.Address], setup => Patient(setup) with { Classes = [new ServiceClass("short") { DeadlineSeconds = 30 }] }, clock);
        var answer = gateway.ChatAsync(RunningGateway.Body(stream: true));
        await engine.Begun.WaitAsync(Guard, TestContext.Current.CancellationToken);

        clock.Advance(30);

        var text = await (await answer).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("deadline_exceeded", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.Equal("deadline_exceeded", Assert.Single(await gateway.StopAsync()).Error);
    }

    [Fact]
    public async Task Where_what_is_printed_is_kept_no_key_is_made_and_none_is_told()
    {
        await using var gateway = await RunningGateway.StartAsync(change: setup => setup with { FirstKey = false });
        Assert.Null(gateway.Host.FirstKey);
        Assert.Null(gateway.Host.FirstAdminKey);
        Assert.False(gateway.Host.Tenants.HasKeys);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.ChatAsync(RunningGateway.Body())).StatusCode);
    }

    [Fact]
    public async Task It_is_ready_as_long_as_one_of_its_models_is_and_says_which_is_not()
    {
        await using var engine = new HeldStream();
        await using var gone = new HeldStream(healthy: false);
        var pool = Engines.Pool();
        var lost = pool with { Facts = pool.Facts with { Name = "lost" }, Engine = EngineKind.Vllm, Replicas = [new("lost-0", gone.Address)] };
        await using var gateway = await RunningGateway.StartAsync([engine.Address], setup => setup with
        {
            Models = [.. setup.Models, setup.Models[0] with { Name = "other", Pools = [lost] }],
        });

        using var ready = await gateway.Http.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal("ready; no replica is ready for other\n", await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static GatewaySetup Patient(GatewaySetup setup) => setup with
    {
        Limits = setup.Limits with { DrainSeconds = Drain, FirstByteSeconds = 1e5, IdleSeconds = 1e5 },
        Health = setup.Health with { TimeoutSeconds = 1e5 },
    };

    /// <summary>An engine that begins a stream, and ends it when it is told.</summary>
    private sealed class HeldStream : IAsyncDisposable
    {
        private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ScriptedEngine _engine;

        public HeldStream(bool healthy = true) => _engine = new ScriptedEngine(async line =>
        {
            await line.BeginStreamAsync();
            await line.ChunkAsync(Word);
            _begun.TrySetResult();
            await _release.Task.WaitAsync(line.Stop);
            await line.ChunkAsync("data: [DONE]\n\n");
            await line.EndStreamAsync();
        })
        { Healthy = healthy };

        public Uri Address => _engine.Address;

        public Task Begun => _begun.Task;

        public void Release() => _release.SetResult();

        public ValueTask DisposeAsync() => _engine.DisposeAsync();
    }
}
