using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace TokenFactory.Gateway.Tenants;

/// <summary>A SHA-256 as a value.</summary>
[InlineArray(SHA256.HashSizeInBytes)]
internal struct KeyHash : IEquatable<KeyHash>
{
    private byte _first;

    public static KeyHash Of(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, SHA256.HashSizeInBytes);
        var value = default(KeyHash);
        hash.CopyTo(value);
        return value;
    }

    public readonly byte[] ToArray() => ((ReadOnlySpan<byte>)this).ToArray();

    /// <summary>Takes the same time wherever the two differ.</summary>
    public readonly bool Equals(KeyHash other) => CryptographicOperations.FixedTimeEquals(this, other);

    public override readonly bool Equals(object? obj) => obj is KeyHash other && Equals(other);

    public override readonly int GetHashCode() => MemoryMarshal.Read<int>(this);
}
