using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace TokenFactory.Store.Ledger;

/// <summary>
/// A record as it lies in the journal: length of the payload (4 bytes), CRC-32C of length and payload (4 bytes), payload. Numbers are
/// little-endian. A length of zero is where nothing was written yet.
/// </summary>
internal static class Frame
{
    /// <summary>Bytes before the payload.</summary>
    public const int Head = 8;

    /// <summary>Longest payload: longer ones are refused when written, so that a broken length is known as such when read.</summary>
    public const int MostPayload = 8 << 20;

    /// <summary>Fills in the head of a frame whose payload is written.</summary>
    public static void Seal(Span<byte> frame)
    {
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - Head);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Sum(frame));
    }

    /// <summary>Looks at what lies at the beginning of some bytes.</summary>
    /// <param name="bytes">Bytes of a segment.</param>
    /// <param name="payload">The payload, where a whole frame is there.</param>
    /// <returns>Length of the frame with its head; zero where it is not whole within these bytes; -1 where it is broken.</returns>
    public static int Read(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (bytes.Length < Head)
            return 0;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (length is <= 0 or > MostPayload)
            return -1;
        if (bytes.Length - Head < length)
            return 0;
        var frame = bytes[..(Head + length)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]) != Sum(frame))
            return -1;
        payload = frame[Head..];
        return frame.Length;
    }

    private static uint Sum(ReadOnlySpan<byte> frame) => ~Add(Add(~0u, frame[..4]), frame[Head..]);

    private static uint Add(uint sum, ReadOnlySpan<byte> bytes)
    {
        foreach (var eight in MemoryMarshal.Cast<byte, ulong>(bytes))
            sum = BitOperations.Crc32C(sum, BitConverter.IsLittleEndian ? eight : BinaryPrimitives.ReverseEndianness(eight));
        foreach (var one in bytes[(bytes.Length & ~7)..])
            sum = BitOperations.Crc32C(sum, one);
        return sum;
    }
}
