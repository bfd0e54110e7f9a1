using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Gateway.Admin;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tests.Tenants;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Admin;

public sealed class AdminApiTests
{
    [Fact]
    public async Task Nothing_is_served_without_the_admin_key_and_a_tenants_key_is_none()
    {
        await using var server = await AdminServer.StartAsync(Books.Tenant(new TenantRecord("acme")));
        var right = server.Key.Made!;
        string?[] wrong =
        [
            null, "Bearer", "Bearer " + right[..^1], "Bearer " + right + "x", "Bearer key of acme", "Basic " + right,
            "Bearer " + new string('x', 400),
        ];
        foreach (var route in server.Routes)
        {
            var method = route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "GET";
            var path = route.RoutePattern.RawText!.Replace("{name}", "h100-0").Replace("{id}", "x").Replace("{**rest}", "elsewhere");
            foreach (var header in wrong)
            {
                server.Client.DefaultRequestHeaders.Remove("Authorization");
                server.Client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);
                var (status, body) = await server.AskAsync(method, path);
                Assert.Equal((401, "invalid_admin_key"), (status, body.GetProperty("error").GetProperty("code").GetString()));
            }
        }

        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", right);
        var (_, all) = await server.AskAsync("GET", "/admin/v1/replicas");
        Assert.Equal("ready", all.GetProperty("replicas")[0].GetProperty("state").GetString());
        Assert.Equal(404, (await server.AskAsync("GET", "/admin/v1/elsewhere")).Status);
    }

    [Fact]
    public async Task A_tenant_is_made_changed_replaced_and_removed()
    {
        await using var server = await AdminServer.StartAsync(Books.Tenant(new TenantRecord("filed")));
        var (made, tenant) = await server.AskAsync(
            "PUT",
            "/admin/v1/tenants/acme",
            """{"usd_per_day": 5.25, "requests_per_minute": 60, "models": ["llama"], "class": "batch"}""");
        Assert.Equal((201, 5.25m), (made, tenant.GetProperty("usd_per_day").GetDecimal()));
        Assert.Equal(60, tenant.GetProperty("requests_per_minute").GetInt32());
        var (changed, patched) = await server.AskAsync(
            "PATCH", "/admin/v1/tenants/acme", """{"requests_per_minute": null, "concurrency": 3}""");
        Assert.Equal(200, changed);
        Assert.Equal(JsonValueKind.Null, patched.GetProperty("requests_per_minute").ValueKind);
        Assert.Equal(
            new TenantRecord("acme") { UsdPerDay = new Usd(5.25m), Concurrency = 3, Class = "batch" },
            server.Books.Book.Tenants.Single(each => each.Name == "acme") with { Models = [], Classes = [] });
        await server.AskAsync("PUT", "/admin/v1/tenants/acme", "{}");
        Assert.Null(server.Books.Book.Tenants.Single(each => each.Name == "acme").UsdPerDay);
        var (_, all) = await server.AskAsync("GET", "/admin/v1/tenants");
        Assert.Equal(["acme", "filed"], all.GetProperty("tenants").EnumerateArray().Select(each => each.GetProperty("name").GetString()));
        Assert.Equal(409, (await server.AskAsync("PATCH", "/admin/v1/tenants/filed", "{}")).Status);
        Assert.Equal(409, (await server.AskAsync("DELETE", "/admin/v1/tenants/filed")).Status);
        Assert.Equal(204, (await server.AskAsync("DELETE", "/admin/v1/tenants/acme")).Status);
        Assert.Equal(404, (await server.AskAsync("DELETE", "/admin/v1/tenants/acme")).Status);
        Assert.Equal(404, (await server.AskAsync("GET", "/admin/v1/tenants/acme")).Status);
    }

    [Fact]
    public async Task All_mistakes_of_a_body_are_told_together_and_nothing_is_changed()
    {
        await using var server = await AdminServer.StartAsync();
        var (status, body) = await server.AskAsync(
            "PUT",
            "/admin/v1/tenants/acme",
            """
            {"usd_per_day": -1, "usd_per_hour": 0.0000000001, "requests_per_minutes": 3, "concurrency": 1.5, "models": ["gpt"],
             "class": "gold", "disabled": "yes", "max_output_tokens": 0, "classes": "chat", "usd_per_month": 1, "usd_per_month": 2}
            """);
        Assert.Equal(400, status);
        var mistakes = body.GetProperty("error").GetProperty("mistakes").EnumerateArray()
            .ToDictionary(each => each.GetProperty("field").GetString()!, each => each.GetProperty("message").GetString()!);
        Assert.Equal(
            [
                "class", "classes", "concurrency", "disabled", "max_output_tokens", "models", "requests_per_minutes", "usd_per_day",
                "usd_per_hour", "usd_per_month",
            ],
            mistakes.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("'requests_per_minutes' is no field here. Did you mean 'requests_per_minute'?", mistakes["requests_per_minutes"]);
        Assert.Equal("'models' names 'gpt', which the factory file does not have. Known: llama.", mistakes["models"]);
        Assert.Equal("'concurrency' is 1.5. Give a whole number from 1 to 2,147,483,647, or null for none.", mistakes["concurrency"]);
        Assert.Empty(server.Books.Book.Tenants);
        var tooLong = "{\"label\": \"" + new string('x', 70_000) + "\"}";
        foreach (var (wrong, expected) in new[] { ("[]", 400), ("{", 400), ("nonsense", 400), (tooLong, 413) })
            Assert.Equal(expected, (await server.AskAsync("POST", "/admin/v1/keys", wrong)).Status);
        Assert.Equal(400, (await server.AskAsync("PUT", "/admin/v1/tenants/a%20b", "{}")).Status);
    }

    [Fact]
    public async Task A_key_is_told_once_rotated_disabled_enabled_and_removed()
    {
        await using var server = await AdminServer.StartAsync(Books.Tenant(new TenantRecord("acme")));
        var (status, made) = await server.AskAsync("POST", "/admin/v1/keys", """{"tenant": "acme", "label": "ci", "expires_in_s": 3600}""");
        var (key, id) = (made.GetProperty("key").GetString()!, made.GetProperty("record").GetProperty("id").GetString()!);
        Assert.Equal(201, status);
        Assert.Equal("2026-11-22T11:00:00.000Z", made.GetProperty("record").GetProperty("expires").GetString());
        Assert.True(Works(key));
        var (_, listed) = await server.AskAsync("GET", "/admin/v1/keys?tenant=acme");
        Assert.DoesNotContain(key[15..], listed.GetRawText(), StringComparison.Ordinal);
        await server.AskAsync("POST", $"/admin/v1/keys/{id}/disable");
        Assert.False(Works(key));
        await server.AskAsync("POST", $"/admin/v1/keys/{id}/enable", "{}");
        Assert.True(Works(key));
        var (_, next) = await server.AskAsync("POST", $"/admin/v1/keys/{id}/rotate", """{"grace_s": 60}""");
        Assert.True(Works(key) && Works(next.GetProperty("key").GetString()!));
        server.Books.Clock.Advance(60);
        Assert.False(Works(key));
        Assert.True(Works(next.GetProperty("key").GetString()!));
        Assert.Equal(204, (await server.AskAsync("DELETE", $"/admin/v1/keys/{id}")).Status);
        Assert.Single((await server.AskAsync("GET", "/admin/v1/keys")).Body.GetProperty("keys").EnumerateArray());
        Assert.Equal(404, (await server.AskAsync("POST", $"/admin/v1/keys/{id}/rotate")).Status);
        Assert.Equal(404, (await server.AskAsync("POST", "/admin/v1/keys", """{"tenant": "nobody"}""")).Status);
        var past = """{"tenant": "acme", "expires": "2020-01-01T00:00:00Z"}""";
        Assert.Equal(400, (await server.AskAsync("POST", "/admin/v1/keys", past)).Status);

        bool Works(string text) => server.Books.Book.Find("Bearer " + text, out _) is not null;
    }

    [Fact]
    public async Task Replicas_drain_and_resume_and_the_status_says_how_the_ledger_fares()
    {
        await using var server = await AdminServer.StartAsync(Books.Tenant(new TenantRecord("acme") { UsdPerDay = new Usd(2) }));
        Assert.Equal("draining", (await server.AskAsync("POST", "/admin/v1/replicas/l40s-0/drain")).Body.GetProperty("state").GetString());
        var (_, status) = await server.AskAsync("GET", "/admin/v1/status");
        Assert.Equal((90, 2, 1), (Number("uptime_s"), Number("replicas"), Number("replicas_ready")));
        Assert.Equal(12345, Number("journal_bytes_waiting"));
        Assert.Equal(JsonValueKind.Null, status.GetProperty("store_away_since").ValueKind);
        Assert.Equal("ready", (await server.AskAsync("POST", "/admin/v1/replicas/l40s-0/resume")).Body.GetProperty("state").GetString());
        Assert.Equal(404, (await server.AskAsync("POST", "/admin/v1/replicas/none/drain")).Status);
        server.Books.Book.Reserve(server.Books.Caller("acme"), "llama", 5, new Usd(0.5m), out _)!.Settle(new Usd(0.125m), 5);
        server.Books.Book.Reserve(server.Books.Caller("acme"), "llama", 5, new Usd(0.5m), out _);
        var usage = (await server.AskAsync("GET", "/admin/v1/usage")).Body.GetProperty("usage")[0];
        Assert.Equal((0.125m, 0.5m), (usage.GetProperty("spent_usd_day").GetDecimal(), usage.GetProperty("reserved_usd").GetDecimal()));

        double Number(string field) => status.GetProperty(field).GetDouble();
    }

    [Fact]
    public async Task While_the_store_is_away_changes_are_refused_and_reading_goes_on()
    {
        await using var server = await AdminServer.StartAsync(Books.Tenant(new TenantRecord("acme")));
        server.Books.Store.Away = true;
        server.Store = new StoreStatus("memory", server.Books.Wall.Now, 1 << 20, true);
        var (status, body) = await server.AskAsync("POST", "/admin/v1/keys", """{"tenant": "acme"}""");
        Assert.Equal((503, "store_away"), (status, body.GetProperty("error").GetProperty("code").GetString()));
        var (_, fares) = await server.AskAsync("GET", "/admin/v1/status");
        Assert.Equal("2026-11-22T10:00:00.000Z", fares.GetProperty("store_away_since").GetString());
        Assert.Equal(200, (await server.AskAsync("GET", "/admin/v1/tenants")).Status);
    }

    [Fact]
    public void The_admin_key_is_made_once_kept_to_its_owner_and_may_be_chosen()
    {
        using var folder = new TemporaryFolder();
        var made = AdminKey.Open(folder.Root);
        Assert.StartsWith("sk-tf-admin-", made.Made, StringComparison.Ordinal);
        Assert.Equal(made.Made, File.ReadAllText(folder.Path("admin-key")).Trim());
        Assert.DoesNotContain(made.Made!, File.ReadAllText(folder.Path("admin-key.sha256")), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.Path("admin-key")));
        File.Delete(folder.Path("admin-key"));
        var again = AdminKey.Open(folder.Root);
        Assert.Null(again.Made);
        Assert.True(again.Opens("Bearer " + made.Made));
        File.Delete(folder.Path("admin-key.sha256"));
        File.WriteAllText(folder.Path("admin-key"), new string('k', 40) + "\n");
        Assert.True(AdminKey.Open(folder.Root).Opens("Bearer " + new string('k', 40)));
        File.Delete(folder.Path("admin-key.sha256"));
        File.WriteAllText(folder.Path("admin-key"), "short");
        Assert.Contains("holds 5 characters", Wrong(), StringComparison.Ordinal);
        File.WriteAllText(folder.Path("admin-key.sha256"), "nonsense");
        Assert.Contains("holds no SHA-256", Wrong(), StringComparison.Ordinal);

        string Wrong() => Assert.Throws<InvalidDataException>(() => AdminKey.Open(folder.Root)).Message;
    }
}
