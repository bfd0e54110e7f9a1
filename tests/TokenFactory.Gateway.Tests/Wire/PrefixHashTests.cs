using System.Numerics;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

public sealed class PrefixHashTests
{
    [Fact]
    public void Contents_that_begin_alike_share_the_keys_of_all_whole_chunks_that_they_share_and_no_more() => Cases.Check(200, dice =>
    {
        var (shared, most) = (Bytes(dice, dice.Whole(0, 60_000)), dice.Whole(16, 512));
        byte[] one = [.. shared, 1, .. Bytes(dice, dice.Whole(0, 30_000))];
        byte[] other = [.. shared, 2, .. Bytes(dice, dice.Whole(0, 30_000))];
        var (a, b) = (PrefixHash.Keys(one, 7, 1, most), PrefixHash.Keys(other, 7, 1, most));
        var common = a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count();
        Assert.Equal(a.TakeWhile(key => key.Tokens <= shared.Length).Count(), common);
        Assert.Equal(a.Length + b.Length - common, a.Concat(b).Select(key => key.Key).Distinct().Count());
    });

    [Fact]
    public void The_next_turn_of_a_conversation_shares_what_the_last_one_had_but_for_its_closing_bracket()
    {
        byte[] turn = [.. "[{\"role\":\"user\",\"content\":\""u8, .. new byte[2 * PrefixHash.ChunkBytes]];
        Array.Resize(ref turn, (2 * PrefixHash.ChunkBytes) + 1);
        turn[^1] = (byte)']';
        byte[] next = [.. turn[..^1], .. ",{}]"u8];
        var keys = PrefixHash.Keys(turn, 1, 4);
        Assert.Equal(2, keys.Length);
        Assert.Equal(keys, PrefixHash.Keys(next, 1, 4));
        Assert.Equal([256, 512], keys.Select(key => key.Tokens));
        Assert.NotEqual(keys[0].Key, PrefixHash.Keys(turn, 2, 4)[0].Key);
        Assert.Empty(PrefixHash.Keys([], 1, 4));
    }

    [Fact]
    public void Keys_cover_long_prompts_with_chunks_that_grow()
    {
        var content = new byte[(16_576 << 10) + 1];
        var keys = PrefixHash.Keys(content, 1, 1);
        Assert.Equal(512, keys.Length);
        Assert.True(keys[^1].Tokens == content.Length - 1, $"{keys[^1].Tokens}");
        Assert.Equal(PrefixHash.ChunkBytes * 256, keys[255].Tokens);
        Assert.True(PrefixHash.Keys(content.AsSpan(0, 400_000), 1, 1)[^1].Tokens > 390_000);
        Assert.All(keys.Zip(keys.Skip(1)), pair => Assert.True(pair.First.Tokens < pair.Second.Tokens));
    }

    [Fact]
    public void What_stands_before_the_content_is_a_chunk_of_its_own_where_it_fills_one_and_counts_in_all_that_follow()
    {
        var content = new byte[(2 * PrefixHash.ChunkBytes) + 1];
        var keys = PrefixHash.Keys(content, 1, 4, aheadBytes: 8000);
        Assert.Equal([2000, 2256, 2512], keys.Select(key => key.Tokens));
        Assert.Equal(keys[0], Assert.Single(PrefixHash.Keys([], 1, 4, aheadBytes: 8000)));
        Assert.Empty(keys.Select(key => key.Key).Intersect(PrefixHash.Keys(content, 2, 4, aheadBytes: 8000).Select(key => key.Key)));
        Assert.Equal([257, 513], PrefixHash.Keys(content, 1, 4, aheadBytes: 7).Select(key => key.Tokens));
    }

    [Fact]
    public void One_bit_of_what_is_hashed_changes_half_of_the_hash() => Cases.Check(40, dice =>
    {
        var bytes = Bytes(dice, dice.Whole(1, 300));
        var (seed, changed, trials) = ((ulong)dice.Whole(0, int.MaxValue - 1), new int[64], 0);
        var hash = PrefixHash.Hash(bytes, seed);
        for (var bit = 0; bit < bytes.Length * 8; bit += dice.Whole(1, 1 + (bytes.Length / 16)))
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            var difference = hash ^ PrefixHash.Hash(bytes, seed);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.InRange(BitOperations.PopCount(difference), 8, 56);
            for (var i = 0; i < 64; i++)
                changed[i] += (int)(difference >> i) & 1;
            trials++;
        }

        // Five standard deviations of fair coins, for each of 64 bits in each of the cases.
        if (trials >= 100)
            Assert.All(changed, count => Assert.InRange(count - (trials / 2.0), -2.6 * Math.Sqrt(trials), 2.6 * Math.Sqrt(trials)));
    });

    [Fact]
    public void No_two_of_a_million_alike_inputs_collide()
    {
        var hashes = new HashSet<ulong>();
        var bytes = new byte[1024];
        for (var i = 0; i < 1_000_000; i++)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i % 250 * 4), i);
            Assert.True(hashes.Add(PrefixHash.Hash(bytes.AsSpan(0, 1004 + (i % 20)), 0)), $"number {i}");
            bytes.AsSpan(i % 250 * 4, 4).Clear();
        }

        for (var length = 0; length < 1024; length++)
            Assert.True(hashes.Add(PrefixHash.Hash(bytes.AsSpan(0, length), 5)), $"zeros {length}");
    }

    private static byte[] Bytes(Dice dice, int length)
    {
        var bytes = new byte[length];
        new Random(dice.Whole(0, int.MaxValue - 1)).NextBytes(bytes);
        return bytes;
    }
}
