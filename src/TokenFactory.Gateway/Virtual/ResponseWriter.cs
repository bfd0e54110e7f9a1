using System.Buffers;
using System.Text;
using System.Text.Json;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Writes answers of the responses endpoint, whole or as its events.</summary>
internal sealed class ResponseWriter(VirtualAsk ask, Job job, string id, string model, long created) : IAnswerStream
{
    private readonly Choice _choice = job.Choices[0];
    private readonly ArrayBufferWriter<byte> _text = new();
    private long _offset;
    private int _sequence;
    private bool _begun;

    /// <summary>What its usage is reported as.</summary>
    public UsageFault Usage { get; init; }

    /// <inheritdoc/>
    public int Sent { get; private set; }

    private bool IsCall => ask.Shape == AnswerShape.Tool;

    private string ItemId => (IsCall ? "fc_" : "msg_") + id;

    private string Status => _choice.End == ChoiceEnd.None ? "in_progress" : _choice.Text.EndsByItself ? "completed" : "incomplete";

    /// <inheritdoc/>
    public bool Write(IBufferWriter<byte> to, long most)
    {
        if (!_begun)
            Begin(to);
        var end = _choice.End;
        var tokens = (int)Math.Min(_choice.Tokens, most);
        for (; Sent < tokens; Sent++)
        {
            var token = _choice.Text.Shown(Sent, ref _offset);
            if (token.Length == 0 || IsCall)
                continue;
            _text.Write(token);
            var text = Encoding.UTF8.GetString(token);
            Event(to, "response.output_text.delta", json =>
            {
                Place(json);
                json.WriteString("delta"u8, text);
                json.WriteStartArray("logprobs"u8);
                json.WriteEndArray();
            });
        }

        return end != ChoiceEnd.None && Sent == _choice.Tokens;
    }

    /// <inheritdoc/>
    public void Finish(IBufferWriter<byte> to)
    {
        if (IsCall)
        {
            Event(to, "response.function_call_arguments.delta", json => Arguments(json, "delta"));
            Event(to, "response.function_call_arguments.done", json => Arguments(json, "arguments"));
        }
        else
        {
            Event(to, "response.output_text.done", json =>
            {
                Place(json);
                json.WriteString("text"u8, _text.WrittenSpan);
                json.WriteStartArray("logprobs"u8);
                json.WriteEndArray();
            });
            Event(to, "response.content_part.done", json =>
            {
                Place(json);
                json.WritePropertyName("part"u8);
                Part(json);
            });
        }

        Event(to, "response.output_item.done", Item);
        Event(to, _choice.Text.EndsByItself ? "response.completed" : "response.incomplete", json => Response(json, whole: true));
    }

    /// <summary>The whole answer as one JSON object.</summary>
    public void WriteWhole(IBufferWriter<byte> to)
    {
        _choice.Text.Append(0, _choice.Tokens, ref _offset, _text);
        using var json = new Utf8JsonWriter(to);
        WriteResponse(json, whole: true);
    }

    private void Begin(IBufferWriter<byte> to)
    {
        _begun = true;
        Event(to, "response.created", json => Response(json, whole: false));
        Event(to, "response.in_progress", json => Response(json, whole: false));
        Event(to, "response.output_item.added", Item);
        if (IsCall)
            return;
        Event(to, "response.content_part.added", json =>
        {
            Place(json);
            json.WritePropertyName("part"u8);
            Part(json);
        });
    }

    private void Event(IBufferWriter<byte> to, string type, Action<Utf8JsonWriter> fields)
    {
        to.Write(Encoding.ASCII.GetBytes($"event: {type}\ndata: "));
        using (var json = new Utf8JsonWriter(to))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, type);
            json.WriteNumber("sequence_number"u8, _sequence++);
            fields(json);
            json.WriteEndObject();
        }

        to.Write("\n\n"u8);
    }

    private void Place(Utf8JsonWriter json)
    {
        json.WriteString("item_id"u8, ItemId);
        json.WriteNumber("output_index"u8, 0);
        json.WriteNumber("content_index"u8, 0);
    }

    private void Arguments(Utf8JsonWriter json, string field)
    {
        json.WriteString("item_id"u8, ItemId);
        json.WriteNumber("output_index"u8, 0);
        json.WriteString(field, "{}"u8);
    }

    private void Item(Utf8JsonWriter json)
    {
        json.WriteNumber("output_index"u8, 0);
        json.WritePropertyName("item"u8);
        WriteItem(json);
    }

    private void WriteItem(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, ItemId);
        json.WriteString("status"u8, Status);
        if (IsCall)
        {
            json.WriteString("type"u8, "function_call"u8);
            json.WriteString("call_id"u8, "call_" + id);
            json.WriteString("name"u8, ask.Tool);
            json.WriteString("arguments"u8, _choice.End == ChoiceEnd.None ? ""u8 : "{}"u8);
        }
        else
        {
            json.WriteString("type"u8, "message"u8);
            json.WriteString("role"u8, "assistant"u8);
            json.WriteStartArray("content"u8);
            if (_choice.End != ChoiceEnd.None)
                Part(json);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private void Part(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "output_text"u8);
        json.WriteString("text"u8, _text.WrittenSpan);
        json.WriteStartArray("annotations"u8);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Response(Utf8JsonWriter json, bool whole)
    {
        json.WritePropertyName("response"u8);
        WriteResponse(json, whole);
    }

    private void WriteResponse(Utf8JsonWriter json, bool whole)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, "resp_" + id);
        json.WriteString("object"u8, "response"u8);
        json.WriteNumber("created_at"u8, created);
        json.WriteString("status"u8, whole ? Status : "in_progress");
        json.WriteString("model"u8, model);
        json.WriteNull("error"u8);
        if (whole && !_choice.Text.EndsByItself)
        {
            json.WriteStartObject("incomplete_details"u8);
            json.WriteString("reason"u8, "max_output_tokens"u8);
            json.WriteEndObject();
        }

        json.WriteBoolean("parallel_tool_calls"u8, false);
        json.WriteString("tool_choice"u8, "auto"u8);
        json.WriteStartArray("tools"u8);
        json.WriteEndArray();
        json.WriteStartArray("output"u8);
        if (whole)
            WriteItem(json);
        json.WriteEndArray();
        if (whole && Usage != UsageFault.Missing)
            WriteUsage(json);
        json.WriteEndObject();
    }

    private void WriteUsage(Utf8JsonWriter json)
    {
        var usage = UsageJson.Of(ask, job, _choice.Tokens, Usage);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("input_tokens"u8, usage.Prompt);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.Cached);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, usage.Output);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.Reasoning);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, usage.Prompt + usage.Output);
        json.WriteEndObject();
    }
}
