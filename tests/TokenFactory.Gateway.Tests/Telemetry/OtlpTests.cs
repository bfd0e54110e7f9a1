using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Telemetry;

namespace TokenFactory.Gateway.Tests.Telemetry;

public sealed class OtlpTests
{
    [Fact]
    public async Task A_collector_gets_the_metrics_by_OTLP()
    {
        var got = new List<(string Path, string? Type, string Body)>();
        await using var collector = Collector(got);
        await collector.StartAsync(TestContext.Current.CancellationToken);
        using var metrics = new GatewayMetrics(new HandClock());
        metrics.Watch = new GatewayWatch { Replicas = () => [MetricsTests.Replica("h100-0", 12.5, 1)] };
        using (var export = new OtlpExport(new Uri(collector.Urls.Single()), "my factory", TimeSpan.FromHours(1)))
        {
            metrics.Finished(Facts.Record(), 0.1, 200);
            Assert.True(export.Flush());
        }

        var (path, type, body) = got[0];
        Assert.Equal(("/v1/metrics", "application/x-protobuf"), (path, type));
        string[] told =
        [
            "gen_ai.server.request.duration", "gen_ai.server.time_to_first_token", "gen_ai.client.token.usage", "gen_ai.token.type",
            "tokenfactory.tokens", "tokenfactory.replica.power", "h100-0", "acme", "my factory", "system.runtime", "dotnet.gc",
        ];
        Assert.All(told, each => Assert.Contains(each, body, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("abcdefgh", body, StringComparison.Ordinal);
    }

    [Fact]
    public void A_collector_that_is_away_holds_nothing_up()
    {
        using var metrics = new GatewayMetrics(new HandClock());
        using var export = new OtlpExport(new Uri("http://127.0.0.1:1"), "factory", TimeSpan.FromHours(1));
        metrics.Finished(Facts.Record(), 0.1, 200);
        Assert.False(export.Flush());
        metrics.Finished(Facts.Record(), 0.1, 200);
        Assert.Contains("class=\"fresh\"} 200", metrics.Text(), StringComparison.Ordinal);
    }

    private static WebApplication Collector(List<(string Path, string? Type, string Body)> got)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
        {
            using var bytes = new MemoryStream();
            await context.Request.Body.CopyToAsync(bytes);
            lock (got)
                got.Add((context.Request.Path, context.Request.ContentType, Encoding.Latin1.GetString(bytes.ToArray())));
        });
        return app;
    }
}
