using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Tests.Wire;

/// <summary>What a stream scan must do, said slowly: the whole stream at once, each event parsed into a tree.</summary>
internal sealed class StreamReference(Endpoint endpoint, bool keepFinal, bool keepContinuous)
{
    private const string Untold = "the engine reported an error without a message";
    private const decimal MostTokens = 1_000_000_000_000;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 128 };

    private readonly List<byte> _held = [];
    private byte[]? _spare;
    private bool _finalPassed;

    public List<byte> Sent { get; } = [];

    public byte[] Held => [.. _held];

    public Usage? Usage { get; private set; }

    public int ContentEvents { get; private set; }

    /// <summary>Events whose data are no JSON object: whether they have content is anyone's guess.</summary>
    public int Unreadable { get; private set; }

    public bool Done { get; private set; }

    public string? Error { get; private set; }

    public void Run(byte[] stream)
    {
        var first = true;
        foreach (var lines in EventsOf(stream))
        {
            var bytes = lines.SelectMany(line => line.Raw).ToArray();
            if (first && lines[0].Text.AsSpan().StartsWith("\uFEFF"u8))
                lines[0] = (lines[0].Raw, lines[0].Text[3..]);
            first = false;
            var kept = Kept(bytes, lines);
            if (Done && _held.Count == 0 && _spare is not null && !_finalPassed)
                Sent.AddRange(_spare);
            (Done ? _held : Sent).AddRange(kept);
        }
    }

    private byte[] Kept(byte[] bytes, List<(byte[] Raw, byte[] Text)> lines)
    {
        var data = lines.Select(line => Field(line.Text, "data")).OfType<byte[]>().ToList();
        var name = Encoding.Latin1.GetString(lines.Select(line => Field(line.Text, "event")).OfType<byte[]>().LastOrDefault([]));
        if (data.Count == 0)
        {
            if (lines.Select(line => Field(line.Text, "error")).OfType<byte[]>().LastOrDefault() is { Length: > 0 } error)
                Error ??= Message([.. "{\"error\":"u8, .. error, .. "}"u8], false);
            return bytes;
        }

        var joined = data.Aggregate((one, other) => [.. one, (byte)'\n', .. other]);
        if (joined.Length == 0)
            return bytes;
        if (Encoding.Latin1.GetString(joined).Trim(' ') == "[DONE]")
        {
            Done = true;
            return bytes;
        }

        Error ??= Message(joined, name == "error");
        return endpoint == Endpoint.Responses ? Response(bytes, joined, name) : Chunk(bytes, joined, Map(lines));
    }

    private byte[] Response(byte[] bytes, byte[] data, string name)
    {
        using var tree = Parsed(data);
        Unreadable += tree is null ? 1 : 0;
        var type = name;
        if (name.Length == 0 && tree?.RootElement.TryGetProperty("type", out var said) == true && said.ValueKind == JsonValueKind.String)
            type = said.GetString()!;
        if (type.EndsWith(".delta", StringComparison.Ordinal))
            ContentEvents++;
        if (type is not ("response.completed" or "response.incomplete" or "response.failed"))
            return bytes;
        Done = true;
        if (type == "response.failed")
            Error ??= "the response failed";
        if (tree?.RootElement.TryGetProperty("response", out var response) == true && response.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in response.EnumerateObject().Where(member => member.Name == "usage"))
                Usage = UsageOf(member.Value) ?? Usage;
        }

        return bytes;
    }

    private byte[] Chunk(byte[] bytes, byte[] data, List<int> map)
    {
        using var tree = Parsed(data);
        if (tree is null)
        {
            Unreadable++;
            return bytes;
        }

        var members = tree.RootElement.EnumerateObject().ToList();
        var usages = members.Where(member => member.Name == "usage").Select(member => member.Value).ToList();
        foreach (var usage in usages)
            Usage = UsageOf(usage) ?? Usage;
        var choices = members.Where(member => member.Name == "choices").Select(member => (JsonElement?)member.Value).LastOrDefault();
        ContentEvents += choices is { ValueKind: JsonValueKind.Array } list && list.EnumerateArray().Any(IsContent) ? 1 : 0;
        var empty = choices is { ValueKind: JsonValueKind.Array } && choices.Value.GetArrayLength() == 0;
        if (empty && usages.Any(usage => usage.ValueKind == JsonValueKind.Object))
        {
            _finalPassed |= keepFinal;
            return keepFinal ? bytes : [];
        }

        if (usages.Count == 0 || keepContinuous || (keepFinal && usages.All(usage => usage.ValueKind == JsonValueKind.Null)))
            return bytes;
        if (keepFinal && choices is not null && usages.Any(usage => UsageOf(usage) is not null))
            _spare = Final(data, members);
        return Cut(bytes, data, map, members);
    }

    /// <summary>
    /// The event without its usage members: each goes with the comma before it, or where nothing is kept before it, the one after.
    /// </summary>
    private static byte[] Cut(byte[] bytes, byte[] data, List<int> map, List<JsonProperty> members)
    {
        var kept = bytes.ToList();
        var places = Places(data, members);
        for (var i = places.Count - 1; i >= 0; i--)
        {
            if (members[i].Name != "usage")
                continue;
            var keptBefore = members.Take(i).Any(member => member.Name != "usage");
            var from = keptBefore ? places[i - 1].End : places[i].Start;
            var to = keptBefore ? places[i].End : i + 1 < places.Count ? places[i + 1].Start : places[i].End;
            if (!keptBefore && i + 1 == places.Count)
                to = BeforeBrace(data, to);
            kept.RemoveRange(map[from - 1] + 1, map[to - 1] - map[from - 1]);
        }

        return [.. kept];
    }

    /// <summary>Where a lone usage member's object closes.</summary>
    private static int BeforeBrace(byte[] bytes, int at) => at + bytes.AsSpan(at).IndexOf((byte)'}');

    private static byte[] Final(byte[] data, List<JsonProperty> members)
    {
        var at = Places(data, members)[members.FindLastIndex(member => member.Name == "choices")];
        var start = at.End - Encoding.UTF8.GetByteCount(members.Last(member => member.Name == "choices").Value.GetRawText());
        var json = Encoding.Latin1.GetString(data[..start]) + "[]" + Encoding.Latin1.GetString(data[at.End..]);
        return Encoding.Latin1.GetBytes($"data: {json.Replace('\n', ' ')}\n\n");
    }

    /// <summary>Where each byte of the data stands in the event; the line feed between two lines right before the second.</summary>
    private static List<int> Map(List<(byte[] Raw, byte[] Text)> lines)
    {
        var (map, at, first) = (new List<int>(), 0, true);
        foreach (var (raw, text) in lines)
        {
            at += raw.Length;
            if (Field(text, "data") is not { } value)
                continue;
            var start = at - raw.Length + raw.AsSpan().TrimEnd("\r\n"u8).Length - value.Length;
            if (!first)
                map.Add(start - 1);
            first = false;
            map.AddRange(Enumerable.Range(start, value.Length));
        }

        return map;
    }

    /// <summary>Where members stand, walked along their raw texts.</summary>
    private static List<(int Start, int End)> Places(byte[] bytes, List<JsonProperty> members)
    {
        var places = new List<(int Start, int End)>();
        var at = 0;
        foreach (var member in members)
        {
            var name = Encoding.UTF8.GetBytes($"\"{member.Name}\"");
            var start = at + bytes.AsSpan(at).IndexOf(name);
            Assert.True(start >= at, member.Name);
            var value = Encoding.UTF8.GetBytes(member.Value.GetRawText());
            at = start + name.Length;
            at += bytes.AsSpan(at).IndexOf(value) + value.Length;
            places.Add((start, at));
        }

        return places;
    }

    private bool IsContent(JsonElement choice)
    {
        if (choice.ValueKind != JsonValueKind.Object)
            return false;
        if (endpoint == Endpoint.Completions)
            return choice.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String && text.GetRawText().Length > 2;
        return choice.TryGetProperty("delta", out var delta) && delta.EnumerateObject().Any(member =>
            (member.Name is "content" or "reasoning_content" or "reasoning" && member.Value is { ValueKind: JsonValueKind.String } value
                && value.GetRawText().Length > 2)
            || (member.Name == "tool_calls" && member.Value is { ValueKind: JsonValueKind.Array } calls && calls.GetArrayLength() > 0));
    }

    private static string? Message(byte[] data, bool known)
    {
        using var tree = Parsed(data);
        string? message = null;
        if (tree is not null)
        {
            var root = tree.RootElement;
            if (root.TryGetProperty("response", out var response) && response.ValueKind == JsonValueKind.Object)
                root = response;
            if (root.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.String)
                message = error.GetString();
            else if (error.ValueKind == JsonValueKind.Object)
                message = error.TryGetProperty("message", out var inner) ? inner.GetString() : Untold;
            else if (known || (root.TryGetProperty("object", out var kind) && kind.ValueEquals("error")))
                message = root.TryGetProperty("message", out var outer) ? outer.GetString() : null;
        }

        return message ?? (known ? Untold : null);
    }

    private static Usage? UsageOf(JsonElement usage)
    {
        if (usage.ValueKind != JsonValueKind.Object)
            return null;
        decimal? Number(JsonElement of, params string[] names)
        {
            decimal? last = null;
            foreach (var member in of.EnumerateObject().Where(member => names.Contains(member.Name)))
            {
                last = member.Value.ValueKind switch
                {
                    JsonValueKind.Null => null,
                    JsonValueKind.Number when member.Value.TryGetDecimal(out var value) && value is >= 0 and <= MostTokens
                        && value == decimal.Truncate(value) => value,
                    _ => -1,
                };
            }

            return last;
        }

        decimal Part(string name, params string[] details) => usage.EnumerateObject()
            .Where(member => details.Contains(member.Name) && member.Value.ValueKind == JsonValueKind.Object)
            .Select(member => Number(member.Value, name) ?? 0).LastOrDefault();
        var (prompt, output) = (Number(usage, "prompt_tokens", "input_tokens"), Number(usage, "completion_tokens", "output_tokens"));
        if (prompt < 0 || output < 0 || (prompt is null && output is null))
            return null;
        var cached = Part("cached_tokens", "prompt_tokens_details", "input_tokens_details");
        var reasoning = Math.Max(
            Part("reasoning_tokens", "completion_tokens_details", "output_tokens_details"), Number(usage, "reasoning_tokens") ?? 0);
        return new Usage(
            (long)(prompt ?? 0), (long)Math.Clamp(cached, 0, prompt ?? 0), (long)(output ?? 0),
            (long)Math.Clamp(reasoning, 0, output ?? 0));
    }

    private static JsonDocument? Parsed(byte[] data)
    {
        try
        {
            var tree = JsonDocument.Parse(data, Options);
            return tree.RootElement.ValueKind == JsonValueKind.Object ? tree : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[]? Field(byte[] line, string name)
    {
        var text = Encoding.Latin1.GetString(line);
        if (text == name)
            return [];
        if (!text.StartsWith(name + ":", StringComparison.Ordinal))
            return null;
        var value = text[(name.Length + 1)..];
        return Encoding.Latin1.GetBytes(value.StartsWith(' ') ? value[1..] : value);
    }

    /// <summary>Whole lines of each event; half a line at the end only where it is the whole last event.</summary>
    private static List<List<(byte[] Raw, byte[] Text)>> EventsOf(byte[] stream)
    {
        var (events, lines, text) = (new List<List<(byte[], byte[])>>(), new List<(byte[], byte[])>(), new List<byte>());
        for (var i = 0; i < stream.Length; i++)
        {
            if (stream[i] is not ((byte)'\n' or (byte)'\r'))
            {
                text.Add(stream[i]);
                continue;
            }

            byte[] end = stream[i] == '\r' && i + 1 < stream.Length && stream[i + 1] == '\n' ? [stream[i], stream[++i]] : [stream[i]];
            lines.Add(([.. text, .. end], [.. text]));
            if (text.Count == 0)
            {
                events.Add(lines);
                lines = [];
            }

            text.Clear();
        }

        if (Field([.. text], "data") is { } last && Encoding.Latin1.GetString(last).Trim(' ') == "[DONE]")
            lines.Add(([.. text], [.. text]));
        if (lines.Count > 0)
            events.Add(lines);
        return events;
    }
}
