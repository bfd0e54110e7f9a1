using System.Buffers;
using System.Diagnostics;
using System.Text;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Bench;

/// <summary>
/// Time and allocation of what the gateway does with bytes: scanning requests, hashing prompts, passing streams on. The best and the median
/// of many short rounds on one core.
/// </summary>
internal static class WireRuns
{
    private const int Rounds = 2001;
    private const double RoundSeconds = 0.0003;

    private static readonly ArrayBufferWriter<byte> To = new(1 << 20);

    public static void Run()
    {
        Console.WriteLine($"{"what",-58} {"best us",9} {"median us",9} {"GB/s",7} {"bytes",8}");
        foreach (var (name, bytes) in new[] { ("1 kB", 1_000), ("400 kB", 400_000) })
        {
            var body = Request(bytes, "Line of text, as prompts have.\\n");
            var scan = RequestScan.Read(body, Endpoint.Chat, out _)!;
            Time($"request of {name}: scan", body.Length, () => RequestScan.Read(body, Endpoint.Chat, out _));
            var changes = new BodyChanges { Model = "engine", AskUsage = true, AskContinuousUsage = true, CacheSalt = "0123456789abcdef" };
            Time($"request of {name}: changes", body.Length, () => scan.With(body, changes));
            Time($"request of {name}: prefix keys", body.Length, () => PrefixHash.Keys(body.AsSpan(scan.Content), 7, 4));
        }

        var plain = Request(400_000, "Line of text, as prompts have ");
        Time("request of 400 kB without escapes: scan", plain.Length, () => RequestScan.Read(plain, Endpoint.Chat, out _));
        var foreign = Request(400_000, "Строка текста, как в запросах.\\n");
        Time("request of 400 kB, Cyrillic: scan", foreign.Length, () => RequestScan.Read(foreign, Endpoint.Chat, out _));
        Streams();
        var text = new string('x', 20_000);
        var answer = Encoding.UTF8.GetBytes(
            $$$"""{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"{{{text}}}"}}],{{{Usage}}},"kv":null}""");
        Time("answer of 20 kB: usage", answer.Length, () => AnswerScan.UsageOf(answer));
    }

    private const string Usage = "\"usage\":{\"prompt_tokens\":1000,\"total_tokens\":1050,\"completion_tokens\":50}";

    private static void Streams()
    {
        var plain = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 50).Select(_ => Chunk(""))));
        var metered = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 50).Select(_ => Chunk("," + Usage))));
        var one = Encoding.UTF8.GetBytes(Chunk("," + Usage));
        Time("50 events in one buffer", plain.Length, () => Feed(plain));
        Time("50 events with usage, kept", metered.Length, () => Feed(metered, keep: true));
        Time("50 events with usage, cut out", metered.Length, () => Feed(metered));
        Time("1 event with usage, cut out", one.Length, () => Feed(one));
    }

    private static int Feed(byte[] bytes, bool keep = false)
    {
        To.ResetWrittenCount();
        var scan = new StreamScan(Endpoint.Chat, keep, keep);
        scan.Feed(bytes, To);
        return scan.ContentEvents;
    }

    private static string Chunk(string more) =>
        $$"""
        data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1790000000,"model":"llama-3.1-8b","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]{{more}}}


        """;

    private static byte[] Request(int bytes, string line)
    {
        var text = new StringBuilder();
        while (text.Length < bytes - 150)
            text.Append(line);
        return Encoding.UTF8.GetBytes(
            $$"""{"model":"llama-3.1-8b","messages":[{"role":"user","content":"{{text}}"}],"stream":true,"max_tokens":50}""");
    }

    private static void Time<T>(string what, int bytes, Func<T> run)
    {
        var clock = Stopwatch.StartNew();
        var (times, calls) = (new double[Rounds], 0);
        while (clock.Elapsed.TotalSeconds < 0.5)
        {
            run();
            calls++;
        }

        calls = Math.Max(1, (int)(calls * RoundSeconds / 0.5));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < Rounds; round++)
        {
            clock.Restart();
            for (var i = 0; i < calls; i++)
                run();
            times[round] = clock.Elapsed.TotalMicroseconds / calls;
        }

        Array.Sort(times);
        var allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / ((long)Rounds * calls);
        Console.WriteLine($"{what,-58} {times[0],9:N2} {times[Rounds / 2],9:N2} {bytes / times[Rounds / 2] / 1000,7:N2} {allocated,8:N0}");
    }
}
