using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using TokenFactory.Gateway.Tests.Api;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>The gateway as old and new clients reach it: HTTP/1.0, HTTP/2 over TLS with certificate files.</summary>
public sealed class TransportTests
{
    private const string Answer = """{"id":"a","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}""";
    private const string Events = "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w\"}}]}\n\ndata: [DONE]\n\n";
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false, Answer)]
    [InlineData(true, Events)]
    public async Task A_client_of_HTTP_1_0_gets_its_answer_whole_and_then_the_end(bool stream, string expected)
    {
        await using var engine = new RawEngine(ServeAsync);
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);
        using var client = await RawClient.ConnectAsync(gateway.Host.Address);
        await client.SendAsync(RawClient.Post(gateway.Host.FirstKey!, RunningGateway.Body(stream), target: "/v1/chat/completions HTTP/1.0"));

        var answer = Assert.Single(RawClient.Answers(await client.ReadAsync(Guard)));

        Assert.Equal((200, expected, true), (answer.Status, answer.Text, answer.Whole));
        Assert.DoesNotContain("chunked", answer.Head, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(Outcome.Completed, Assert.Single(await gateway.StopAsync()).Outcome);
    }

    /// <summary>The web server reads what is left of a body that was refused unread, and finds that it is no HTTP.</summary>
    [Fact]
    public async Task Trailers_that_are_no_text_are_no_error_of_ours_where_nobody_reads_them()
    {
        using var logs = new StringLogs();
        await using var gateway = await RunningGateway.StartAsync([], logs: logs.Provider);
        using var client = await RawClient.ConnectAsync(gateway.Host.Address);
        byte[] trailers = [.. "0\r\nX-Odd: "u8, 0xff, 0xfe, 0, .. "\r\n\r\n"u8];
        await client.SendAsync("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\nTransfer-Encoding: chunked\r\n\r\n");

        await client.SendAsync(trailers);
        var answer = Assert.Single(RawClient.Answers(await client.ReadAsync(Guard)));

        Assert.Equal(401, answer.Status);
        await gateway.StopAsync();
        Assert.DoesNotContain("\"level\":\"error\"", logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_streams_share_one_connection_of_HTTP_2_over_TLS()
    {
        await using var engine = new RawEngine(ServeAsync);
        using var folder = new TemporaryFolder();
        using var certificate = MakeCertificate(folder);
        await using var gateway = await RunningGateway.StartAsync([engine.Address], setup => setup with
        {
            Listen = setup.Listen with { Certificate = folder.Path("cert.pem"), CertificateKey = folder.Path("key.pem") },
        });
        var connections = 0;
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) =>
                {
                    Interlocked.Increment(ref connections);
                    return shown!.GetCertHashString() == certificate.GetCertHashString();
                },
            },
        };
        using var client = new HttpClient(handler)
        {
            BaseAddress = gateway.Host.Address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        client.DefaultRequestHeaders.Authorization = new("Bearer", gateway.Host.FirstKey!);
        async Task<string> AskAsync(bool stream)
        {
            using var content = new StringContent(RunningGateway.Body(stream), Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (answer.StatusCode, answer.Version));
            return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(Answer, await AskAsync(stream: false));
        var texts = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => AskAsync(stream: i % 2 == 0)));

        Assert.Equal(Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? Events : Answer), texts);
        Assert.Equal(1, connections);
        Assert.Equal("https", gateway.Host.AdminAddress.Scheme);
        using var plain = await RawClient.ConnectAsync(gateway.Host.Address);
        await plain.SendAsync(RawClient.Post(gateway.Host.FirstKey!, RunningGateway.Body()));
        Assert.DoesNotContain(RawClient.Answers(await plain.ReadAsync(Guard)), answer => answer.Status < 400);
        Assert.Equal(41, (await gateway.StopAsync()).Count);
    }

    private static async ValueTask<bool> ServeAsync(RawLine line)
    {
        if (line.Body.Span.IndexOf("\"stream\":true"u8) < 0)
        {
            await line.AnswerAsync(200, Answer);
            return true;
        }

        await line.BeginStreamAsync();
        await line.ChunkAsync(Events);
        await line.EndStreamAsync();
        return true;
    }

    private static X509Certificate2 MakeCertificate(TemporaryFolder folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(folder.Path("cert.pem"), made.ExportCertificatePem());
        File.WriteAllText(folder.Path("key.pem"), key.ExportPkcs8PrivateKeyPem());
        return made;
    }
}
