using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Setup;

namespace TokenFactory.Gateway.Api;

/// <summary>Web servers, bare: no configuration files, no variables of the environment, nothing between the socket and who answers.</summary>
internal static class Listeners
{
    private const double LeastBodyRate = 240; // bytes a second
    private const double LeastGrace = 2; // seconds; the web server looks each second
    private static readonly TimeSpan HeaderTime = TimeSpan.FromSeconds(30);

    /// <summary>A server that is built and not started.</summary>
    /// <param name="address">Where it listens; port 0 for any.</param>
    /// <param name="setup">Limits and certificates.</param>
    /// <param name="logs">Where it logs.</param>
    /// <param name="more">Services that its handlers need.</param>
    /// <param name="inline">
    /// Whether handlers run on the threads that sockets are served by, which saves changes of thread. Such handlers never block.
    /// </param>
    public static WebApplication Build(
        System.Net.IPEndPoint address, GatewaySetup setup, ILoggerProvider logs, Action<IServiceCollection>? more = null, bool inline = false)
    {
        // The usual content root is the current folder, which is watched with all that is in it.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().AddProvider(logs).SetMinimumLevel(LogLevel.Warning).AddFilter("TokenFactory", LogLevel.Information)
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // what it would say is thrown too
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan); // whoever stops it says how long
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = inline);
        more?.Invoke(builder.Services);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Limit(kestrel, address, setup));
        return builder.Build();
    }

    /// <summary>Looks whether an address can be listened on.</summary>
    /// <param name="setting">Which setting names it.</param>
    /// <param name="address">The address; port 0 for any.</param>
    /// <exception cref="SettingException">It cannot.</exception>
    public static void Try(string setting, System.Net.IPEndPoint address)
    {
        using var listener = new TcpListener(address);
        try
        {
            listener.Start();
        }
        catch (SocketException taken)
        {
            throw new SettingException(setting, address.ToString(), taken.Message);
        }
    }

    /// <summary>Where a server that was started listens.</summary>
    public static Uri AddressOf(WebApplication server) =>
        new(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    private static void Limit(KestrelServerOptions kestrel, System.Net.IPEndPoint address, GatewaySetup setup)
    {
        var (limits, listen) = (setup.Limits, setup.Listen);
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxConcurrentConnections = limits.Connections;
        kestrel.Limits.MaxRequestHeadersTotalSize = limits.HeaderBytes;
        kestrel.Limits.MaxRequestLineSize = Math.Min(limits.HeaderBytes, 8192);
        kestrel.Limits.MaxRequestBodySize = null; // counted as bodies are taken in, and refused in the API's own words
        kestrel.Limits.RequestHeadersTimeout = HeaderTime;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(LeastBodyRate, TimeSpan.FromSeconds(Math.Max(LeastGrace, limits.SlowClientSeconds)));
        kestrel.Limits.MinResponseDataRate = null; // slow clients are cut off by limits.slow_client_s
        kestrel.Listen(address, at =>
        {
            if (listen.Certificate is { } certificate)
                at.UseHttps(X509Certificate2.CreateFromPemFile(certificate, listen.CertificateKey));
        });
    }
}
