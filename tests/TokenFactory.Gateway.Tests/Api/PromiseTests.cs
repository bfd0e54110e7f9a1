using System.Net;
using System.Text;
using TokenFactory.Gateway.Setup;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Api;

/// <summary>Laws of the gateway as its clients and operators meet them, over real sockets.</summary>
public sealed class PromiseTests
{
    private const string Answer =
        """{"id":"a","object":"chat.completion","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":16,"total_tokens":116}}""";

    [Fact]
    public async Task A_thousand_requests_at_once_spend_a_budget_to_its_end_and_not_a_nanodollar_beyond()
    {
        const decimal each = 0.000132m; // 100 tokens in at $1, 16 out at $2 per million
        const decimal budget = 300 * each;
        await using var engine = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([engine.Address], setup => setup with
        {
            Tenants = [new TenantSetup(new TenantRecord("acme") { UsdPerDay = new Usd(budget) }, [])],
        });
        var (served, refused) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 1000).Select(async _ =>
        {
            using var answer = await gateway.ChatAsync(RunningGateway.Body());
            if (answer.IsSuccessStatusCode)
            {
                Interlocked.Increment(ref served);
                return;
            }

            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.Contains("over its budget", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
            Interlocked.Increment(ref refused);
        }));
        while ((await gateway.ChatAsync(RunningGateway.Body())).IsSuccessStatusCode)
            served++;

