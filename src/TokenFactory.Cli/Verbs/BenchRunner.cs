using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Gateway.Load;

namespace TokenFactory.Cli.Verbs;

/// <summary>Sends load, shows progress, and writes what was asked for.</summary>
internal sealed class BenchRunner(Terminal terminal, CommonFlags common, ParseResult parsed)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Runs it.</summary>
    /// <exception cref="Refusal">The server cannot be asked, or a file cannot be written.</exception>
    public async Task<int> RunAsync(BenchAsked asked, BenchFiles files, CatalogContents? catalog)
    {
        using var rows = files.Requests is { } path ? StagedFile.Open(path, "--csv") : null;
        var summary = files.Summary is { } to ? new BenchSummary(to, catalog!) : null;
        var model = asked.Model ?? await FirstModel(asked);
        rows?.Writer.WriteLine(BenchRows.Header);
        var plan = new LoadPlan
        {
            Target = asked.Target,
            Model = model,
            Traffic = asked.Traffic(asked.Seed),
            ApiKey = asked.ApiKey,
            Endpoint = asked.Endpoint,
            Streams = asked.Streams,
            ExactLengths = asked.ExactLengths,
            Seconds = asked.Seconds,
            WarmUpSeconds = asked.WarmUpSeconds,
            DrainSeconds = asked.DrainSeconds,
            Classes = asked.Classes,
            ClassHeader = asked.ClassHeader,
        };
        using var stop = new CancellationTokenSource();
        var run = LoadRun.RunAsync(
            plan,
            asked.Seed,
            TimeProvider.System,
            rows is null ? null : row => rows.Writer.WriteLine(BenchRows.Line(row)),
            Tell,
            stop.Token);
        await Ended(run, stop);
        var report = await run;
        rows?.Keep();
        if (report.All.Completed > 0)
            summary?.Add(asked, model, report, TimeProvider.System.GetUtcNow());
        App.Print(BenchReport.Of(asked, model, report, files), terminal, common, parsed);
        return report.All.Completed > 0 && report.All.Failed == 0 ? App.Done : App.AnswerIsNo;
    }

    /// <summary>Waits for the run; who presses Ctrl-C gets what there is.</summary>
    private async Task Ended(Task run, CancellationTokenSource stop)
    {
        using var over = new CancellationTokenSource();
        var waiting = StopSignal.WaitAsync(terminal, over.Token);
        await Task.WhenAny(run, waiting);
        if (!run.IsCompleted)
            await stop.CancelAsync();
        await over.CancelAsync();
        await waiting;
    }

    private void Tell(LoadProgress progress) => terminal.Err.WriteLine(progress.WarmsUp
        ? string.Create(CultureInfo.InvariantCulture, $"{progress.Seconds:0} s: warming up")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{progress.Seconds:0} s: {progress.Sent:N0} sent, {progress.Completed:N0} completed, {progress.Failed:N0} failed, "
            + $"{progress.Sent - progress.Completed - progress.Failed:N0} under way"));

    /// <summary>The first model that the server lists.</summary>
    private static async Task<string> FirstModel(BenchAsked asked)
    {
        var address = new Uri(asked.Target, "/v1/models");
        try
        {
            using var http = new HttpClient { Timeout = Patience };
            if (asked.ApiKey is { } key)
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var answer = await http.GetAsync(address);
            if (!answer.IsSuccessStatusCode)
                throw Refused(address, answer.StatusCode, asked.ApiKey is not null);
            using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            return json.RootElement.GetProperty("data")[0].GetProperty("id").GetString()!;
        }
        catch (Exception bad) when (bad is HttpRequestException or TaskCanceledException)
        {
            throw new Refusal(
                $"{address}", $"cannot be reached: {bad.Message.TrimEnd('.')}", "Check the address, and that the server runs");
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException)
        {
            throw new Refusal($"{address}", "lists no model", "Name one with --model");
        }
    }

    private static Refusal Refused(Uri address, HttpStatusCode status, bool hasKey) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when hasKey =>
            new($"{address}", $"answers {(int)status}: it does not accept the key", "Give another with --api-key or OPENAI_API_KEY"),
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
            new($"{address}", $"answers {(int)status}: it asks for a key", "Give one with --api-key or OPENAI_API_KEY"),
        HttpStatusCode.NotFound => new(
            $"{address}",
            "answers 404: it is no OpenAI API",
            "Give the address for clients, not that of the admin API; where the server only lists no models, name one with --model"),
        _ => new($"{address}", $"answers {(int)status}", "Name the model with --model"),
    };
}
