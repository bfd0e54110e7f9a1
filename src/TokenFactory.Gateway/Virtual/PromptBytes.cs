using System.Buffers.Binary;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Virtual;

/// <summary>
/// A prompt as an engine would tokenise it: four bytes to a token. Its leading parts are hashed, 16 tokens each at first and 256 later, so
/// that
/// prompts that begin alike find each other's blocks.
/// </summary>
internal sealed class PromptBytes
{
    /// <summary>Bytes of text that count as one token.</summary>
    public const int BytesPerToken = 4;

    private const int UnitBytes = 64;
    private const int FineUnits = 64;
    private const int CoarseUnits = 16;

    private readonly byte[] _unit = new byte[UnitBytes];
    private readonly List<PromptSegment> _segments = [];
    private ulong _content;
    private int _filled;
    private int _units;
    private int _unitsBefore;
    private long _bytes;

    /// <summary>An empty prompt.</summary>
    /// <param name="salt">Prompts of other salts share nothing with it; empty for none.</param>
    public PromptBytes(ReadOnlySpan<byte> salt)
    {
        _content = salt.Length == 0 ? 1 : Hash(salt);
        Key = _content;
    }

    /// <summary>What the answer follows from: all that was added, in order.</summary>
    public ulong Key { get; private set; }

    /// <summary>Its length in tokens, at least 1.</summary>
    public int Tokens => (int)Math.Clamp((_bytes + BytesPerToken - 1) / BytesPerToken, 1, int.MaxValue);

    /// <summary>Its leading parts.</summary>
    public PromptSegment[] Segments() => [.. _segments];

    /// <summary>Adds text.</summary>
    public void Add(ReadOnlySpan<byte> text)
    {
        _bytes += text.Length;
        if (_filled > 0)
        {
            var taken = Math.Min(UnitBytes - _filled, text.Length);
            text[..taken].CopyTo(_unit.AsSpan(_filled));
            text = text[taken..];
            _filled += taken;
            if (_filled < UnitBytes)
                return;
            Take(_unit);
            _filled = 0;
        }

        for (; text.Length >= UnitBytes; text = text[UnitBytes..])
            Take(text);
        text.CopyTo(_unit);
        _filled = text.Length;
    }

    /// <summary>Adds a token by its number.</summary>
    public void AddToken(int token)
    {
        Span<byte> four = stackalloc byte[BytesPerToken];
        BinaryPrimitives.WriteInt32LittleEndian(four, token);
        Add(four);
    }

    /// <summary>All is there: what is left of the last unit counts for the key.</summary>
    public void Close() => Key = Draws.Mix(Draws.Mix(Key ^ _content) ^ Hash(_unit.AsSpan(0, _filled)));

    private void Take(ReadOnlySpan<byte> unit)
    {
        for (var i = 0; i < UnitBytes; i += sizeof(ulong))
            _content = Draws.Mix(_content ^ BinaryPrimitives.ReadUInt64LittleEndian(unit[i..])) + 1;
        _units++;
        if (_units > FineUnits && (_units - FineUnits) % CoarseUnits != 0)
            return;
        _segments.Add(new PromptSegment(_content, (_units - _unitsBefore) * (UnitBytes / BytesPerToken)));
        Key = Draws.Mix(Key ^ _content);
        (_unitsBefore, _content) = (_units, 1);
    }

    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = 0x9E3779B97F4A7C15UL ^ (ulong)bytes.Length;
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            hash = Draws.Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) + 1;
        last.Clear();
        bytes.CopyTo(last);
        return Draws.Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(last));
    }
}
