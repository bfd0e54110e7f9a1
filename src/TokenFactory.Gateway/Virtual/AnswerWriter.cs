using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Writes the answers of the chat and completions endpoints, whole or as events, in the form of vLLM's.</summary>
internal sealed class AnswerWriter : IAnswerStream
{
    private readonly VirtualAsk _ask;
    private readonly Job _job;
    private readonly string _id;
    private readonly byte[] _head;
    private readonly long[] _offsets;
    private readonly int[] _sent;
    private readonly bool[] _ended;
    private readonly bool _chat;

    public AnswerWriter(VirtualAsk ask, Job job, string id, string model, long created)
    {
        (_ask, _job, _id) = (ask, job, id);
        _chat = ask.Endpoint == Endpoint.Chat;
        Head = (model, created);
        _offsets = new long[job.Choices.Count];
        _sent = new int[job.Choices.Count];
        _ended = new bool[job.Choices.Count];
        var kind = _chat ? "chat.completion.chunk" : "text_completion";
        var name = "\"" + JsonEncodedText.Encode(model) + "\"";
        _head = Encoding.UTF8.GetBytes(
            $"data: {{\"id\":\"{id}\",\"object\":\"{kind}\",\"created\":{created},\"model\":{name},\"choices\":[");
    }

    /// <summary>What its usage is reported as.</summary>
    public UsageFault Usage { get; init; }

    private (string Model, long Created) Head { get; }

    /// <inheritdoc/>
    public int Sent { get; private set; }

    /// <inheritdoc/>
    public bool Write(IBufferWriter<byte> to, long most)
    {
        var all = true;
        for (var i = 0; i < _job.Choices.Count; i++)
        {
            if (_ended[i])
                continue;
            var choice = _job.Choices[i];
            var end = choice.End;
            var tokens = (int)Math.Min(choice.Tokens, _sent[i] + Math.Max(0, most - Sent));
            if (tokens > 0 && _sent[i] == 0 && _chat)
                Opening(to, choice);
            for (; _sent[i] < tokens; _sent[i]++, Sent++)
                Token(to, choice);
            if (end == ChoiceEnd.Finished && _sent[i] == choice.Tokens)
                Closing(to, choice);
            _ended[i] = end != ChoiceEnd.None && _sent[i] == choice.Tokens;
            all &= _ended[i];
        }

        return all;
    }

    /// <summary>Ends the stream: usage where it was asked for, then the word that it is over.</summary>
    public void Finish(IBufferWriter<byte> to)
    {
        if (_ask.IncludeUsage && Usage != UsageFault.Missing)
        {
            to.Write(_head);
            to.Write("],"u8);
            UsageOf(to, null);
            to.Write("}\n\n"u8);
        }

        to.Write("data: [DONE]\n\n"u8);
    }

    private void Opening(IBufferWriter<byte> to, Choice choice)
    {
        Begin(to, choice);
        to.Write(_ask.Shape == AnswerShape.Tool
            ? "\"delta\":{\"role\":\"assistant\",\"content\":null},\"logprobs\":null,\"finish_reason\":null}"u8
            : "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}"u8);
        Close(to, choice);
        if (_ask.Shape != AnswerShape.Tool)
            return;
        Begin(to, choice);
        var name = "\"" + JsonEncodedText.Encode(_ask.Tool!) + "\"";
        to.Write(Encoding.UTF8.GetBytes(
            $"\"delta\":{{\"tool_calls\":[{{\"index\":0,\"id\":\"call_{_id[^16..]}{choice.Index}\","
            + $"\"type\":\"function\",\"function\":{{\"name\":{name},\"arguments\":\"\"}}}}]}},"
            + "\"logprobs\":null,\"finish_reason\":null}"));
        Close(to, choice);
    }

    private void Token(IBufferWriter<byte> to, Choice choice)
    {
        if (_ask.Shape == AnswerShape.Tool)
            return;
        var index = _sent[choice.Index];
        var text = choice.Text.Shown(index, ref _offsets[choice.Index]);
        if (text.Length == 0)
            return;
        Begin(to, choice);
        to.Write(_chat ? "\"delta\":{\"content\":\""u8 : "\"text\":\""u8);
        if (choice.Text.IsPlain)
            to.Write(text);
        else
            to.Write(JsonEncodedText.Encode(text).EncodedUtf8Bytes);
        to.Write(_chat ? "\"},\"logprobs\":"u8 : "\",\"logprobs\":"u8);
        if (_ask.Logprobs)
            Logprobs.Write(to, _ask, choice.Text, index, index + 1, _offsets[choice.Index] - text.Length);
        else
            to.Write("null"u8);
        to.Write(",\"finish_reason\":null}"u8);
        Close(to, choice);
    }

