using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Load;
using TokenFactory.Gateway.Tests.Virtual;
using TokenFactory.Gateway.Virtual;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Tests.Load;

/// <summary>The load generator against servers that count along.</summary>
public sealed class LoadTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_closed_loop_sends_what_it_says_and_its_tokens_are_those_of_the_engine()
    {
        await using var engine = await Engines.StartAsync();
        var traffic = new ClosedPlan
        {
            Name = "clients",
            Clients = 8,
            Lengths = new PairedLengths(new Constant(100), new Uniform(1, 30)),
            Requests = 60,
        };
        var rows = new List<LoadRow>();
        var report = await Run(engine.Address, traffic, rows);
        var metrics = await Metrics(engine.Address);
        Assert.Equal((60, 60, 0, 60), (report.All.Sent, report.All.Completed, report.All.Failed, rows.Count));
        Assert.Equal(
            (report.All.PromptTokens, report.All.OutputTokens),
            (rows.Sum(row => row.PromptTokens), rows.Sum(row => row.OutputTokens)));
        Assert.Equal(metrics["vllm:prompt_tokens_total"], report.All.PromptTokens);
        Assert.Equal(metrics["vllm:generation_tokens_total"], report.All.OutputTokens);
        Assert.Equal(6000, report.All.PromptTokens);
        Assert.InRange(report.MeanConcurrency, 1, 8);
        Assert.All(rows, row => Assert.True(row.FirstToken >= row.Sent && row.Ended >= row.FirstToken, row.ToString()));
        Assert.Equal(60, report.All.Ttft.Count);
    }

    [Fact]
    public async Task Prompts_that_begin_alike_are_the_same_text_and_found_in_the_cache()
    {
        await using var engine = await Engines.StartAsync();
        var traffic = new ClosedPlan
        {
            Name = "clients",
            Clients = 1,
            Lengths = new PairedLengths(new Constant(64), new Constant(4)),
            SystemPromptTokens = 1024,
            Requests = 5,
        };
        var report = await Run(engine.Address, traffic, []);
        Assert.InRange(report.All.CachedTokens, 4 * 960, 4 * 1040);
    }

    [Fact]
    public async Task An_open_loop_sends_at_its_times_whatever_becomes_of_the_answers()
    {
        var (clock, silent) = (new HandClock(), new TaskCompletionSource());
        var arrived = new ConcurrentQueue<string>();
        await using var server = await Server(async _ => await silent.Task, arrived);
        var plan = new OpenPlan
        {
            Name = "open",
            Arrivals = ArrivalPlan.Poisson(200),
            Lengths = new PairedLengths(new Constant(20), new Constant(4)),
            Requests = 100,
        };
        var rows = new ConcurrentQueue<LoadRow>();
        var run = LoadRun.RunAsync(
            new LoadPlan { Target = new Uri(server.Urls.First()), Model = "any", Traffic = plan.Traffic(3), DrainSeconds = 5 },
            1,
            clock,
            rows.Enqueue,
            null,
            Cancel);
        clock.Advance(2);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (arrived.Count < 100)
            await Task.Delay(1, guard.Token);
        silent.SetResult();
        var report = await run;

        var expected = new List<Instant>();
        for (var traffic = plan.Traffic(3); traffic.Next() is { } request;)
            expected.Add(request.Arrival);
        var ticks = rows.Select(row => (Id: row.Id, Tick: (long)Math.Round(row.Sent * 1e7)))
            .OrderBy(row => row.Tick).Select(row => row.Tick);
        Assert.Equal(expected.Select(at => (at.Nanoseconds + 99) / 100), ticks);
        Assert.Equal((100, 0, 100), (report.All.Sent, report.All.Completed, report.All.Failed));
        Assert.Equal(100, report.All.Failures["broken off"]);
        Assert.False(report.FellBehind);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.05)]
    [InlineData(1e6)]
    public async Task What_ends_while_it_warms_up_is_not_counted(double seconds)
    {
        await using var engine = await Engines.StartAsync();
        var (rows, load) = (new List<LoadRow>(), new LoadPlan
        {
            Target = engine.Address,
            Model = Engines.Model,
            Traffic = new ClosedPlan
            {
                Name = "clients",
                Clients = 4,
                Lengths = new PairedLengths(new Constant(20), new Uniform(1, 5)),
                Requests = 60,
            }.Traffic(3),
            WarmUpSeconds = seconds,
        });
        var report = await LoadRun.RunAsync(load, 1, TimeProvider.System, rows.Add, null, Cancel);

        Assert.All(rows, row => Assert.True(row.Ended >= seconds, row.ToString()));
        Assert.Equal((rows.Count, rows.Count, 60 - rows.Count), (report.All.Sent, report.All.Completed, report.WarmUpRequests));
        Assert.Equal(seconds switch { 0 => 60, > 1000 => 0, _ => rows.Count }, rows.Count);
        Assert.Equal(rows.Count == 0 ? 0 : rows.Max(row => row.Ended) - seconds, report.Seconds, 6);
    }

    [Fact]
    public async Task What_goes_wrong_is_counted_by_kind_and_promises_that_were_broken_are_not_kept()
    {
        await using var engine = await Engines.StartAsync(new VirtualOptions { Faults = "status=503:x5, break=3:x4, usage=missing:x2" });
        var traffic = new OpenPlan
        {
            Name = "open",
            Class = "chat",
            Arrivals = ArrivalPlan.Poisson(500),
            Lengths = new PairedLengths(new Constant(20), new Constant(10)),
            Requests = 40,
        };
        var plan = new LoadPlan
        {
            Target = engine.Address,
            Model = Engines.Model,
            Traffic = traffic.Traffic(1),
            Classes = [new ServiceClass("chat") { TtftSeconds = 1e-6 }],
        };
        var report = await LoadRun.RunAsync(plan, 1, TimeProvider.System, null, null, Cancel);
        Assert.Equal((40, 5, 4), (report.All.Sent, report.All.Failures["status 503"], report.All.Failures["broken off"]));
        Assert.Equal((31, 2), (report.All.Completed, report.All.WithoutUsage));
        Assert.Equal((0, report.All.Completed), (report.All.Kept, report.Classes.Single().Completed));
        await using var nobody = await Engines.StartAsync(new VirtualOptions { Faults = "refuse" });
        var refused = await Run(nobody.Address, traffic with { Requests = 3 }, []);
        Assert.Equal((3, 3), (refused.All.Failed, refused.All.Failures.Values.Sum()));
    }

    [Fact]
    public async Task Who_stops_a_run_gets_what_there_is()
    {
        await using var engine = await Engines.StartAsync();
        var lengths = new PairedLengths(new Constant(20), new Constant(100_000));
        var traffic = new ClosedPlan { Name = "clients", Clients = 4, Lengths = lengths };
        using var stop = new CancellationTokenSource();
        var run = LoadRun.RunAsync(
            new LoadPlan { Target = engine.Address, Model = Engines.Model, Traffic = traffic.Traffic(1) },
            1, TimeProvider.System, null, null, stop.Token);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (engine.Load.Running < 4)
            await Task.Delay(1, guard.Token);
        await stop.CancelAsync();
        var report = await run;
        Assert.Equal((true, 4, 4), (report.Stopped, report.All.Sent, report.All.Failures["cut"]));
    }

    private static Task<LoadReport> Run(Uri target, StreamPlan traffic, List<LoadRow> rows) => LoadRun.RunAsync(
        new LoadPlan { Target = target, Model = Engines.Model, Traffic = traffic.Traffic(1) },
        1, TimeProvider.System, rows.Add, null, Cancel);

    private static async Task<Dictionary<string, double>> Metrics(Uri address)
    {
        using var http = new HttpClient { BaseAddress = address };
        var lines = (await http.GetStringAsync("/metrics", Cancel)).Split('\n').Where(line => line.Length > 0 && line[0] != '#');
        return lines.Where(line => !line.Contains("le=", StringComparison.Ordinal) && !line.Contains("reason=", StringComparison.Ordinal)
                && !line.Contains("state=", StringComparison.Ordinal) && !line.Contains("use=", StringComparison.Ordinal))
            .ToDictionary(
                line => line[..line.IndexOf('{', StringComparison.Ordinal)],
                line => double.Parse(line[(line.LastIndexOf(' ') + 1)..]));
    }

    /// <summary>A server that takes bodies in and answers when it likes.</summary>
    private static async Task<WebApplication> Server(Func<HttpContext, Task> answer, ConcurrentQueue<string> bodies)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(async context =>
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            bodies.Enqueue(body.RootElement.GetProperty("messages")[0].GetProperty("content").GetString()!);
            await answer(context);
        });
        await app.StartAsync(Cancel);
        return app;
    }
}
