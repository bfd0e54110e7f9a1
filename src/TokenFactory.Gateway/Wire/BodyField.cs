using System.Text;

namespace TokenFactory.Gateway.Wire;

/// <summary>Fields of a body that are read; all others pass unseen.</summary>
internal enum BodyField
{
    Other,
    Model,
    Stream,
    StreamOptions,
    IncludeUsage,
    ContinuousUsage,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,

    /// <summary>llama.cpp's own name, which goes before max_tokens there and is unknown elsewhere.</summary>
    Predict,
    N,
    BestOf,
    Content,

    /// <summary>What stands before the content in a prompt.</summary>
    Tools,
    Functions,
    Instructions,
    CacheSalt,

    /// <summary>Names another machine to an engine: for those who split prefill from decode, never for clients.</summary>
    Peer,
}

/// <summary>Finds fields by their names as they stand in a body.</summary>
internal static class FieldNames
{
    /// <summary>Longest of the names below in bytes: a name that is no longer after folding may be one of them.</summary>
    private const int Longest = 24;

    private static readonly Named Model = new("model", BodyField.Model);
    private static readonly Named Stream = new("stream", BodyField.Stream);
    private static readonly Named StreamOptions = new("stream_options", BodyField.StreamOptions);
    private static readonly Named MaxTokens = new("max_tokens", BodyField.MaxTokens);
    private static readonly Named Predict = new("n_predict", BodyField.Predict);
    private static readonly Named N = new("n", BodyField.N);
    private static readonly Named Tools = new("tools", BodyField.Tools);
    private static readonly Named CacheSalt = new("cache_salt", BodyField.CacheSalt);

    /// <summary>vLLM's and SGLang's: an engine fetches from whatever address stands there.</summary>
    private static readonly Named[] Peers =
    [
        new("kv_transfer_params", BodyField.Peer), new("bootstrap_host", BodyField.Peer), new("bootstrap_port", BodyField.Peer),
        new("bootstrap_room", BodyField.Peer),
    ];

    private static readonly Named[] OfChat =
    [
        Model, new("messages", BodyField.Content), Stream, StreamOptions, MaxTokens,
        new("max_completion_tokens", BodyField.MaxCompletionTokens), N, Tools, new("functions", BodyField.Functions), CacheSalt, Predict, .. Peers,
    ];

    private static readonly Named[] OfCompletions =
    [
        Model, new("prompt", BodyField.Content), Stream, StreamOptions, MaxTokens, N, new("best_of", BodyField.BestOf), CacheSalt, Predict,
        .. Peers,
    ];

    private static readonly Named[] OfEmbeddings = [Model, new("input", BodyField.Content), CacheSalt, .. Peers];

    private static readonly Named[] OfResponses =
    [
        Model, new("input", BodyField.Content), Stream, new("max_output_tokens", BodyField.MaxOutputTokens), Tools,
        new("instructions", BodyField.Instructions), CacheSalt, .. Peers,
    ];

    /// <summary>What is read of stream_options.</summary>
    public static Named[] OfStreamOptions { get; } =
        [new("include_usage", BodyField.IncludeUsage), new("continuous_usage_stats", BodyField.ContinuousUsage)];

    /// <summary>What is read of the body of an endpoint.</summary>
    public static Named[] Of(Endpoint endpoint) => endpoint switch
    {
        Endpoint.Chat => OfChat,
        Endpoint.Completions => OfCompletions,
        Endpoint.Embeddings => OfEmbeddings,
        _ => OfResponses,
    };

    /// <summary>What the content of an endpoint is called.</summary>
    public static string ContentOf(Endpoint endpoint) => Of(endpoint)[1].Name;

    /// <summary>The field that a name means, whether written plainly or with escapes.</summary>
    /// <param name="fields">Which are looked for.</param>
    /// <param name="raw">The name as it stands between its quotes.</param>
    /// <param name="misspelt">It differs in upper and lower case, which some engines overlook (Go folds names, as Unicode does).</param>
    public static Named? Find(Named[] fields, ReadOnlySpan<byte> raw, out bool misspelt)
    {
        misspelt = false;
        foreach (var field in fields)
        {
            if (raw.SequenceEqual(field.Utf8))
                return field;
        }

        Span<byte> folded = stackalloc byte[Longest];
        var length = Fold(raw, folded, out misspelt);
        foreach (var field in fields)
        {
            if (length == field.Utf8.Length && folded[..length].SequenceEqual(field.Utf8))
                return field;
        }

        return null;
    }

    /// <summary>Whether a name or string as it stands between its quotes means a word, whether written plainly or with escapes.</summary>
    public static bool Means(ReadOnlySpan<byte> raw, ReadOnlySpan<byte> word)
    {
        if (raw.IndexOf((byte)'\\') < 0)
            return raw.SequenceEqual(word);
        Span<byte> plain = stackalloc byte[Longest];
        var length = Fold(raw, plain, out var folded);
        return !folded && length == word.Length && plain[..length].SequenceEqual(word);
    }

    /// <summary>Takes escapes out and makes letters small; -1 where the result is too long or not ASCII.</summary>
    private static int Fold(ReadOnlySpan<byte> raw, Span<byte> to, out bool folded)
    {
        folded = false;
        var length = 0;
        while (!raw.IsEmpty)
        {
            var letter = NextLetter(ref raw);
            var small = letter switch
            {
                >= 'A' and <= 'Z' => letter + ('a' - 'A'),
                0x017f => 's',   // long s
                0x212a => 'k',   // Kelvin sign
                _ => letter,
            };
            if (small is < 0 or > 0x7f || length == to.Length)
                return -1;
            folded |= small != letter;
            to[length++] = (byte)small;
        }

        return length;
    }

    /// <summary>Takes one letter off the front: its code point, or -1 for what no name has.</summary>
    private static int NextLetter(ref ReadOnlySpan<byte> raw)
    {
        if (raw[0] == '\\')
        {
            var escaped = raw.Length >= 6 && raw[1] == 'u';
            var code = escaped && Hex(raw[2..6], out var value) ? value : -1;
            raw = raw[(escaped ? 6 : raw.Length)..];
            return code;
        }

        var status = Rune.DecodeFromUtf8(raw, out var rune, out var bytes);
        raw = raw[bytes..];
        return status == System.Buffers.OperationStatus.Done ? rune.Value : -1;
    }

    private static bool Hex(ReadOnlySpan<byte> digits, out int value) =>
        System.Buffers.Text.Utf8Parser.TryParse(digits, out value, out var used, 'x') && used == digits.Length;

    /// <summary>A field and its name.</summary>
    internal sealed class Named(string name, BodyField field)
    {
        public string Name { get; } = name;

        public BodyField Field { get; } = field;

        public byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(name);
    }
}
