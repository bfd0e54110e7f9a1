using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net;
using System.Text.Json;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Admin;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tests.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Admin;

/// <summary>The admin API on a real socket, over a book of tenants and two replicas that only say what they were told.</summary>
internal sealed class AdminServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ReplicaStatus> _replicas = new(StringComparer.Ordinal);

    private AdminServer(Books books)
    {
        Books = books;
        Key = AdminKey.Open(books.Folder);
        Metrics = new GatewayMetrics(books.Clock);
        foreach (var name in new[] { "h100-0", "l40s-0" })
        {
            _replicas[name] = new ReplicaStatus(
                name, "llama", "pool", "1 x H100, llama, fp8, virtual", true, "http://127.0.0.1:1", "ready", "", 1, 2, 3, 0.5, 0.25,
                400, 1000, 200, 0.5, 0.1, 60);
        }

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        AdminApi.Map(_app, Parts());
        Client = new HttpClient();
    }

    public Books Books { get; }

    public AdminKey Key { get; }

    public GatewayMetrics Metrics { get; }

    public HttpClient Client { get; }

    public StoreStatus Store { get; set; } = new("memory", null, 12345, false);

    public IReadOnlyList<RouteEndpoint> Routes =>
        [.. ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];

    public static async Task<AdminServer> StartAsync(params TenantSetup[] tenants)
    {
        var server = new AdminServer(await Books.OpenAsync(tenants));
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        server.Client.BaseAddress = new Uri(server._app.Urls.Single());
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key.Made);
        return server;
    }

    /// <summary>Asks, and reads what is answered.</summary>
    public async Task<(int Status, JsonElement Body)> AskAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Metrics.Dispose();
        await _app.DisposeAsync();
        await Books.DisposeAsync();
    }

    private AdminParts Parts() => new()
    {
        Key = Key,
        Tenants = Books.Book,
        Setup = () => Books.Setup(),
        Replicas = () => [.. _replicas.Values.OrderBy(replica => replica.Name, StringComparer.Ordinal)],
        Drain = (name, drain) => _replicas.TryGetValue(name, out var replica)
            && _replicas.TryUpdate(name, replica with { State = drain ? "draining" : "ready" }, replica),
        Store = () => Store,
        Clock = Books.Wall,
        Metrics = Metrics,
        Started = Books.Wall.Now + Duration.OfSeconds(-90),
    };
}