        var records = await gateway.StopAsync();
        Assert.Equal((served, 1000), (records.Count, refused + Math.Min(served, 1000 - refused)));
        var charged = records.Sum(record => record.Charged.Value);
        Assert.True(charged <= budget, $"{charged} of {budget}");
        Assert.True(budget - charged < 0.001m, $"only {charged} of {budget} could be spent"); // the worst case of one more did not fit
    }

    [Fact]
    public async Task Requests_idle_time_and_what_runs_add_up_to_what_replicas_were_paid_and_drew()
    {
        await using var gateway = await RunningGateway.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => gateway.ChatAsync(RunningGateway.Body(stream: i % 2 == 0))));

        var (records, meters) = await gateway.StopWithMetersAsync();

        Assert.Equal(20, records.Count);
        Near(meters.Sum(one => one.Paid.Value), records.Sum(one => one.UsageCost.Value) + meters.Sum(one => one.Idle.Value));
        Near((decimal)meters.Sum(one => one.Joules), (decimal)(records.Sum(one => one.Joules) + meters.Sum(one => one.IdleJoules)));
        var seconds = meters.Max(one => one.To.Seconds) - meters.Min(one => one.From.Seconds);
        Near((decimal)(2.0 / 3600 * seconds), meters.Sum(one => one.Paid.Value));
    }

    [Fact]
    public async Task A_changed_file_is_in_force_for_new_requests_while_those_that_run_end_where_they_began()
    {
        var release = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        await using var old = new ScriptedEngine(async line =>
        {
            await line.BeginStreamAsync();
            await line.ChunkAsync("data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w\"}}]}\n\n");
            begun.SetResult();
            await release.Task;
            await line.ChunkAsync("data: [DONE]\n\n");
            await line.EndStreamAsync();
        });
        await using var fresh = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([old.Address]);
        var running = gateway.ChatAsync(RunningGateway.Body(stream: true));
        await begun.Task;
        var changed = RunningGateway.Setup(gateway.Host.Setup.Store.Folder, [fresh.Address]);

        await gateway.Host.ApplyAsync(changed with { FleetText = "another" }, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, (await gateway.ChatAsync(RunningGateway.Body())).StatusCode);
        release.SetResult();
        var text = await (await running).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        Assert.Equal((1, 1), (old.Requests.Count, fresh.Requests.Count));
        Assert.All(await gateway.StopAsync(), record => Assert.Equal(Outcome.Completed, record.Outcome));
    }

    [Fact]
    public async Task Replicas_come_and_go_and_who_stays_runs_on_as_it_did()
    {
        var (release, begun) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var leaves = new ScriptedEngine(async line =>
        {
            begun.SetResult();
            await release.Task;
            await line.AnswerAsync(200, Answer);
        });
        await using var comes = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([leaves.Address]);
        var running = gateway.ChatAsync(RunningGateway.Body());
        await begun.Task;
        Task Change(params Uri[] engines) => gateway.Host.ApplyAsync(
            RunningGateway.Setup(gateway.Host.Setup.Store.Folder, engines), TestContext.Current.CancellationToken);

        await Change(leaves.Address, comes.Address);
        await Change(comes.Address);
        var there = Assert.Single(gateway.Host.Replicas, replica => replica.IsReady);
        Assert.Equal(("engine-1", comes.Address.ToString()), (there.Name, there.Address.ToString()));
        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.OK, (await gateway.ChatAsync(RunningGateway.Body())).StatusCode);
        await Change(comes.Address);
        release.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await running).StatusCode);

        Assert.Equal((1, 3), (leaves.Requests.Count, comes.Requests.Count));
        Assert.Same(there, Assert.Single(gateway.Host.Replicas));
        Assert.Equal(["engine-0", "engine-1", "engine-1", "engine-1"], (await gateway.StopAsync()).Select(record => record.Replica).Order());
    }

    [Fact]
    public async Task Virtual_replicas_that_a_changed_file_no_longer_has_end_what_they_have()
    {
        await using var gateway = await RunningGateway.StartAsync();
        GatewaySetup With(int replicas)
        {
            var setup = RunningGateway.Setup(gateway.Host.Setup.Store.Folder, null);
            var pool = setup.Models[0].Pools[0] with { Replicas = [.. Enumerable.Range(0, replicas).Select(i => new ReplicaSetup($"virtual-{i}", null))] };
            return setup with { Models = [setup.Models[0] with { Pools = [pool] }] };
        }

        foreach (var replicas in (int[])[3, 1, 2])
        {
            var running = Enumerable.Range(0, 12).Select(_ => gateway.ChatAsync(RunningGateway.Body(stream: true))).ToList();
            await gateway.Host.ApplyAsync(With(replicas), TestContext.Current.CancellationToken);
            foreach (var answer in await Task.WhenAll(running))
                Assert.EndsWith("data: [DONE]\n\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.Equal(replicas, gateway.Host.Replicas.Count(replica => replica.IsReady));
        }

        Assert.All(await gateway.StopAsync(), record => Assert.Equal(Outcome.Completed, record.Outcome));
    }

    [Fact]
    public async Task What_an_operator_drained_stays_drained_when_the_file_changes()
    {
        await using var drained = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var other = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([drained.Address, other.Address]);
        using var admin = new HttpClient { BaseAddress = gateway.Host.AdminAddress };
        admin.DefaultRequestHeaders.Authorization = new("Bearer", gateway.Host.FirstAdminKey);
        var drain = new Uri("/admin/v1/replicas/engine-0/drain", UriKind.Relative);
        (await admin.PostAsync(drain, null, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        var changed = RunningGateway.Setup(gateway.Host.Setup.Store.Folder, [drained.Address, other.Address]);

        await gateway.Host.ApplyAsync(changed with { FleetText = "another" }, TestContext.Current.CancellationToken);

        for (var i = 0; i < 4; i++)
            Assert.Equal(HttpStatusCode.OK, (await gateway.ChatAsync(RunningGateway.Body())).StatusCode);
        Assert.Equal((0, 4), (drained.Requests.Count, other.Requests.Count));
    }

    [Fact]
    public async Task Only_health_is_open_and_whatever_else_is_asked_needs_a_key()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var stranger = new HttpClient { BaseAddress = gateway.Host.Address };
        string[] closed = ["/v1/models", "/v1/chat/completions", "/metrics", "/openapi.json", "/admin/v1/tenants", "/", "/v1/nothing"];

        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync(new Uri("/healthz", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync(new Uri("/readyz", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        foreach (var path in closed)
        {
            using var content = new StringContent(RunningGateway.Body(), Encoding.UTF8, "application/json");
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken)).StatusCode);
        }

        Assert.Equal(
            HttpStatusCode.NotFound,
            (await gateway.Http.GetAsync(new Uri("/admin/v1/tenants", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
    }

    [Theory]
    [InlineData("", 400, "invalid_json")]
    [InlineData("{", 400, "invalid_json")]
    [InlineData("[]", 400, "invalid_json")]
    [InlineData("{\"messages\":[{}]}", 400, "missing_required_parameter")]
    [InlineData("{\"model\":\"llama-3.1-8b\",\"model\":\"other\",\"messages\":[]}", 400, "duplicate_parameter")]
    [InlineData("{\"model\":\"llama-3.1-8b\",\"messages\":[],\"max_tokens\":-1}", 400, "invalid_value")]
    [InlineData("{\"model\":\"llama-3.1-8b\",\"messages\":[],\"n\":1000}", 400, "invalid_value")]
    [InlineData("{\"model\":\"http://169.254.169.254/\",\"messages\":[{}]}", 404, "model_not_found")]
    public async Task What_is_wrong_is_said_in_OpenAIs_shape_and_reaches_no_engine(string body, int status, string code)
    {
        await using var engine = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);

        using var answer = await gateway.ChatAsync(body);

        var error = System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement.GetProperty("error");
        Assert.Equal((status, code), ((int)answer.StatusCode, error.GetProperty("code").GetString()));
        Assert.StartsWith("req-", answer.Headers.GetValues("x-request-id").Single(), StringComparison.Ordinal);
        Assert.Empty(engine.Requests);
    }

    private static void Near(decimal expected, decimal actual) =>
        Assert.True(Math.Abs(expected - actual) <= Math.Max(1e-7m, Math.Abs(expected) * 1e-4m), $"expected {expected}, actual {actual}");
}
