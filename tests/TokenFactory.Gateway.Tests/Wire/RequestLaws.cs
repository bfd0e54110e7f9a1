using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

public sealed class RequestLaws
{
    [Fact]
    public void What_is_read_is_what_the_tree_says() => Cases.Check(1000, dice =>
    {
        var endpoint = (Endpoint)dice.Whole(0, 3);
        var body = Encoding.UTF8.GetBytes(RandomBody.Draw(dice, endpoint));
        var scan = RequestScan.Read(body, endpoint, out var mistake);
        Assert.True(scan is not null, mistake?.Message);
        var tree = JsonNode.Parse(body)!.AsObject();
        Assert.Equal((string?)tree["model"], scan.Model);
        Assert.Equal(endpoint != Endpoint.Embeddings && tree["stream"] is JsonValue stream && (bool)stream, scan.Stream);
        Assert.True(JsonNode.DeepEquals(tree[RandomBody.ContentName(endpoint)], JsonNode.Parse(body.AsSpan(scan.Content))));
        Assert.Equal(IsStreamOfText(endpoint) && Flag(tree, "include_usage"), scan.IncludesUsage);
        Assert.Equal(IsStreamOfText(endpoint) && Flag(tree, "continuous_usage_stats"), scan.ContinuousUsage);
        if (tree["n_predict"] is null)
            Assert.Equal(LimitsOf(endpoint).Max(name => (int?)tree[name] ?? 0), scan.MaxTokens);
    });

    [Fact]
    public void Changes_change_what_they_name_and_not_a_byte_beside() => Cases.Check(2000, dice =>
    {
        var endpoint = (Endpoint)dice.Whole(0, 3);
        var body = Encoding.UTF8.GetBytes(RandomBody.Draw(dice, endpoint));
        var scan = RequestScan.Read(body, endpoint, out var mistake);
        Assert.True(scan is not null, mistake?.Message);
        var changes = new BodyChanges
        {
            Model = dice.Chance(0.5) ? "eng\"ine\\é" : null,
            AskUsage = dice.Chance(0.5),
            AskContinuousUsage = dice.Chance(0.5),
            CacheSalt = dice.Chance(0.5) ? "salt\"é" : null,
            MaxTokens = dice.Chance(0.5) ? dice.Whole(1, 5000) : null,
        };
        var pieces = scan.With(body, changes);
        var expected = JsonNode.Parse(body)!.AsObject();
        Change(expected, scan, endpoint, changes);
        var changed = pieces.SelectMany(piece => piece.ToArray()).ToArray();
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(changed)), Encoding.UTF8.GetString(changed));
        Assert.All(LeftOut(body, pieces), range => Assert.IsNotType<JsonObject>(JsonNode.Parse(body.AsSpan(range))));
        if (changes == default)
            Assert.Equal(body, Assert.Single(pieces));
        Assert.NotNull(RequestScan.Read(changed, endpoint, out _));
    });

    private static bool IsStreamOfText(Endpoint endpoint) => endpoint is Endpoint.Chat or Endpoint.Completions;

    private static bool Flag(JsonObject tree, string name) =>
        tree["stream_options"] is JsonObject options && options[name] is { } flag && (bool)flag;

    private static string[] LimitsOf(Endpoint endpoint) => endpoint switch
    {
        Endpoint.Chat => ["max_completion_tokens", "max_tokens"],
        Endpoint.Completions => ["max_tokens"],
        Endpoint.Responses => ["max_output_tokens"],
        _ => ["none"],
    };

    private static void Change(JsonObject tree, RequestScan scan, Endpoint endpoint, BodyChanges changes)
    {
        if (changes.Model is { } model)
            tree["model"] = model;
        if (changes.CacheSalt is { } salt)
            tree["cache_salt"] = salt + (string?)tree["cache_salt"];
        if (scan.Stream && IsStreamOfText(endpoint))
        {
            if (changes.AskUsage)
                Option(tree, "include_usage");
            if (changes.AskContinuousUsage)
                Option(tree, "continuous_usage_stats");
        }

        if (changes.MaxTokens is { } most && endpoint != Endpoint.Embeddings)
            Limit(tree, LimitsOf(endpoint), most, IsStreamOfText(endpoint));
    }

    private static void Option(JsonObject tree, string name)
    {
        if (tree["stream_options"] is not JsonObject)
            tree["stream_options"] = new JsonObject();
        tree["stream_options"]![name] = true;
    }

    private static void Limit(JsonObject tree, string[] names, int most, bool predicts)
    {
        foreach (var name in names)
        {
            if ((int?)tree[name] > most)
                tree[name] = most;
        }

        if (predicts && (int?)tree["n_predict"] is { } predict && (predict < 0 || predict > most))
            tree["n_predict"] = most;
        if (names.All(name => tree[name] is null))
            tree[names.FirstOrDefault(tree.ContainsKey) ?? names[^1]] = most;
    }

    /// <summary>Ranges of the body that no piece holds.</summary>
    private static List<Range> LeftOut(byte[] body, IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        var (left, from) = (new List<Range>(), 0);
        foreach (var piece in pieces)
        {
            if (!MemoryMarshal.TryGetArray(piece, out var segment) || segment.Array != body)
                continue;
            Assert.True(segment.Offset >= from);
            if (segment.Offset > from)
                left.Add(from..segment.Offset);
            from = segment.Offset + segment.Count;
        }

        if (from < body.Length)
            left.Add(from..body.Length);
        return left;
    }
}
