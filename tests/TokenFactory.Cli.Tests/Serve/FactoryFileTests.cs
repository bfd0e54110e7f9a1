using System.Net;
using System.Net.Http.Headers;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>The factory file as operators meet it: what is wrong is told at once and together, what changes is taken while it runs.</summary>
public sealed class FactoryFileTests
{
    private const string Right = """
        listen: 127.0.0.1:0
        admin: 127.0.0.1:0
        first_key: false
        models: [{name: chat, pools: [h100], usd_per_million_input: 1, usd_per_million_output: 2}]
        pools: [{name: h100, model: llama-3.1-8b, gpu: h100-sxm, usd_per_gpu_hour: 2.5}]
        tenants: [{name: acme, usd_per_day: 1}]
        """;

    [Theory]
    [InlineData("listen: 127.0.0.1:0", "listen: 8080", ":1: 'listen' is '8080'. Write an IP address and a port: 127.0.0.1:8080, or 0.0.0.0:8080 for all networks.")]
    [InlineData("listen: 127.0.0.1:0", "limit: {wait_s: 3}", ":1: unknown key 'limit'. Did you mean 'limits'?")]
    [InlineData("listen: 127.0.0.1:0", "limits: {body_mb: 0}", ":1: 'body_mb' is 0. Give a number from 0.001 to 2000.")]
    [InlineData("usd_per_million_output: 2", "usd_per_million_cached: 2", ":4: 'usd_per_million_output' is missing.")]
    [InlineData("pools: [h100]", "pools: [h200]", ":4: 'pools' names 'h200'. Name pools of this file.")]
    [InlineData("{name: h100,", "{name: h100, endpoints: [10.0.0.5:8000],", ":5: 'endpoints' names '10.0.0.5:8000'. Write the address of a replica without a path: http://10.0.0.5:8000.")]
    [InlineData("{name: h100,", "{name: h100, software: sglang,", ":5: 'endpoints' are missing. Say where the replicas of sglang answer, or leave software out for virtual ones.")]
    [InlineData("{name: h100,", "{name: h100, software: tgi,", "'software' is 'tgi'. Write one of virtual, vllm, sglang, tensorrt-llm, llama.cpp, ollama.")]
    [InlineData("{name: h100,", "{name: h100, api_key_env: TOKENFACTORY_TEST_UNSET,", "names the variable TOKENFACTORY_TEST_UNSET, which is empty.")]
    [InlineData("tenants: [{name: acme,", "tenants: [{name: acme, key_sha256: [sk-tf-secret],", "'key_sha256' holds 12 characters. Write the SHA-256 of a key as 64 hexadecimal digits, never the key.")]
    [InlineData(", usd_per_million_input: 1, usd_per_million_output: 2", "", ":6: 'usd_per_day' limits nothing of model 'chat', which has no price.")]
    [InlineData("models: [{name: chat, pools: [h100],", "models: [{name: other, pools: [h100], usd_per_million_input: 1, usd_per_million_output: 2}, {name: chat, pools: [h100],", ":5: 'name' is 'h100', which models other and chat share. Give each model pools of its own.")]
    public void What_is_wrong_is_told_with_its_line_and_its_remedy(string right, string wrong, string message)
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("factory.yaml", Right.Replace(right, wrong, StringComparison.Ordinal));
        var run = Program.Run("serve", file, "--check");
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.Single(run.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.DoesNotContain("sk-tf-secret", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pools: 3")]
    [InlineData("pools: {name: h100}")]
    [InlineData("pools: [[h100]]")]
    public void What_is_no_list_of_pools_is_told(string text)
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("serve", folder.Write("factory.yaml", text), "--check");
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("'pools' is not a list of settings.", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_told_together()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("factory.yaml", Right.Replace("127.0.0.1:0", "nowhere", StringComparison.Ordinal).Replace("usd_per_day: 1", "usd_per_day: lots", StringComparison.Ordinal));
        var run = Program.Run("serve", file);
        Assert.Equal(2, run.Code);
        Assert.Equal(3, run.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    /// <summary>As clusters mount configuration: the file is a link through a folder that is swapped.</summary>
    [Fact]
    public async Task A_file_that_changes_behind_a_link_is_taken_and_a_wrong_one_is_not()
    {
        using var folder = new TemporaryFolder();
        var file = Link(folder, "v1", Right);
        using var gateway = await GatewayProcess.StartAsync(file, folder.Root);

        Link(folder, "v2", Right.Replace("usd_per_day: 1", "usd_per_day: 7", StringComparison.Ordinal).Replace("admin: 127.0.0.1:0", "admin: 127.0.0.1:1", StringComparison.Ordinal));
        await gateway.SaysAsync("has changed and is in force, but for what needs a new start: admin.");
        Assert.Contains("\"usd_per_day\":7", await TenantsAsync(gateway, folder), StringComparison.Ordinal);

        Link(folder, "v3", Right.Replace("usd_per_day: 1", "usd_per_day: lots", StringComparison.Ordinal));
        await gateway.SaysAsync("has changed and is not taken: everything goes on as before.");
        Assert.Contains("'usd_per_day' is 'lots'", gateway.Errors, StringComparison.Ordinal);
        Assert.Contains("\"usd_per_day\":7", await TenantsAsync(gateway, folder), StringComparison.Ordinal);
        Assert.Equal(JsonNull, gateway.Greeting.GetProperty("admin_key").ValueKind);
    }

    [Fact]
    public async Task Replicas_come_and_go_where_only_their_number_changes_and_all_begin_anew_where_their_pool_does()
    {
        using var folder = new TemporaryFolder();
        using var gateway = await GatewayProcess.StartAsync(folder.Write("factory.yaml", Right), folder.Root);
        void Change(string pool) => folder.Write("factory.yaml", Right.Replace("{name: h100,", pool, StringComparison.Ordinal));

        Change("{name: h100, replicas: 2,");
        await gateway.SaysAsync("h100-1 is ready");
        Change("{name: h100, replicas: 1,");
        await gateway.SaysAsync("h100-1 has left");
        Assert.DoesNotContain("h100-0 has ", gateway.Errors, StringComparison.Ordinal);
        Change("{name: h100, replicas: 1, max_sequences: 8,");
        await gateway.SaysAsync("h100-0 has ended what it ran");
    }

    private const System.Text.Json.JsonValueKind JsonNull = System.Text.Json.JsonValueKind.Null;

    private static string Link(TemporaryFolder folder, string version, string text)
    {
        folder.Write($"{version}/factory.yaml", text);
        var (data, file) = (Path.Combine(folder.Root, "data"), Path.Combine(folder.Root, "factory.yaml"));
        if (Directory.Exists(data))
            Directory.Delete(data);
        Directory.CreateSymbolicLink(data, version);
        if (!File.Exists(file))
            File.CreateSymbolicLink(file, Path.Combine("data", "factory.yaml"));
        return file;
    }

    private static async Task<string> TenantsAsync(GatewayProcess gateway, TemporaryFolder folder)
    {
        using var http = new HttpClient();
        var key = (await File.ReadAllTextAsync(Path.Combine(folder.Root, ".tokenfactory", "admin-key"), TestContext.Current.CancellationToken)).Trim();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await http.GetAsync(new Uri(gateway.Greeting.GetProperty("admin").GetString() + "/admin/v1/tenants"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