    private void Closing(IBufferWriter<byte> to, Choice choice)
    {
        if (_ask.Shape == AnswerShape.Tool && choice.Text.EndsByItself)
        {
            Begin(to, choice);
            to.Write("\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]},"u8);
            to.Write("\"logprobs\":null,\"finish_reason\":null}"u8);
            Close(to, choice);
        }

        Begin(to, choice);
        to.Write(_chat ? "\"delta\":{}"u8 : "\"text\":\"\""u8);
        to.Write(",\"logprobs\":null,\"finish_reason\":\""u8);
        to.Write(Encoding.ASCII.GetBytes(Reason(choice)));
        to.Write("\",\"stop_reason\":null}"u8);
        Close(to, choice);
    }

    private void Begin(IBufferWriter<byte> to, Choice choice)
    {
        to.Write(_head);
        to.Write("{\"index\":"u8);
        Write(to, choice.Index);
        to.Write(","u8);
    }

    private void Close(IBufferWriter<byte> to, Choice choice)
    {
        to.Write("]"u8);
        if (_ask.ContinuousUsage && Usage != UsageFault.Missing)
        {
            to.Write(","u8);
            UsageOf(to, choice);
        }

        to.Write("}\n\n"u8);
    }

    private string Reason(Choice choice) =>
        !choice.Text.EndsByItself ? "length" : _ask.Shape == AnswerShape.Tool ? "tool_calls" : "stop";

    /// <summary>Usage of a choice so far, or of the request.</summary>
    private void UsageOf(IBufferWriter<byte> to, Choice? choice)
    {
        long output = choice is null ? 0 : _sent[choice.Index] + 1;
        if (choice is null)
        {
            foreach (var sent in _sent)
                output += sent;
        }
        else
        {
            output = Math.Min(choice.Tokens, output);
        }

        UsageJson.Write(to, UsageJson.Of(_ask, _job, output, Usage));
    }

    private static void Write(IBufferWriter<byte> to, int number)
    {
        number.TryFormat(to.GetSpan(11), out var written, default, CultureInfo.InvariantCulture);
        to.Advance(written);
    }

    /// <summary>The whole answer as one JSON object.</summary>
    public void WriteWhole(IBufferWriter<byte> to)
    {
        using var json = new Utf8JsonWriter(to, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("id"u8, _id);
        json.WriteString("object"u8, _chat ? "chat.completion"u8 : "text_completion"u8);
        json.WriteNumber("created"u8, Head.Created);
        json.WriteString("model"u8, Head.Model);
        json.WriteStartArray("choices"u8);
        long output = 0;
        foreach (var choice in _job.Choices)
        {
            output += choice.Tokens;
            WriteWhole(json, choice);
        }

        json.WriteEndArray();
        if (Usage != UsageFault.Missing)
        {
            json.WritePropertyName("usage"u8);
            UsageJson.Write(json, UsageJson.Of(_ask, _job, output, Usage));
        }

        json.WriteEndObject();
    }

    private void WriteWhole(Utf8JsonWriter json, Choice choice)
    {
        var text = new ArrayBufferWriter<byte>(Math.Max(16, choice.Tokens * 8));
        long offset = 0;
        choice.Text.Append(0, choice.Tokens, ref offset, text);
        json.WriteStartObject();
        json.WriteNumber("index"u8, choice.Index);
        if (_chat)
        {
            json.WriteStartObject("message"u8);
            json.WriteString("role"u8, "assistant"u8);
            if (_ask.Shape == AnswerShape.Tool)
                WriteCall(json, choice);
            else
                json.WriteString("content"u8, text.WrittenSpan);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text"u8, text.WrittenSpan);
        }

        json.WritePropertyName("logprobs"u8);
        if (_ask.Logprobs)
            json.WriteRawValue(Logprobs.Of(_ask, choice), skipInputValidation: true);
        else
            json.WriteNullValue();
        json.WriteString("finish_reason"u8, Reason(choice));
        json.WriteEndObject();
    }

    private void WriteCall(Utf8JsonWriter json, Choice choice)
    {
        json.WriteNull("content"u8);
        json.WriteStartArray("tool_calls"u8);
        json.WriteStartObject();
        json.WriteString("id"u8, $"call_{_id[^16..]}{choice.Index}");
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, _ask.Tool);
        json.WriteString("arguments"u8, "{}"u8);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }
}
