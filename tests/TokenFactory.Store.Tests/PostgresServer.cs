using System.Diagnostics;
using Npgsql;
using TokenFactory.Store.Tests;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace TokenFactory.Store.Tests;

/// <summary>
/// A PostgreSQL server of our own in a temporary folder, reached by a socket there; it dies with this process. All tests share one.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private const string Missing = "PostgreSQL is not installed here (apt install postgresql-15)";
    private static readonly string[] AsPostgres = ["--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT"];
    private static readonly string? Binaries = Find();

    private readonly string _folder = Directory.CreateTempSubdirectory("tf-pg-").FullName;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private Process? _server;
    private int _schemas;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A place without tables. Skips the test where there is no PostgreSQL.</summary>
    public async Task<string> SchemaAsync(CancellationToken cancel)
    {
        Assert.SkipWhen(Binaries is null, Missing);
        await StartAsync(cancel);
        var name = $"s{Interlocked.Increment(ref _schemas)}";
        await using var connection = new NpgsqlConnection(Connection);
        await connection.OpenAsync(cancel);
        await using var command = new NpgsqlCommand($"CREATE SCHEMA {name}", connection);
        await command.ExecuteNonQueryAsync(cancel);
        return $"{Connection};Search Path={name}";
    }

    /// <summary>Starts it, and waits until it answers.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        await _starting.WaitAsync(cancel);
        try
        {
            if (_server is null or { HasExited: true })
                await LaunchAsync(cancel);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Stops it as a crash would.</summary>
    public async Task StopAsync()
    {
        if (_server is null or { HasExited: true })
            return;
        await RunAsync("pg_ctl", ["stop", "-D", Data, "-m", "immediate", "-w"], CancellationToken.None);
        await _server.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await StopAsync();
        _server?.Dispose();
        _starting.Dispose();
        Directory.Delete(_folder, true);
    }

    private string Data => Path.Combine(_folder, "data");

    private string Connection => $"Host={_folder};Username=tf;Database=postgres;Password=hush-hush;Timeout=5;SSL Mode=Disable";

    private async Task LaunchAsync(CancellationToken cancel)
    {
        if (!Directory.Exists(Data))
        {
            if (Environment.IsPrivilegedProcess)
                await RunAsync("/bin/chown", ["postgres", _folder], cancel);
            await RunAsync("initdb", ["-D", Data, "-U", "tf", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"], cancel);
        }

        _server = await BeginAsync(
            "postgres",
            ["-D", Data, "-c", "listen_addresses=", "-c", $"unix_socket_directories={_folder}", "-c", "fsync=off",
             "-c", "full_page_writes=off", "-c", "max_connections=100"]);
        await using var source = NpgsqlDataSource.Create(Connection + ";Pooling=false");
        for (var clock = Stopwatch.StartNew(); ;)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(cancel);
                return;
            }
            catch (NpgsqlException) when (!_server.HasExited && clock.Elapsed < TimeSpan.FromSeconds(60))
            {
                await Task.Delay(10, cancel);
            }
        }
    }

    private static async Task RunAsync(string program, string[] arguments, CancellationToken cancel)
    {
        using var process = Begin(program, arguments);
        await process.WaitForExitAsync(cancel);
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}");
    }

    /// <summary>Starts what is to run on, by a thread that stays: the system tells it to end with the thread that began it.</summary>
    private static Task<Process> BeginAsync(string program, string[] arguments)
    {
        var begun = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                var process = Begin(program, arguments);
                begun.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception failed)
            {
                begun.TrySetException(failed);
            }
        });
        thread.IsBackground = true;
        thread.Start();
        return begun.Task;
    }

    /// <summary>PostgreSQL refuses to run as root: root starts it as the user postgres.</summary>
    private static Process Begin(string program, string[] arguments)
    {
        var asPostgres = Environment.IsPrivilegedProcess && !Path.IsPathRooted(program);
        var path = Path.Combine(Binaries!, program);
        var start = asPostgres
            ? new ProcessStartInfo("setpriv", [.. AsPostgres, path, .. arguments])
            : new ProcessStartInfo(path, arguments);
        (start.WorkingDirectory, start.RedirectStandardOutput, start.RedirectStandardError) = ("/", true, true);
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static string? Find()
    {
        const string Debian = "/usr/lib/postgresql";
        var named = Environment.GetEnvironmentVariable("TOKENFACTORY_POSTGRES");
        var packaged = Directory.Exists(Debian) ? Directory.GetDirectories(Debian).OrderByDescending(Version) : Enumerable.Empty<string>();
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return new[] { named ?? "" }.Concat(packaged.Select(folder => Path.Combine(folder, "bin"))).Concat(onPath).FirstOrDefault(IsOne);

        static bool IsOne(string folder) =>
            folder.Length > 0 && File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres"));

        static int Version(string folder) => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0;
    }
}
