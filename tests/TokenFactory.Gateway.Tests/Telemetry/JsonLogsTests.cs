using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Store;

namespace TokenFactory.Gateway.Tests.Telemetry;

#pragma warning disable CA1727, CA1848 // log calls as anybody may write them
public sealed class JsonLogsTests
{
    private const string Key = "sk-tf-ABCDEFGH-abcdefghijklmnopqrstuvwxyz0123456789_-ABCDE";
    private const string AdminKey = "sk-tf-admin-abcdefghijklmnopqrstuvwxyz0123456789_-ABCDE";
    private const string Prompt = "my secret prompt";

    [Fact]
    public void An_event_is_one_line_of_JSON_with_what_it_names()
    {
        var lines = Lines(logger => logger.Log(
            LogLevel.Warning,
            new EventId(3, "RequestRetried"),
            (KeyValuePair<string, object?>[])
            [
                new("request_id", "req-1"), new("Replica", "h100-0"), new("status", 502), new("Ms", 12.5), new("{OriginalFormat}", "x"),
            ],
            null,
            (_, _) => "Request req-1 failed on h100-0\nand was sent again"));
        var line = Assert.Single(lines);
        Assert.Equal(
            """{"time":"2026-11-22T10:00:00.000000Z","level":"warning","event":"request_retried","request_id":"req-1","replica":"h100-0","""
            + "\"status\":502,\"ms\":12.5,"
            + """ "message":"Request req-1 failed on h100-0\nand was sent again","category":"TokenFactory.Gateway"}""".TrimStart(),
            line);
    }

    /// <summary>Keys in messages, fields and exceptions; prompts in messages of exceptions that quote what was sent.</summary>
    [Fact]
    public void Whatever_is_logged_no_key_leaves_and_no_exception_quotes_a_prompt()
    {
        Exception[] failures =
        [
            new FormatException($"The input string '{Prompt}' was not in a correct format."), new JsonException(Prompt),
            new ArgumentException(Prompt), new InvalidOperationException(Prompt, new KeyNotFoundException(Prompt)),
            new IOException($"Authorization: Bearer {Key}"), new HttpRequestException($"{Key} {AdminKey}", new SocketException(111)),
        ];
        var lines = Lines(logger =>
        {
            foreach (var failure in failures)
            {
                logger.LogError(failure, "Failed with {Key} and {header}: {Other}", Key, $"Bearer {Key}", new Uri($"http://x/?key={Key}"));
                logger.LogError(failure, $"key={Key};\"{AdminKey}\"");
            }
        });
        Assert.Equal(2 * failures.Length, lines.Count);
        Assert.All(lines, line =>
        {
            Assert.DoesNotContain("abcdefghij", line, StringComparison.Ordinal);
            Assert.DoesNotContain(Prompt, line, StringComparison.Ordinal);
            JsonDocument.Parse(line);
        });
        Assert.Contains("System.FormatException", lines[0], StringComparison.Ordinal);
        Assert.Contains("InvalidOperationException <- System.Collections.Generic.KeyNotFoundException", lines[6], StringComparison.Ordinal);
        Assert.Contains("Connection refused", lines[10], StringComparison.Ordinal);
        const string Harmless = "a disk-pressure-eviction of a task-scheduling-queue";
        Assert.Equal(Harmless, Redaction.Of(Harmless, 100));
    }

    /// <summary>Every log call that this assembly declares, with a key in each of its texts.</summary>
    [Fact]
    public void No_log_call_of_the_gateway_lets_a_key_through()
    {
        var calls = typeof(TenantBook).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(Declared))
            .Where(method => method.GetCustomAttribute<LoggerMessageAttribute>() is not null)
            .ToList();
        Assert.NotEmpty(calls);
        foreach (var call in calls)
        {
            var types = call.GetParameters().Select(parameter => parameter.ParameterType).ToList();
            var lines = Lines(
                logger => call.Invoke(Owner(call, logger), [.. types.Select(type => Given(type, logger))]), LogLevel.Trace);
            Assert.DoesNotContain("abcdefghij", Assert.Single(lines), StringComparison.Ordinal);
            Assert.DoesNotContain(Prompt, lines[0], StringComparison.Ordinal);
        }

        static object? Owner(MethodInfo call, ILogger logger)
        {
            if (call.IsStatic)
                return null;
            var owner = RuntimeHelpers.GetUninitializedObject(call.DeclaringType!);
            foreach (var field in owner.GetType().GetFields(Declared).Where(field => field.FieldType == typeof(ILogger)))
                field.SetValue(owner, logger);
            return owner;
        }

        static object? Given(Type type, ILogger logger) =>
            typeof(ILogger).IsAssignableFrom(type) ? logger
            : type == typeof(string) ? $"Bearer {Key}"
            : type == typeof(StoreAwayException) ? new StoreAwayException(Key)
            : typeof(Exception).IsAssignableFrom(type) ? new InvalidDataException(Prompt)
            : type.IsValueType ? Activator.CreateInstance(type)
            : null;
    }

    [Fact]
    public async Task A_writer_that_is_stuck_holds_nobody_up_and_lost_lines_are_told()
    {
        using var stuck = new StuckWriter();
        using (var logs = new JsonLogs(stuck, new HandClock()))
        {
            var logger = logs.CreateLogger("x");
            logger.LogWarning("first");
            await stuck.Reached.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            for (var i = 0; i < 10_007; i++)
                logger.LogWarning("line {Number}", i);
            stuck.Go.SetResult();
        }

        Assert.Equal(1 + 10_000 + 1, stuck.Lines.Count);
        Assert.Contains("\"event\":\"log_lines_lost\",\"lines\":7", stuck.Lines[1], StringComparison.Ordinal);
    }

    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static List<string> Lines(Action<ILogger> log, LogLevel least = LogLevel.Information)
    {
        using var text = new StringWriter();
        using (var logs = new JsonLogs(text, new HandClock(), least))
            log(logs.CreateLogger("TokenFactory.Gateway"));
        return [.. text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private sealed class StuckWriter : TextWriter
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Lines { get; } = [];

        public override System.Text.Encoding Encoding => System.Text.Encoding.UTF8;

        public override async Task WriteLineAsync(string? value)
        {
            Reached.TrySetResult();
            await Go.Task;
            Lines.Add(value!);
        }
    }
}
