using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TokenFactory.Engine;
using TokenFactory.Gateway.Setup;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Virtual;

/// <summary>
/// An OpenAI-compatible server whose answers are made up and whose pace is that of a chosen GPU: the twin's engine in wall time. It says
/// everywhere that it is virtual.
/// </summary>
public sealed class VirtualEngine : IAsyncDisposable
{
    /// <summary>The header in each of its answers.</summary>
    public const string Header = "x-tokenfactory-virtual";

    private readonly WebApplication _app;
    private readonly EngineDriver _driver;
    private readonly FineClock? _clock;

    private VirtualEngine(WebApplication app, EngineDriver driver, FineClock? clock, Uri address) =>
        (_app, _driver, _clock, Address) = (app, driver, clock, address);

    /// <summary>Where it answers, "http://127.0.0.1:40123".</summary>
    public Uri Address { get; }

    /// <summary>What the replica looks like now.</summary>
    public ReplicaLoad Load => _driver.Look((engine, _, now) => engine.Load(now));

    /// <summary>What it has done since its start.</summary>
    public ReplicaMeter Meter => _driver.Look((engine, _, now) => engine.Meter(now));

    /// <summary>Time since its start, by which it is driven.</summary>
    public Instant Now => _driver.Look((_, _, now) => now);

    /// <summary>Starts one.</summary>
    /// <param name="pool">What it is, and how it schedules.</param>
    /// <param name="model">What clients call the model.</param>
    /// <param name="options">How it answers.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="cancel">Gives up starting.</param>
    /// <exception cref="ArgumentException">Its faults cannot be understood.</exception>
    /// <exception cref="IOException">Its address is taken.</exception>
    public static async Task<VirtualEngine> StartAsync(
        PoolSetup pool, string model, VirtualOptions options, TimeProvider time, CancellationToken cancel)
    {
        var faults = FaultPlan.Parse(options.Faults, out var mistakes);
        if (mistakes.Count > 0)
            throw new ArgumentException(string.Join(" ", mistakes), nameof(options));
        var dice = new FaultDice(options.Seed) { Plan = faults };
        var clock = FineClock.For(time);
        var driver = new EngineDriver(pool.Facts.Model, pool.Settings, options.WritesPerSecond, clock);
        driver.Slow(faults.Slowness);
        var app = Build(options, dice);
        try
        {
            app.Run(new VirtualServer(driver, dice, model, options, time).HandleAsync);
            await app.StartAsync(cancel);
            return new VirtualEngine(app, driver, clock as FineClock, AddressOf(app));
        }
        catch
        {
            driver.Dispose();
            (clock as FineClock)?.Dispose();
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no new connections, and waits for answers that are under way.</summary>
    /// <param name="cancel">Cuts them.</param>
    public Task StopAsync(CancellationToken cancel) => _app.StopAsync(cancel);

    /// <summary>Ends it, with all answers that are under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        _driver.Dispose();
        _clock?.Dispose();
    }

    private static WebApplication Build(VirtualOptions options, FaultDice dice)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.BodyBytes;
            kestrel.Limits.MinResponseDataRate = null; // tokens come as slowly as they come
            kestrel.Listen(options.Listen, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(next => connection => Accept(next, connection, dice));
            });
        });
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        return builder.Build();
    }

    private static Task Accept(ConnectionDelegate next, ConnectionContext connection, FaultDice dice)
    {
        if (!dice.Befalls(FaultKind.Refuse))
            return next(connection);
        connection.Abort();
        return Task.CompletedTask;
    }

    private static Uri AddressOf(WebApplication app)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new Uri(addresses.First());
    }
}
