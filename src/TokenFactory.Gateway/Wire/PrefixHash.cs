using System.Buffers.Binary;
using TokenFactory.Fleet;

namespace TokenFactory.Gateway.Wire;

/// <summary>
/// Leading parts of a prompt as keys: the content's bytes in chunks, each hashed with all before it. Where chunks end depends on nothing
/// but the place, so that requests that begin alike share the keys of all whole chunks of what they share, however they go on.
/// </summary>
public static class PrefixHash
{
    /// <summary>Bytes per chunk, of the first half of all keys; those after it cover more and more.</summary>
    public const int ChunkBytes = 1024;

    private const int MostDoublings = 20;
    private const int Lane = 16;
    private const int Stride = 4 * Lane;

    // Odd numbers with as many ones as zeros, drawn at random.
    private const ulong Mix0 = 0x9c3b_51e6_a74d_2d6b;
    private const ulong Mix1 = 0x6a95_c3d2_1be4_7993;
    private const ulong Mix2 = 0xd14e_2b97_5a6c_93a5;
    private const ulong Mix3 = 0x3ae5_9a4d_c671_b62d;
    private const ulong Mix4 = 0xb52c_6d93_e41a_7c59;

    /// <summary>Keys of all whole chunks, shortest first. 512 of them cover 16 MiB.</summary>
    /// <param name="content">
    /// Bytes of the messages or prompt value. Its closing bracket or quote does not count: there the next request goes on.
    /// </param>
    /// <param name="salt">Differs by model, and by tenant where caches are kept apart.</param>
    /// <param name="bytesPerToken">To say how many tokens a key covers.</param>
    /// <param name="most">Most keys.</param>
    /// <param name="aheadBytes">Bytes of the prompt before the content, which <paramref name="salt"/> tells apart; a chunk of their own where they fill one.</param>
    public static PrefixKey[] Keys(ReadOnlySpan<byte> content, ulong salt, double bytesPerToken, int most = 512, int aheadBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerToken);
        var length = content.Length - 1;
        var first = aheadBytes >= ChunkBytes ? 1 : 0;
        var keys = new PrefixKey[Count(length, most - first) + first];
        var (key, from) = (Mixed(salt ^ Mix4, Mix0), 0);
        if (first > 0)
            keys[0] = Key(key, aheadBytes, bytesPerToken);
        for (var i = first; i < keys.Length; i++)
        {
            var bytes = (int)ChunkLength(i - first, most - first);
            key = Hash(content.Slice(from, bytes), key);
            from += bytes;
            keys[i] = Key(key, (long)aheadBytes + from, bytesPerToken);
        }

        return keys;
    }

    private static PrefixKey Key(ulong key, long bytes, double bytesPerToken) => new(key, (int)Math.Min(int.MaxValue, bytes / bytesPerToken));

    /// <summary>Hash of bytes, in the manner of wyhash: products of 64-bit halves, folded, in four lanes.</summary>
    /// <param name="bytes">Any number of them.</param>
    /// <param name="seed">What it continues.</param>
    internal static ulong Hash(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var (a, b, c, d) = (seed, seed ^ Mix1, seed ^ Mix2, seed ^ Mix3);
        var rest = bytes;
        while (rest.Length >= Stride)
        {
            a = Mixed(Word(rest, 0) ^ Mix0, Word(rest, 8) ^ a);
            b = Mixed(Word(rest, 16) ^ Mix1, Word(rest, 24) ^ b);
            c = Mixed(Word(rest, 32) ^ Mix2, Word(rest, 40) ^ c);
            d = Mixed(Word(rest, 48) ^ Mix3, Word(rest, 56) ^ d);
            rest = rest[Stride..];
        }

        var hash = Mixed(a ^ Mix4, b) ^ Mixed(c ^ Mix0, d);
        Span<byte> last = stackalloc byte[Lane];
        for (; !rest.IsEmpty; rest = rest[Math.Min(Lane, rest.Length)..])
        {
            last.Clear();
            rest[..Math.Min(Lane, rest.Length)].CopyTo(last);
            hash = Mixed(Word(last, 0) ^ Mix1, Word(last, 8) ^ hash);
        }

        return Mixed(hash ^ Mix2, (ulong)bytes.Length ^ Mix4);
    }

    /// <summary>A product folded; what goes in stays in, so that a factor of zero forgets nothing.</summary>
    private static ulong Mixed(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return (a ^ low) + (b ^ high);
    }

    private static ulong Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static int Count(int length, int most)
    {
        long covered = 0;
        for (var i = 0; i < most; i++)
        {
            covered += ChunkLength(i, most);
            if (covered > length)
                return i;
        }

        return most;
    }

    /// <summary>Half of the keys are for chunks of one length; after them each sixteenth doubles it.</summary>
    private static long ChunkLength(int index, int most)
    {
        var beyond = index - (most / 2);
        return beyond < 0 ? ChunkBytes : (long)ChunkBytes << Math.Min(MostDoublings, 1 + (beyond / Math.Max(1, most / 16)));
    }
}
