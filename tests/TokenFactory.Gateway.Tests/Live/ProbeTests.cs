using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Live.Probes;
using TokenFactory.Gateway.Setup;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Looks at engines that answer each in its own way, badly, or not at all; over real sockets.</summary>
public sealed class ProbeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(EngineKind.Vllm, "/health", "/metrics", """
        # HELP vllm:num_requests_running Number of requests in model execution batches.
        # TYPE vllm:num_requests_running gauge
        vllm:num_requests_running{engine="0",model_name="a \"}\" b"} 7.0
        vllm:num_requests_running{engine="1",model_name="m"} 3.0
        vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
        vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 99.0
        vllm:num_requests_waiting{engine="1",model_name="m"} 0.0
        vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
        vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.25
        """, 10, 2, 0.375)]
    [InlineData(EngineKind.Sglang, "/health", "/metrics", """
        sglang:num_running_reqs{model_name="m"} 12 1760000000000
        sglang:num_queue_reqs{model_name="m"} 4
        sglang:token_usage{model_name="m"} 8.1e-1
        """, 12, 4, 0.81)]
    [InlineData(EngineKind.TensorRtLlm, "/health", "/prometheus/metrics", """
        trtllm_num_requests_running 5
        trtllm_num_requests_waiting 1
        trtllm_kv_cache_utilization 0.125
        """, 5, 1, 0.125)]
    [InlineData(EngineKind.LlamaCpp, "/health", "/metrics", """
        llamacpp:requests_processing 2
        llamacpp:requests_deferred 6
        llamacpp:kv_cache_usage_ratio NaN
        """, 2, 6, -1.0)]
    [InlineData(EngineKind.Ollama, "/", null, "", -1, -1, -1.0)]
    public async Task Each_engine_is_read_in_its_own_words(
        EngineKind kind, string health, string? metrics, string text, int running, int waiting, double held)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer(health, 200, "ok");
        engine.Answer("/v1/models", 200, "{}");
        if (metrics is not null)
            engine.Answer(metrics, 200, text);
        var look = await Probe(engine.Address, kind).LookAsync(Cancel);
        Assert.Equal((true, ""), (look.Healthy, look.Words));
        EngineLoad? expected = running < 0 ? null : new EngineLoad(running, waiting, held < 0 ? null : held);
        Assert.Equal(expected, look.Load);
    }

    [Theory]
    [InlineData(503, "GET /health answered 503: it is loading or out of order")]
    [InlineData(404, "GET /health answered 404; is its engine Vllm?")]
    [InlineData(401, "its api_key is refused")]
    [InlineData(403, "its api_key is refused")]
    public async Task What_is_wrong_is_told_in_words(int status, string words)
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer("/health", status, "");
        var look = await Probe(engine.Address).LookAsync(Cancel);
        Assert.Equal((false, words), (look.Healthy, look.Words));
    }

    [Fact]
    public async Task A_key_that_only_the_api_asks_for_is_tried_once()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer("/health", 200, "");
        engine.Answer("/v1/models", 401, "");
        var probe = Probe(engine.Address, key: "secret");
        Assert.Equal("its api_key is refused", (await probe.LookAsync(Cancel)).Words);
        engine.Answer("/v1/models", 200, "");
        Assert.True((await probe.LookAsync(Cancel)).Healthy);
        Assert.True((await probe.LookAsync(Cancel)).Healthy);
        Assert.Equal(2, engine.Asked.Count(path => path == "/v1/models"));
        Assert.All(engine.Keys, key => Assert.Equal("Bearer secret", key));
    }

    [Fact]
    public async Task Who_does_not_tell_its_load_is_not_asked_again_until_it_was_away()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer("/health", 200, "");
        var probe = Probe(engine.Address, EngineKind.LlamaCpp);
        var look = await probe.LookAsync(Cancel);
        Assert.Equal((true, "GET /metrics does not tell its load. Start it with --metrics"), (look.Healthy, look.Words));
        Assert.Equal((true, ""), ((await probe.LookAsync(Cancel)) is var again ? (again.Healthy, again.Words) : default));
        engine.Answer("/health", 503, "");
        Assert.False((await probe.LookAsync(Cancel)).Healthy);
        engine.Answer("/health", 200, "");
        engine.Answer("/metrics", 200, "llamacpp:requests_processing 1\n");
        Assert.Equal(new EngineLoad(1, 0, null), (await probe.LookAsync(Cancel)).Load);
    }

    [Fact]
    public async Task Metrics_without_end_are_read_only_so_far()
    {
        await using var engine = await ScriptedEngine.StartAsync();
        engine.Answer("/health", 200, "");
        engine.Script("/metrics", async context =>
        {
            await context.Response.WriteAsync("vllm:num_requests_running 4\nvllm:num_requests_waiting 1\n", context.RequestAborted);
            var rubbish = new byte[1 << 16];
            rubbish.AsSpan().Fill((byte)'x');
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(rubbish, context.RequestAborted);
        });
        Assert.Equal(new EngineLoad(4, 1, null), (await Probe(engine.Address).LookAsync(Cancel)).Load);
    }

    [Fact]
    public async Task Who_hangs_is_given_up_in_time_and_asked_less_often_the_slower_it_is()
    {
        var clock = new HandClock();
        await using var engine = await ScriptedEngine.StartAsync();
        var came = new TaskCompletionSource();
        engine.Script("/health", async context =>
        {
            came.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var probe = Probe(engine.Address, time: clock);
        var looking = probe.LookAsync(Cancel);
        await came.Task.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        clock.Advance(5);
        var look = await looking.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal((false, "no answer within 5 s"), (look.Healthy, look.Words));
        Assert.Equal(TimeSpan.FromSeconds(30), probe.Pause(look));
        Assert.Equal(TimeSpan.FromSeconds(2), probe.Pause(new Look(true, "", null, 0.01)));
        Assert.Equal(TimeSpan.FromSeconds(8), probe.Pause(new Look(true, "", null, 0.4)));
    }

    [Fact]
    public async Task What_is_no_engine_is_told_as_such()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        var serving = Task.Run(
            async () =>
            {
                using var client = await listener.AcceptTcpClientAsync(Cancel);
                await client.GetStream().WriteAsync("SSH-2.0-OpenSSH_9.9\r\n"u8.ToArray(), Cancel);
            },
            Cancel);
        Assert.False((await Probe(address).LookAsync(Cancel)).Healthy);
        await serving;
        listener.Stop();
        Assert.Equal("the connection was refused", (await Probe(address).LookAsync(Cancel)).Words);
    }

    [Fact]
    public void Text_split_anyhow_reads_the_same() => Cases.Check(200, dice =>
    {
        var text = new List<string>();
        double sum = 0;
        for (var i = dice.Whole(0, 40); i > 0; i--)
        {
            var value = dice.Whole(0, 1000) / 8.0;
            switch (dice.Whole(0, 5))
            {
                case 0: text.Add($"# HELP a {value}"); break;
                case 1: text.Add($"ab{{x=\"a 5\"}} {value}"); break;
                case 2: text.Add(new string('y', dice.Whole(0, 9000))); break;
                case 3: text.Add("a{broken 3"); break;
                default:
                    text.Add(dice.Chance(0.5) ? $"a{{l=\"\\\"}} {value}\",m=\"{{\"}} {value}" : $"a {value} 17");
                    sum += value;
                    break;
            }
        }

        var bytes = System.Text.Encoding.UTF8.GetBytes(string.Join('\n', text)).AsSpan();
        var scan = new PrometheusScan("a");
        while (!bytes.IsEmpty)
        {
            var next = Math.Min(bytes.Length, dice.Whole(1, dice.Chance(0.5) ? 10 : 3000));
            scan.Feed(bytes[..next]);
            bytes = bytes[next..];
        }

        scan.End();
        Assert.Equal(sum, scan.Sum("a") ?? 0);
    });

    private static Probe Probe(Uri address, EngineKind kind = EngineKind.Vllm, string? key = null, TimeProvider? time = null) => new(
        address,
        Fleets.Pool(1, engine: kind) with { ApiKey = key },
        new HealthSetup(),
        new HttpMessageInvoker(new SocketsHttpHandler()),
        time ?? TimeProvider.System);
}

/// <summary>An engine on a real socket that answers what a test says.</summary>
internal sealed class ScriptedEngine : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, RequestDelegate> _scripts = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private ScriptedEngine()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(context =>
        {
            Asked.Enqueue(context.Request.Path);
            Keys.Enqueue(context.Request.Headers.Authorization.ToString());
            if (_scripts.TryGetValue(context.Request.Path, out var script))
                return script(context);
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
    }

    public Uri Address => new(_app.Urls.Single());

    public ConcurrentQueue<string> Asked { get; } = [];

    public ConcurrentQueue<string> Keys { get; } = [];

    public static async Task<ScriptedEngine> StartAsync()
    {
        var engine = new ScriptedEngine();
        await engine._app.StartAsync(TestContext.Current.CancellationToken);
        return engine;
    }

    public void Answer(string path, int status, string body) => Script(path, context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body.ReplaceLineEndings("\n"), context.RequestAborted);
    });

    public void Script(string path, RequestDelegate script) => _scripts[path] = script;

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
