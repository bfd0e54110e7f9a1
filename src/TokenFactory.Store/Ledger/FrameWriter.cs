using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace TokenFactory.Store.Ledger;

/// <summary>
/// A buffer into which frames are written one after the other; each thread has its own, so that writing allocates nothing.
/// </summary>
internal sealed class FrameWriter
{
    [ThreadStatic]
    private static FrameWriter? s_mine;

    private byte[] _bytes = new byte[1024];
    private int _length;
    private int _frame;

    /// <summary>This thread's, empty.</summary>
    public static FrameWriter Mine
    {
        get
        {
            var writer = s_mine ??= new FrameWriter();
            writer._length = 0;
            return writer;
        }
    }

    /// <summary>The frames that were written.</summary>
    public ReadOnlySpan<byte> Frames => _bytes.AsSpan(0, _length);

    public void Begin()
    {
        _frame = _length;
        Room(Frame.Head);
        _length += Frame.Head;
    }

    /// <summary>The payload is written: the frame is whole.</summary>
    /// <exception cref="ArgumentException">The record is too long.</exception>
    public void End()
    {
        if (_length - _frame - Frame.Head > Frame.MostPayload)
            throw new ArgumentException(
                $"A record of {_length - _frame:N0} bytes is longer than the journal takes ({Frame.MostPayload:N0}).");
        Frame.Seal(_bytes.AsSpan(_frame, _length - _frame));
    }

    public void Byte(byte value)
    {
        Room(1);
        _bytes[_length++] = value;
    }

    /// <summary>Seven bits a byte, so that small numbers are short.</summary>
    public void Count(long value)
    {
        Room(10);
        var rest = (ulong)value;
        while (rest >= 0x80)
        {
            _bytes[_length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }

        _bytes[_length++] = (byte)rest;
    }

    /// <summary>A number that may be negative, small ones short.</summary>
    public void Signed(long value) => Count((value << 1) ^ (value >> 63));

    public void Whole(long value)
    {
        Room(8);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(_length), value);
        _length += 8;
    }

    public void Real(double value) => Whole(BitConverter.DoubleToInt64Bits(value));

    public void Text(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        Count(bytes);
        Room(bytes);
        _length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(_length));
    }

    private void Room(int more)
    {
        if (_bytes.Length - _length < more)
            Array.Resize(ref _bytes, (int)BitOperations.RoundUpToPowerOf2((uint)(_length + more)));
    }
}
