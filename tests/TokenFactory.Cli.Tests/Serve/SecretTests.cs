using System.Text;
using TokenFactory.Gateway.Tests.Faults;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>Planted secrets come out nowhere: not in logs, errors, the ledger or metrics, whatever fails.</summary>
public sealed class SecretTests
{
    private const string Prompt = "PLANTED-PROMPT-7f3a";
    private const string Upstream = "planted-upstream-key-91";
    private const string Wrong = "sk-tf-planted-wrong-key-4711";
    private const string AdminKey = ".tokenfactory/admin-key"; // where its owner, and nobody else, can read it
    private const string Password = "planted-password-55";

    [Fact]
    public async Task Whatever_fails_no_secret_comes_out()
    {
        using var folder = new TemporaryFolder();
        var number = 0;
        await using var engine = new RawEngine(line => FailAsync(line, Interlocked.Increment(ref number)));
        var file = folder.Write("factory.yaml", Factories.Yaml([engine.Address], "api_key_env: PLANTED_UPSTREAM", "health: {failures: 1000000}"));
        using var gateway = await GatewayProcess.StartAsync(file, folder.Root, ("PLANTED_UPSTREAM", Upstream));
        var admin = gateway.Greeting.GetProperty("admin_key").GetString()!;
        using var client = Factories.Client(gateway);
        var answers = new StringBuilder();

        for (var i = 0; i < 60; i++)
            answers.Append(await HearAsync(client, Factories.Body(i % 2 == 0, Prompt)));
        client.DefaultRequestHeaders.Authorization = new("Bearer", Wrong);
        answers.Append(await HearAsync(client, Factories.Body(false, Prompt)));
        answers.Append(await (await client.GetAsync(new Uri($"/v1/nothing/{Prompt}?key={Wrong}", UriKind.Relative), TestContext.Current.CancellationToken)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var metrics = await MetricsAsync(gateway, admin);
        Assert.Equal(0, await gateway.StopAsync());

        AssertNone(answers.ToString(), "an answer", Upstream, admin, Factories.Key, Wrong);
        AssertNone(gateway.Errors, "the log", Upstream, admin, Factories.Key, Wrong, Prompt);
        AssertNone(metrics, "the metrics", Upstream, admin, Factories.Key, Wrong, Prompt);
        Assert.True((await Factories.RecordsAsync(folder.Root)).Count > 50);
        var kept = folder.Files().Where(path => path is not ("factory.yaml" or AdminKey)).ToList();
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder.Root, AdminKey)));
        foreach (var path in kept)
        {
            var held = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(Path.Combine(folder.Root, path), TestContext.Current.CancellationToken));
            AssertNone(held, path, Upstream, admin, Factories.Key, Wrong, Prompt);
        }
    }

    [Fact]
    public async Task A_database_that_cannot_be_reached_is_told_without_its_password()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("factory.yaml", Factories.Yaml([new Uri("http://127.0.0.1:9")], more: "store: {postgres_env: PLANTED_POSTGRES}"));

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => GatewayProcess.StartAsync(
            file, folder.Root, ("PLANTED_POSTGRES", $"Host=127.0.0.1;Port=9;Username=tf;Password={Password};Timeout=2")));

        Assert.Contains("cannot be reached", refused.Message, StringComparison.Ordinal);
        AssertNone(refused.Message, "the refusal", Password);
    }

    /// <summary>Every kind of failure, quoting whatever it was sent.</summary>
    private static async ValueTask<bool> FailAsync(RawLine line, int number)
    {
        var quoted = $"{line.Head} {Encoding.UTF8.GetString(line.Body.Span)}".Replace("\"", "'", StringComparison.Ordinal).ReplaceLineEndings(" ");
        switch (number % 9)
        {
            case 0:
                await line.AnswerAsync(400, $"{{\"error\":{{\"message\":\"{quoted}\"}}}}");
                return true;
            case 1:
                await line.AnswerAsync(500, quoted);
                return true;
            case 2:
                await line.AnswerAsync(401, quoted);
                return true;
            case 3:
                line.Break();
                return false;
            case 4:
                await line.SendAsync($"HTTP/1.1 {quoted}\r\n\r\n");
                return false;
            case 5:
                await line.AnswerAsync(200, quoted);
                return true;
            case 6:
                await line.SendAsync($"HTTP/1.1 200 OK\r\nContent-Type: {quoted}\r\nX-Odd: {quoted}\r\nContent-Length: 2\r\n\r\n{{}}");
                return true;
            case 7:
                await line.BeginStreamAsync();
                await line.ChunkAsync("data: {\"choices\":[{\"delta\":{\"content\":\"w\"}}]}\n\n");
                line.Break();
                return false;
            default:
                await line.AnswerAsync(200, """{"id":"a","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}""");
                return true;
        }
    }

    private static async Task<string> HearAsync(HttpClient client, string body)
    {
        using var answer = await Factories.ChatAsync(client, body, whole: false);
        try
        {
            return answer + await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            return answer.ToString();
        }
    }

    private static async Task<string> MetricsAsync(GatewayProcess gateway, string admin)
    {
        using var http = new HttpClient { BaseAddress = gateway.Admin };
        http.DefaultRequestHeaders.Authorization = new("Bearer", admin);
        return await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
    }

    private static void AssertNone(string text, string where, params string[] secrets)
    {
        foreach (var secret in secrets)
            Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{where} holds {secret}: ...{Around(text, secret)}...");
    }

    private static string Around(string text, string secret)
    {
        var at = Math.Max(0, text.IndexOf(secret, StringComparison.Ordinal) - 300);
        return text.Substring(at, Math.Min(700, text.Length - at));
    }
}
