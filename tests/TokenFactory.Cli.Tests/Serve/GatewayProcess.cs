using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>The program's serve verb as a process of its own, which can be killed.</summary>
internal sealed class GatewayProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private TaskCompletionSource _said = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GatewayProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
                _said.TrySetResult();
                _said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        };
        process.BeginErrorReadLine();
    }

    /// <summary>What it said once it answered.</summary>
    public JsonElement Greeting { get; private set; }

    public Uri Admin => new(Greeting.GetProperty("admin").GetString()!);

    /// <summary>Memory that it holds, in bytes.</summary>
    public long WorkingSetBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public Uri Address => new(Greeting.GetProperty("address").GetString()!);

    /// <summary>What it wrote on standard error.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    /// <summary>Starts 'serve FILE --json' and waits until it answers.</summary>
    public static async Task<GatewayProcess> StartAsync(string file, string folder, params (string Name, string Value)[] environment)
    {
        var gateway = Begin(folder, environment, file, "--json");
        try
        {
            var line = await gateway.LineAsync();
            gateway.Greeting = JsonDocument.Parse(line ?? throw new InvalidOperationException("It ended: " + gateway.Errors)).RootElement;
            return gateway;
        }
        catch
        {
            gateway.Dispose();
            throw;
        }
    }

    /// <summary>Starts 'serve' with more words.</summary>
    public static GatewayProcess Begin(string folder, params string[] more) => Begin(folder, [], more);

    private static GatewayProcess Begin(string folder, (string Name, string Value)[] environment, params string[] more)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        string[] words = [typeof(App).Assembly.Location, "serve", .. more];
        foreach (var word in words)
            start.ArgumentList.Add(word);
        start.Environment["TOKENFACTORY_CATALOG"] = Program.NoCatalog;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new GatewayProcess(Process.Start(start)!);
    }

    /// <summary>The next line of its output; null at the end.</summary>
    public Task<string?> LineAsync() => _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);

    /// <summary>Waits until it says something on standard error.</summary>
    public async Task SaysAsync(string words)
    {
        while (true)
        {
            Task next;
            lock (_errors)
            {
                if (_errors.ToString().Contains(words, StringComparison.Ordinal))
                    return;
                next = _said.Task;
            }

            try
            {
                await next.WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"It does not say '{words}', but: {Errors}");
            }
        }
    }

    /// <summary>SIGKILL: it has no time for anything.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>SIGTERM: it is to end what it has.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
        kill.WaitForExit();
    }

    /// <summary>SIGTERM: it ends what it has; its exit code.</summary>
    public Task<int> StopAsync()
    {
        Terminate();
        return ExitAsync();
    }

    /// <summary>Waits for its end; its exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>Waits until something holds; the guard is only for when it never does, and shows then what the gateway said.</summary>
    public async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var guard = DateTime.UtcNow + Patience;
        while (!await holds())
        {
            Assert.True(DateTime.UtcNow < guard, $"after {Patience.TotalSeconds} s still not: {what}; it said: {Errors}");
            await Task.Delay(20);
        }
    }

    /// <summary>Asks its admin API.</summary>
    public async Task<JsonElement> AskAsync(string path, string key)
    {
        using var http = new HttpClient { BaseAddress = Admin };
        http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return JsonDocument.Parse(await http.GetStringAsync(new Uri(path, UriKind.Relative))).RootElement;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }
}
