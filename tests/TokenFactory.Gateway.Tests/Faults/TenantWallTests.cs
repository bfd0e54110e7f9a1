using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tests.Api;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>What tenants cannot reach: other machines, each other's caches, usage and models.</summary>
public sealed class TenantWallTests
{
    private const string Answer = """{"id":"a","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}""";

    [Fact]
    public async Task No_header_line_or_field_chooses_another_upstream_or_reaches_the_engine()
    {
        var seen = new ConcurrentQueue<string>();
        var strayed = 0;
        await using var engine = new RawEngine(async line =>
        {
            seen.Enqueue(line.Head);
            await line.AnswerAsync(200, Answer);
            return true;
        });
        await using var other = new RawEngine(async line =>
        {
            Interlocked.Increment(ref strayed);
            await line.AnswerAsync(200, Answer);
            return true;
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);
        var there = other.Address.Authority;
        string[] headers =
        [
            $"X-Forwarded-Host: {there}\r\n", $"X-Forwarded-For: {there}\r\n", $"Forwarded: host={there};for={there}\r\n", $"X-Original-URL: http://{there}/\r\n",
            $"X-Rewrite-URL: /metrics\r\n", $"x-tokenfactory-replica: http://{there}\r\n", $"x-tokenfactory-upstream: {there}\r\n", $"x-gateway-destination-endpoint: {there}\r\n",
            $"Connection: x-tokenfactory-class, Authorization\r\n", $"Via: 1.1 {there}\r\n", $"Referer: http://{there}\r\n", $"X-Request-Id: {there}\r\n",
        ];
        string[] targets = [$"http://{there}/v1/chat/completions HTTP/1.1", "/v1/chat/completions HTTP/1.1"];
        string[] fields = [$",\"api_base\":\"http://{there}\"", $",\"base_url\":\"http://{there}\",\"x-tokenfactory-replica\":\"{there}\"", ""];

        foreach (var (header, target, field) in from header in headers from target in targets from field in fields select (header, target, field))
        {
            using var client = await RawClient.ConnectAsync(gateway.Host.Address);
            var sent = RawClient.Post(gateway.Host.FirstKey!, RunningGateway.Body(more: field), header, target)
                .Replace("Host: factory", $"Host: {there}", StringComparison.Ordinal);
            await client.SendAsync(sent.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
            var answer = Assert.Single(RawClient.Answers(await client.ReadAsync(TimeSpan.FromSeconds(30))));
            Assert.True(answer.Status is 200 or 400, $"{header}{target}: {answer.Head}\n{answer.Text}");
        }

        Assert.Equal(0, strayed);
        Assert.True(seen.Count >= headers.Length, $"{seen.Count} reached the engine");
        Assert.All(seen, head => Assert.DoesNotContain(there, head, StringComparison.Ordinal));
        Assert.All(seen, head => Assert.Contains($"Host: {engine.Address.Authority}", head, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(EngineKind.Vllm, true, true)]
    [InlineData(EngineKind.Vllm, false, false)]
    [InlineData(EngineKind.LlamaCpp, true, false)]
    public async Task Each_tenant_has_a_salt_of_its_own_where_the_engine_knows_it_and_the_operator_wants_it(EngineKind kind, bool wanted, bool salted)
    {
        var salts = new ConcurrentQueue<string?>();
        await using var engine = new RawEngine(async line =>
        {
            salts.Enqueue(JsonDocument.Parse(line.Body).RootElement.TryGetProperty("cache_salt", out var salt) ? salt.GetString() : null);
            await line.AnswerAsync(200, Answer);
            return true;
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address], setup => Two(setup, kind) with { CacheSalt = wanted });
        var other = await KeyAsync(gateway);

        await AskAsync(gateway, gateway.Host.FirstKey!);
        await AskAsync(gateway, gateway.Host.FirstKey!);
        await AskAsync(gateway, other);
        await AskAsync(gateway, other, $",\"cache_salt\":{JsonSerializer.Serialize(salts.First() ?? "guessed")}"); // as if it knew the first one's

        var seen = salts.ToArray();
        Assert.Equal(seen[0], seen[1]);
        Assert.Equal(salted, seen[0] is not null);
        if (!salted)
            return;
        Assert.Equal(3, seen.Distinct().Count());
        Assert.StartsWith(seen[2]!, seen[3], StringComparison.Ordinal); // its own salt comes first, whatever it says
    }

    [Fact]
    public async Task A_tenant_sees_neither_usage_nor_models_nor_names_of_another()
    {
        await using var engine = new RawEngine(async line =>
        {
            await line.AnswerAsync(200, Answer);
            return true;
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address], setup => Two(setup, EngineKind.Vllm));
        var other = await KeyAsync(gateway);
        await AskAsync(gateway, gateway.Host.FirstKey!);
        string[] paths =
        [
            "/v1/models", $"/v1/models/{RunningGateway.Model}", "/v1/usage", "/v1/organization/usage/completions?tenant=acme", "/metrics", "/admin/v1/usage",
            "/admin/v1/tenants", "/admin/v1/tenants/acme", "/admin/v1/keys", "/admin/v1/status", "/v1/responses/resp_1", "/openapi.json",
        ];

        foreach (var server in (Uri[])[gateway.Host.Address, gateway.Host.AdminAddress])
        {
            foreach (var path in paths)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server, path));
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", other);
                request.Headers.Add("x-tenant", "acme");
                using var answer = await gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
                var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                Assert.DoesNotContain("acme", text.Replace(path, "", StringComparison.Ordinal), StringComparison.Ordinal);
                if (path.Contains("admin", StringComparison.Ordinal) || path == "/metrics")
                    Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound, $"{server}{path}: {answer.StatusCode}");
            }
        }

        using var refused = await AskAsync(gateway, other, ",\"x\":1", RunningGateway.Model + "-secret");
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        Assert.DoesNotContain("acme", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static GatewaySetup Two(GatewaySetup setup, EngineKind kind) => setup with
    {
        Models = [.. setup.Models.Select(model => model with { Pools = [.. model.Pools.Select(pool => pool with { Engine = kind })] })],
        Tenants = [.. setup.Tenants, new TenantSetup(new TenantRecord("beta") { Models = [RunningGateway.Model] }, [])],
    };

    private static async Task<string> KeyAsync(RunningGateway gateway) =>
        (await gateway.Host.Tenants.CreateKeyAsync("beta", "", null, TestContext.Current.CancellationToken)).Text;

    private static async Task<HttpResponseMessage> AskAsync(RunningGateway gateway, string key, string more = "", string model = RunningGateway.Model)
    {
        using var content = new StringContent(RunningGateway.Body(more: more).Replace(RunningGateway.Model, model, StringComparison.Ordinal), Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await gateway.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
