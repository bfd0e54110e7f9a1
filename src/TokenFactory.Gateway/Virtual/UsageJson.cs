using System.Buffers;
using System.Text.Json;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Writes usage, right or as a fault wants it.</summary>
internal static class UsageJson
{
    /// <summary>Usage of a request by now.</summary>
    /// <param name="ask">The request.</param>
    /// <param name="job">Its choices.</param>
    /// <param name="output">Tokens of its answers.</param>
    /// <param name="fault">How it is wrong.</param>
    public static Usage Of(VirtualAsk ask, Job job, long output, UsageFault fault)
    {
        long prompt = 0, cached = 0;
        for (var i = 0; i < job.Choices.Count; i += ask.Choices)
        {
            prompt += job.Choices[i].Leg.PromptTokens; // choices of a prompt share it
            cached += job.Choices[i].Leg.CachedTokens;
        }

        return fault == UsageFault.Wrong ? new Usage(prompt * 7, 0, -output - 1, 0) : new Usage(prompt, cached, output, 0);
    }

    /// <summary>"usage":{...}, as chat and completions have it.</summary>
    public static void Write(IBufferWriter<byte> to, Usage usage)
    {
        to.Write("\"usage\":{\"prompt_tokens\":"u8);
        Write(to, usage.Prompt);
        to.Write(",\"total_tokens\":"u8);
        Write(to, usage.Prompt + usage.Output);
        to.Write(",\"completion_tokens\":"u8);
        Write(to, usage.Output);
        to.Write(",\"prompt_tokens_details\":{\"cached_tokens\":"u8);
        Write(to, usage.Cached);
        to.Write("}}"u8);
    }

    /// <summary>The same as a value.</summary>
    public static void Write(Utf8JsonWriter json, Usage usage)
    {
        json.WriteStartObject();
        json.WriteNumber("prompt_tokens"u8, usage.Prompt);
        json.WriteNumber("total_tokens"u8, usage.Prompt + usage.Output);
        json.WriteNumber("completion_tokens"u8, usage.Output);
        json.WriteStartObject("prompt_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.Cached);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(IBufferWriter<byte> to, long number)
    {
        number.TryFormat(to.GetSpan(20), out var written, default, System.Globalization.CultureInfo.InvariantCulture);
        to.Advance(written);
    }
}
