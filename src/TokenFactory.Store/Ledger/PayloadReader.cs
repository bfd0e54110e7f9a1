using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace TokenFactory.Store.Ledger;

/// <summary>Reads a payload from left to right. What does not fit throws <see cref="InvalidDataException"/>.</summary>
internal ref struct PayloadReader(ReadOnlySpan<byte> payload, Names names)
{
    private ReadOnlySpan<byte> _rest = payload;

    public byte Byte() => Take(1)[0];

    public long Count()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return (long)value;
        }

        throw new InvalidDataException("A number in the journal does not end.");
    }

    public long Signed()
    {
        var value = Count();
        return (long)((ulong)value >> 1) ^ -(value & 1);
    }

    public long Whole() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public double Real() => BitConverter.Int64BitsToDouble(Whole());

    /// <summary>Text of its own.</summary>
    public string Text() => Encoding.UTF8.GetString(Take(Count()));

    /// <summary>Text that many records share.</summary>
    public string Name() => names.Of(Take(Count()));

    private ReadOnlySpan<byte> Take(long bytes)
    {
        if (bytes < 0 || bytes > _rest.Length)
            throw new InvalidDataException("A record in the journal is shorter than it says.");
        var taken = _rest[..(int)bytes];
        _rest = _rest[(int)bytes..];
        return taken;
    }
}

/// <summary>Names that were read lately, so that a thousand records of a tenant hold its name once.</summary>
internal sealed class Names
{
    private const int Places = 512;
    private readonly (byte[] Bytes, string Name)[] _known = new (byte[], string)[Places];

    public string Of(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        foreach (var one in bytes)
            sum = BitOperations.Crc32C(sum, one);
        ref var known = ref _known[sum % Places];
        if (known.Name is null || !bytes.SequenceEqual(known.Bytes))
            known = (bytes.ToArray(), Encoding.UTF8.GetString(bytes));
        return known.Name;
    }
}
