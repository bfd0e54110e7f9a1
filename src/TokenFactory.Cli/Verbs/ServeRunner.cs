using System.CommandLine;
using TokenFactory.Cli.Input;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Store;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Cli.Verbs;

/// <summary>Runs the gateway until it is told to stop, and takes its file anew when that changes.</summary>
/// <param name="terminal">Where it speaks.</param>
/// <param name="path">The factory file.</param>
/// <param name="read">Reads it.</param>
internal sealed class ServeRunner(Terminal terminal, string path, Func<Factory> read)
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const int LeastWorkers = 4;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>The factory that runs when no file is named.</summary>
    public static string DefaultFile { get; } = Path.Combine(AppContext.BaseDirectory, "examples", "serve-laptop.yaml");

    /// <summary>Says what the file makes of it.</summary>
    public int Check(ParseResult parsed, CommonFlags common)
    {
        App.Print(ServeReport.Of(read(), path), terminal, common, parsed);
        return App.Done;
    }

    /// <summary>Runs it.</summary>
    public int Run(bool json) => RunAsync(json).GetAwaiter().GetResult();

    /// <summary>
    /// Lets requests run on the threads that hear of their bytes, two changes of thread less for each: .NET reads that when the first socket
    /// is made, and only from the environment. Who waits for the ledger goes on in the pool, which must have a thread for it also on one
    /// core while another moves records into the store.
    /// </summary>
    private static void PrepareThreads()
    {
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        ThreadPool.GetMinThreads(out var workers, out var others);
        ThreadPool.SetMinThreads(Math.Max(workers, LeastWorkers), others);
    }

    private async Task<int> RunAsync(bool json)
    {
        PrepareThreads();
        var factory = read();
        var written = Written();
        using var over = new CancellationTokenSource();
        var stopped = StopSignal.WaitAsync(terminal, over.Token); // heard from before anybody is told that it answers
        try
        {
            using var logs = new JsonLogs(terminal.Err, TimeProvider.System);
            await using var host = await StartAsync(factory, logs).ConfigureAwait(false);
            var greeting = new ServeGreeting(host, factory);
            terminal.Out.Write(json ? greeting.Json() : greeting.Text());
            terminal.Out.Flush();
            var watching = WatchAsync(host, factory.Setup, written, over.Token);
            await stopped.ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
            terminal.Err.WriteLine($"Stopping: no new requests; those that run get {host.Setup.Limits.DrainSeconds:0.#} s to end. Again to stop at once.");
            return App.Done;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task<GatewayHost> StartAsync(Factory factory, JsonLogs logs)
    {
        try
        {
            return await GatewayHost.StartAsync(factory.Setup, TimeProvider.System, logs, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreAwayException away)
        {
            throw new Refusal("store", $"cannot be reached: {away.Message.TrimEnd('.')}", "Start it, or mend store.postgres_env");
        }
        catch (StoreTooNewException young)
        {
            throw new Refusal("store", young.Message.TrimEnd('.'), "Start the newer Token Factory, or name another store.folder");
        }
        catch (StoreSetupException wrong)
        {
            throw Told("store", wrong.Message);
        }
        catch (Exception wrong) when (wrong is JournalException or InvalidDataException)
        {
            throw Told($"store.folder '{factory.Setup.Store.Folder}'", wrong.Message);
        }
        catch (SettingException other)
        {
            throw new Refusal(Where, other.Message.TrimEnd('.'), $"Name another with --set {other.Setting}={Example(other.Setting)}");
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new Refusal(Where, unwritable.Message.TrimEnd('.'), "Name a folder and a file that can be written: store.folder, telemetry.events");
        }
    }

    /// <summary>The file, unless nobody named one.</summary>
    private string Where => path == DefaultFile ? "serve" : path;

    private static string Example(string setting) => setting switch
    {
        "listen" or "admin" => "127.0.0.1:PORT",
        "store.folder" => "FOLDER",
        _ => "FILE",
    };

    /// <summary>A refusal of a message whose last sentence is its remedy.</summary>
    private static Refusal Told(string where, string message)
    {
        var end = message.LastIndexOf(". ", StringComparison.Ordinal);
        return end < 0
            ? new Refusal(where, message.TrimEnd('.'), "See docs/guide/serve.md")
            : new Refusal(where, message[..end], message[(end + 2)..].TrimEnd('.'));
    }

    /// <summary>Takes the file anew whenever it was written.</summary>
    private async Task WatchAsync(GatewayHost host, GatewaySetup started, DateTime? written, CancellationToken over)
    {
        using var timer = new PeriodicTimer(LookEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(over).ConfigureAwait(false))
            {
                if (Written() is not { } now || now == written)
                    continue;
                written = now;
                await ReloadAsync(host, started).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // it stops
        }
    }

    /// <summary>A changed file that is wrong changes nothing, and its mistakes are told.</summary>
    private async Task ReloadAsync(GatewayHost host, GatewaySetup started)
    {
        try
        {
            var setup = read().Setup;
            await host.ApplyAsync(setup, CancellationToken.None).ConfigureAwait(false);
            var later = string.Join(", ", AtNextStart(started, setup));
            var but = later.Length > 0 ? $", but for what needs a new start: {later}" : "";
            await terminal.Err.WriteLineAsync($"{path} has changed and is in force{but}.").ConfigureAwait(false);
        }
        catch (Refusal refusal)
        {
            foreach (var mistake in refusal.Mistakes)
                await terminal.Err.WriteLineAsync($"error: {mistake}").ConfigureAwait(false);
            await terminal.Err.WriteLineAsync($"{path} has changed and is not taken: everything goes on as before.").ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is not OutOfMemoryException)
        {
            // Whatever it is, a store that is away or a full disk: the next change is looked at again.
            await terminal.Err.WriteLineAsync($"{path} has changed and is not taken: {problem.Message}").ConfigureAwait(false);
        }
    }

    private static IEnumerable<string> AtNextStart(GatewaySetup started, GatewaySetup now)
    {
        if (now.Listen != started.Listen)
            yield return now.Listen with { Address = started.Listen.Address } == started.Listen ? "listen"
                : now.Listen with { Admin = started.Listen.Admin } == started.Listen ? "admin" : "listen, admin or tls";
        if (now.Store != started.Store)
            yield return "store";
        if (now.Telemetry != started.Telemetry)
            yield return "telemetry";
        if ((now.Limits.HeaderBytes, now.Limits.Connections) != (started.Limits.HeaderBytes, started.Limits.Connections))
            yield return "limits.header_kb or limits.connections";
    }

    /// <summary>When the file itself was written: clusters swap the folder that a link leads to, and leave the link alone.</summary>
    private DateTime? Written()
    {
        try
        {
            return File.Exists(path) ? File.GetLastWriteTimeUtc(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path) : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null; // it is being swapped
        }
    }
}
