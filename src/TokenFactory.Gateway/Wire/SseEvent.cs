namespace TokenFactory.Gateway.Wire;

/// <summary>One server-sent event: where in its bytes the data and the name stand.</summary>
internal readonly ref struct SseEvent
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly Range _first;

    private SseEvent(ReadOnlySpan<byte> bytes, Range first, int lines, ReadOnlySpan<byte> name, bool isError)
    {
        _bytes = bytes;
        _first = first;
        DataLines = lines;
        Name = name;
        IsError = isError;
    }

    /// <summary>How many lines of data it has.</summary>
    public int DataLines { get; }

    /// <summary>What the last line "event:" says; empty where there is none.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Its data stand in a line "error:", as old llama.cpp servers wrote them.</summary>
    public bool IsError { get; }

    /// <summary>The data: what the lines of data say, with line feeds between them. Copied only where there are several.</summary>
    public ReadOnlySpan<byte> Data => DataLines <= 1 ? _bytes[_first] : Joined();

    /// <summary>Reads the lines of an event.</summary>
    /// <param name="bytes">The event with its line ends.</param>
    public static SseEvent Read(ReadOnlySpan<byte> bytes)
    {
        var (first, lines, isError) = (default(Range), 0, false);
        ReadOnlySpan<byte> name = [];
        for (var at = 0; at < bytes.Length;)
        {
            var end = LineEnd(bytes, at);
            if (TryField(bytes, at, end, "data"u8, out var value))
                first = lines++ == 0 ? value : first;
            else if (TryField(bytes, at, end, "event"u8, out value))
                name = bytes[value];
            else if (TryField(bytes, at, end, "error"u8, out value) && lines == 0)
                (first, isError) = (value, true);
            at = AfterLine(bytes, end);
        }

        return new SseEvent(bytes, first, lines, name, isError && lines == 0);
    }

    /// <summary>
    /// Where in the event's bytes a byte of its data stands; the line feed between two lines counts as right before the second.
    /// </summary>
    /// <param name="inData">Offset of the byte in the data.</param>
    public int Locate(int inData)
    {
        if (DataLines <= 1)
            return _first.Start.Value + inData;
        var passed = 0;
        for (var at = 0; at < _bytes.Length;)
        {
            var end = LineEnd(_bytes, at);
            if (TryField(_bytes, at, end, "data"u8, out var value))
            {
                var length = value.End.Value - value.Start.Value;
                if (inData < passed + length)
                    return value.Start.Value + inData - passed;
                passed += length + 1;
            }

            at = AfterLine(_bytes, end);
        }

        throw new ArgumentOutOfRangeException(nameof(inData), inData, "beyond the event's data");
    }

    /// <summary>Where the next line that begins at an offset ends; the length of the bytes where it does not.</summary>
    private static int LineEnd(ReadOnlySpan<byte> bytes, int at)
    {
        var end = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
        return end < 0 ? bytes.Length : at + end;
    }

    private static int AfterLine(ReadOnlySpan<byte> bytes, int end) =>
        end + (end + 1 < bytes.Length && bytes[end] == '\r' && bytes[end + 1] == '\n' ? 2 : 1);

    /// <summary>The value of a field's line: what follows its colon, less one space.</summary>
    private static bool TryField(ReadOnlySpan<byte> bytes, int at, int end, ReadOnlySpan<byte> field, out Range value)
    {
        var line = bytes[at..end];
        value = end..end;
        if (!line.StartsWith(field))
            return false;
        if (line.Length == field.Length)
            return true;
        if (line[field.Length] != ':')
            return false;
        var start = at + field.Length + 1;
        value = (start < end && bytes[start] == ' ' ? start + 1 : start)..end;
        return true;
    }

    private byte[] Joined()
    {
        var joined = new List<byte>(_bytes.Length);
        var lines = 0;
        for (var at = 0; at < _bytes.Length;)
        {
            var end = LineEnd(_bytes, at);
            if (TryField(_bytes, at, end, "data"u8, out var value))
            {
                if (lines++ > 0)
                    joined.Add((byte)'\n');
                joined.AddRange(_bytes[value]);
            }

            at = AfterLine(_bytes, end);
        }

        return [.. joined];
    }
}
