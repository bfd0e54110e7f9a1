using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Sends metrics to an OpenTelemetry collector by OTLP over HTTP. While the collector is away, nothing waits for it.</summary>
public sealed class OtlpExport : IDisposable
{
    private const int LongestFlushMilliseconds = 5000;

    /// <summary>.NET's own meters that tell how the process fares.</summary>
    private static readonly string[] OtherMeters =
        ["System.Runtime", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http"];

    private readonly MeterProvider _provider;

    /// <summary>Begins to send.</summary>
    /// <param name="collector">Its address; metrics go to /v1/metrics there unless it names a path.</param>
    /// <param name="factory">What the factory is called: the service's name.</param>
    /// <param name="every">Time between two exports.</param>
    public OtlpExport(Uri collector, string factory, TimeSpan every) =>
        _provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.AddService("tokenfactory", serviceNamespace: factory))
            .AddMeter([GatewayMetrics.MeterName, .. OtherMeters])
            .AddOtlpExporter((exporter, reader) =>
            {
                exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
                exporter.Endpoint = collector.AbsolutePath == "/" ? new Uri(collector, "v1/metrics") : collector;
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)every.TotalMilliseconds;
            })
            .Build();

    /// <summary>Sends what there is now; false where it could not.</summary>
    public bool Flush() => _provider.ForceFlush(LongestFlushMilliseconds);

    /// <summary>Sends what there is, and ends.</summary>
    public void Dispose() => _provider.Dispose();
}
