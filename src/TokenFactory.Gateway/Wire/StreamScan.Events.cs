using System.Buffers;

namespace TokenFactory.Gateway.Wire;

/// <summary>What single events mean.</summary>
public sealed partial class StreamScan
{
    /// <summary>Cuts of the event that was judged last, in its bytes.</summary>
    private readonly List<Place> _cuts = [];

    /// <summary>The last event whose usage was cut though the client asked for a usage event, and where its choices stand in it.</summary>
    private Pile _spare;
    private Place _spareChoices;
    private bool _finalPassed;

    /// <summary>What of interest stands somewhere in some bytes.</summary>
    private readonly record struct Mention(bool Usage, bool Error);

    private static Mention Mentions(ReadOnlySpan<byte> bytes) => new(bytes.IndexOf("\"usage\""u8) >= 0, bytes.IndexOf("\"error\""u8) >= 0);

    private static bool IsDone(ReadOnlySpan<byte> data) => data.Length < 16 && data.Trim((byte)' ').SequenceEqual("[DONE]"u8);

    private Fate Judge(ReadOnlySpan<byte> bytes, Mention mentions)
    {
        if (!_begun)
        {
            _begun = true;
            if (bytes.StartsWith("\uFEFF"u8))
                return Judged(SseEvent.Read(bytes[3..]), mentions, shift: 3);
        }

        return Judged(SseEvent.Read(bytes), mentions, shift: 0);
    }

    private Fate Judged(SseEvent sse, Mention mentions, int shift)
    {
        _cuts.Clear();
        var data = sse.Data;
        if (data.IsEmpty)
            return Fate.Pass;
        if (sse.IsError)
        {
            Error ??= EngineError.MessageOf([.. "{\"error\":"u8, .. data, .. "}"u8]);
            return Fate.Pass;
        }

        if (IsDone(data))
            return Ended();
        if (sse.Name.SequenceEqual("error"u8))
            Error ??= EngineError.MessageOf(data, known: true);
        else if (mentions.Error && data.IndexOf("\"error\""u8) >= 0)
            Error ??= EngineError.MessageOf(data);
        if (endpoint == Endpoint.Responses)
            return JudgeResponse(sse, data);
        if (ContentTest.IsContent(data, endpoint))
            ContentEvents++;
        return mentions.Usage && data.IndexOf("\"usage\""u8) >= 0 ? JudgeUsage(sse, data, shift) : Fate.Pass;
    }

    private Fate Ended()
    {
        Done = true;
        return Fate.Hold;
    }

    private Fate JudgeResponse(SseEvent sse, ReadOnlySpan<byte> data)
    {
        if (ContentTest.IsDelta(sse.Name, data))
            ContentEvents++;
        if (!sse.Name.IsEmpty && !IsLast(sse.Name))
            return Fate.Pass;
        var reading = new EventReading();
        var readable = reading.TryReadResponse(data);
        var type = readable && sse.Name.IsEmpty ? reading.Type : sse.Name;
        if (!IsLast(type))
            return Fate.Pass;
        Usage = (readable ? reading.Usage : null) ?? Usage;
        if (type.SequenceEqual("response.failed"u8))
            Error ??= "the response failed";
        return Ended();
    }

    private static bool IsLast(ReadOnlySpan<byte> type) =>
        type.SequenceEqual("response.completed"u8) || type.SequenceEqual("response.incomplete"u8)
        || type.SequenceEqual("response.failed"u8);

    private Fate JudgeUsage(SseEvent sse, ReadOnlySpan<byte> data, int shift)
    {
        var reading = new EventReading();
        if (!reading.TryRead(data, _cuts))
            return Fate.Pass;
        Usage = reading.Usage ?? Usage;
        if (reading.HasObject && reading.NoChoices)
        {
            _finalPassed |= keepFinalUsage;
            return keepFinalUsage ? Fate.Pass : Fate.Drop;
        }

        if (_cuts.Count == 0 || keepContinuousUsage || (keepFinalUsage && !reading.HasValue))
            return Fate.Pass;
        if (keepFinalUsage && reading.Usage is not null && !reading.Choices.IsEmpty)
            Spare(data, reading.Choices);
        for (var i = 0; i < _cuts.Count; i++)
            _cuts[i] = new Place(shift + sse.Locate(_cuts[i].Start - 1) + 1, shift + sse.Locate(_cuts[i].End - 1) + 1);
        return Fate.Cut;
    }

    private void WriteCut(ReadOnlySpan<byte> bytes, IBufferWriter<byte> to)
    {
        var from = 0;
        foreach (var cut in _cuts)
        {
            to.Write(bytes[from..cut.Start]);
            from = cut.End;
        }

        to.Write(bytes[from..]);
    }

    private void Spare(ReadOnlySpan<byte> data, Place choices)
    {
        _spare.Clear();
        _spare.Add(data);
        _spareChoices = choices;
    }

    /// <summary>The usage event that the client asked for, where the engine put usage only beside content.</summary>
    private void WriteSpare(IBufferWriter<byte> to)
    {
        if (_spare.Length == 0 || _finalPassed)
            return;
        var data = _spare.Span.ToArray();
        data.AsSpan().Replace((byte)'\n', (byte)' ');   // between lines of data; inside strings there is none
        to.Write("data: "u8);
        to.Write(data.AsSpan(0, _spareChoices.Start));
        to.Write("[]"u8);
        to.Write(data.AsSpan(_spareChoices.End));
        to.Write("\n\n"u8);
        _spare.Clear();
    }
}
