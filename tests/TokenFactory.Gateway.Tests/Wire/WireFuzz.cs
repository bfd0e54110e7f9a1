using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

/// <summary>
/// Bodies, streams and answers with bytes flipped, cut, doubled and put in: whatever comes is refused or read, and never more than that.
/// 20,000 of each, a million with TOKENFACTORY_LONG=1; a failure tells the seed that replays it.
/// </summary>
public sealed class WireFuzz
{
    private static readonly byte[][] Scraps =
    [
        .. new[]
        {
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\0", "\n", "\r", "\n\n", "\r\n\r\n", "/*", "null", "1e999", "-1",
            "99999999999", "\"usage\":", "\"usage\"", "\"choices\":[]", "\"model\":\"x\",", "\"MODEL\":1,", "\"stream\":true,", "data: ",
            "data:", "event: error\n", "[DONE]", "\"error\":\"e\",", "\uFEFF", "\u2028", "é", "response.completed",
        }.Select(Encoding.UTF8.GetBytes),
        [0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf5, 0x80],
    ];

    private static int Count => Cases.Long ? 50_000 : 20_000;

    [Fact]
    public void Mutated_bodies_are_read_or_refused_and_what_is_read_is_JSON() => Cases.Check(Count, dice =>
    {
        var endpoint = (Endpoint)dice.Whole(0, 3);
        var body = Mutated(dice, Encoding.UTF8.GetBytes(RandomBody.Draw(dice, endpoint)));
        var scan = RequestScan.Read(body, endpoint, out var mistake);
        Assert.Equal(scan is null, mistake is not null);
        using var tree = Parsed(body, BodyDepth);
        Assert.True(tree is null ? scan is null : mistake?.Code != "invalid_json", mistake?.Message);
        if (scan is null)
            return;
        var changes = new BodyChanges { Model = "engine", AskUsage = true, AskContinuousUsage = true, CacheSalt = "salt", MaxTokens = 5 };
        var changed = scan.With(body, changes).SelectMany(piece => piece.ToArray()).ToArray();
        var again = RequestScan.Read(changed, endpoint, out mistake);
        Assert.True(again is not null, mistake?.Message);
        Assert.Equal("engine", again.Model);
        Assert.True(endpoint == Endpoint.Embeddings || again.MaxTokens is > 0 and <= 5);
        var isAsked = scan.Stream && endpoint is Endpoint.Chat or Endpoint.Completions;
        Assert.Equal(isAsked, again.Stream && again.IncludesUsage && again.ContinuousUsage);
    });

    [Fact]
    public void Mutated_streams_pass_in_bounds_however_they_are_split() => Cases.Check(Count, dice =>
    {
        var endpoint = new[] { Endpoint.Chat, Endpoint.Completions, Endpoint.Responses }[dice.Whole(0, 2)];
        var (final, continuous) = (dice.Chance(0.5), dice.Chance(0.3));
        var stream = Mutated(dice, RandomStream.Draw(dice, endpoint));
        var (one, other) = (new StreamScan(endpoint, final, continuous), new StreamScan(endpoint, final, continuous));
        var (sent, split) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        one.Feed(stream, sent);
        one.End(sent);
        for (var at = 0; at < stream.Length;)
        {
            var length = Math.Min(dice.Whole(1, 64), stream.Length - at);
            other.Feed(stream.AsSpan(at, length), split);
            at += length;
        }

        other.End(split);
        Assert.True(sent.WrittenSpan.SequenceEqual(split.WrittenSpan));
        Assert.True(one.Held.Span.SequenceEqual(other.Held.Span));
        Assert.Equal((one.Usage, one.ContentEvents, one.Done, one.Error), (other.Usage, other.ContentEvents, other.Done, other.Error));
        Assert.Equal(one.Done, one.Held.Length > 0);
        var spare = final && !continuous ? stream.Length : 0;
        Assert.True(sent.WrittenCount + one.Held.Length <= stream.Length + spare + 10);
        Assert.True(one.Usage is not { } usage || IsPossible(usage), $"{one.Usage}");
    });

    [Fact]
    public void Usage_of_mutated_answers_is_that_of_their_tree() => Cases.Check(Count, dice =>
    {
        var json = new RandomJson(dice);
        var members = dice.Many(0, 3, () => json.Value()).Select((value, i) => ($"{i}{json.Text(3)}", value)).ToList();
        var usage = json.Object([("prompt_tokens", $"{dice.Whole(0, 99)}"), ("completion_tokens", json.Of("7", "null", "-1"))]);
        members.AddRange(dice.Many(0, 2, () => json.Of(("usage", usage), ("x", $"{{\"usage\":{usage}}}"), ("usage", "null"))));
        var answer = Encoding.UTF8.GetBytes(json.Object(dice.Shuffled(members)));
        var read = AnswerScan.UsageOf(answer);
        Assert.True(read is not { } given || IsPossible(given));
        using (var tree = JsonDocument.Parse(answer))
        {
            var last = tree.RootElement.EnumerateObject().LastOrDefault(member => member.NameEquals("usage")).Value;
            var isPossible = last.ValueKind == JsonValueKind.Object && !last.GetRawText().Contains("-1");
            var prompt = isPossible ? last.GetProperty("prompt_tokens").GetInt64() : -1;
            Assert.Equal(prompt, read?.Prompt ?? -1);
        }

        read = AnswerScan.UsageOf(Mutated(dice, answer));
        Assert.True(read is not { } other || IsPossible(other));
    });

    private const int BodyDepth = 128;

    private static bool IsPossible(Usage usage) =>
        usage is { Prompt: >= 0 and <= 1_000_000_000_000, Output: >= 0 and <= 1_000_000_000_000, Cached: >= 0, Reasoning: >= 0 }
        && usage.Cached <= usage.Prompt && usage.Reasoning <= usage.Output;

    private static JsonDocument? Parsed(byte[] body, int depth)
    {
        try
        {
            var tree = Utf8.IsValid(body) ? JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = depth }) : null;
            return tree?.RootElement.ValueKind == JsonValueKind.Object ? tree : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static byte[] Mutated(Dice dice, byte[] bytes)
    {
        var mutated = bytes.ToList();
        for (var i = dice.Whole(0, 4); i > 0; i--)
        {
            var at = dice.Whole(0, mutated.Count);
            var some = dice.Whole(0, Math.Min(40, mutated.Count - at));
            switch (dice.Whole(0, 4))
            {
                case 0 when at < mutated.Count:
                    mutated[at] ^= (byte)(1 << dice.Whole(0, 7));
                    break;
                case 1:
                    mutated.RemoveRange(at, some);
                    break;
                case 2:
                    mutated.InsertRange(dice.Whole(0, mutated.Count), mutated.GetRange(at, some));
                    break;
                case 3 when dice.Chance(0.2):
                    mutated.RemoveRange(at, mutated.Count - at);
                    break;
                default:
                    mutated.InsertRange(at, Scraps[dice.Whole(0, Scraps.Length - 1)]);
                    break;
            }
        }

        return [.. mutated];
    }
}
