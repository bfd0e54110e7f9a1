using System.Buffers;
using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Writes how likely each token is said to be, in the form of the endpoint.</summary>
internal static class Logprobs
{
    /// <summary>Those of a whole choice, as JSON.</summary>
    public static ReadOnlySpan<byte> Of(VirtualAsk ask, Choice choice)
    {
        var to = new ArrayBufferWriter<byte>();
        Write(to, ask, choice.Text, 0, choice.Tokens, 0);
        return to.WrittenSpan;
    }

    /// <summary>Those of some tokens.</summary>
    /// <param name="to">Where they go.</param>
    /// <param name="ask">What is wanted.</param>
    /// <param name="text">The answer.</param>
    /// <param name="from">First token.</param>
    /// <param name="until">Token after the last.</param>
    /// <param name="offset">Bytes of the answer before the first.</param>
    public static void Write(IBufferWriter<byte> to, VirtualAsk ask, AnswerText text, int from, int until, long offset)
    {
        using var json = new Utf8JsonWriter(to, new JsonWriterOptions { SkipValidation = true });
        if (ask.Endpoint == Endpoint.Chat)
            WriteChat(json, ask, text, from, until);
        else
            WriteCompletion(json, ask, text, from, until, offset);
    }

    private static void WriteChat(Utf8JsonWriter json, VirtualAsk ask, AnswerText text, int from, int until)
    {
        json.WriteStartObject();
        json.WriteStartArray("content"u8);
        for (var i = from; i < until; i++)
        {
            json.WriteStartObject();
            WriteOne(json, text[i], text.Logprob(i));
            json.WriteStartArray("top_logprobs"u8);
            for (var rank = 0; rank < ask.TopLogprobs; rank++)
            {
                json.WriteStartObject();
                WriteOne(json, Ranked(text, i, rank), text.Logprob(i) - rank);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteOne(Utf8JsonWriter json, ReadOnlySpan<byte> token, double logprob)
    {
        json.WriteString("token"u8, token);
        json.WriteNumber("logprob"u8, logprob);
        json.WriteStartArray("bytes"u8);
        foreach (var one in token)
            json.WriteNumberValue(one);
        json.WriteEndArray();
    }

    private static void WriteCompletion(Utf8JsonWriter json, VirtualAsk ask, AnswerText text, int from, int until, long offset)
    {
        json.WriteStartObject();
        json.WriteStartArray("text_offset"u8);
        for (var (i, at) = (from, offset); i < until; at += text[i].Length, i++)
            json.WriteNumberValue(at);
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs"u8);
        for (var i = from; i < until; i++)
            json.WriteNumberValue(text.Logprob(i));
        json.WriteEndArray();
        json.WriteStartArray("tokens"u8);
        for (var i = from; i < until; i++)
            json.WriteStringValue(text[i]);
        json.WriteEndArray();
        json.WriteStartArray("top_logprobs"u8);
        for (var i = from; i < until; i++)
        {
            json.WriteStartObject();
            for (var rank = 0; rank < Math.Max(1, ask.TopLogprobs); rank++)
                json.WriteNumber(Encoding.UTF8.GetString(Ranked(text, i, rank)), text.Logprob(i) - rank);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The token itself, then tokens that it might have been.</summary>
    private static ReadOnlySpan<byte> Ranked(AnswerText text, int index, int rank) =>
        rank == 0 ? text[index] : Encoding.UTF8.GetBytes($" word{rank}");
}
