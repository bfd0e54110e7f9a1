using System.Text.Unicode;

namespace TokenFactory.Gateway.Wire;

/// <summary>
/// What routing and metering need of a request's body: one pass, nothing rebuilt, no tree. Offsets are into the body's bytes.
/// </summary>
public sealed partial class RequestScan
{
    private readonly BodyPlaces _places;
    private readonly Endpoint _endpoint;

    internal RequestScan(Endpoint endpoint, BodyPlaces places)
    {
        _endpoint = endpoint;
        _places = places;
    }

    /// <summary>The model that the client asks for; 1 to 256 characters.</summary>
    public required string Model { get; init; }

    /// <summary>Whether the answer is to come as a stream.</summary>
    public bool Stream { get; init; }

    /// <summary>stream_options.include_usage as the client sent it.</summary>
    public bool IncludesUsage { get; init; }

    /// <summary>stream_options.continuous_usage_stats as the client sent it.</summary>
    public bool ContinuousUsage { get; init; }

    /// <summary>max_completion_tokens, max_tokens or max_output_tokens, the largest of those given; 0 where it declares none.</summary>
    public int MaxTokens { get; init; }

    /// <summary>n (best_of where larger), times the number of prompts for /v1/completions with several prompts; at least 1.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Bytes of the value of messages, prompt or input (with quotes or brackets).</summary>
    public Range Content { get; init; }

    /// <summary>Bytes of what stands before the content in a prompt: tools and instructions.</summary>
    public int AheadBytes { get; init; }

    /// <summary>A hash of these, with which prefixes begin; 0 where there are none.</summary>
    public ulong AheadHash { get; init; }

    /// <summary>Whether the content names images, audio or files, whose tokens bytes do not tell.</summary>
    public bool HasMedia { get; init; }

    /// <summary>Prompts that are arrays of token ids: how many tokens in all; 0 where prompts are text.</summary>
    public int TokenIds { get; init; }

    /// <summary>
    /// Refuses wrong JSON, wrong types and ranges of the fields above, and any of them given twice; passes everything else. Null where it
    /// refuses: then <paramref name="mistake"/> says why.
    /// </summary>
    /// <param name="body">The whole body.</param>
    /// <param name="endpoint">Where it was sent to.</param>
    /// <param name="mistake">What is wrong with it; null where nothing is.</param>
    public static RequestScan? Read(ReadOnlyMemory<byte> body, Endpoint endpoint, out BodyMistake? mistake)
    {
        if (!Utf8.IsValid(body.Span))
        {
            mistake = BodyMistake.NotJson("it is not UTF-8");
            return null;
        }

        var reader = new BodyReader(body.Span, endpoint);
        var scan = reader.Read();
        mistake = reader.Mistake;
        return scan;
    }
}
