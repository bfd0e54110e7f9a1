using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace TokenFactory.Gateway.Tenants;

/// <summary>What keeps the caches of tenants apart: HMAC-SHA256 of a tenant's name under a secret of this installation.</summary>
/// <param name="Cache">For engines.</param>
/// <param name="Prefix">For the gateway's own prefix keys; not derivable from the other.</param>
internal readonly record struct Salts(string Cache, ulong Prefix)
{
    /// <summary>The salts of a tenant.</summary>
    public static Salts Of(ReadOnlySpan<byte> secret, string tenant)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes("prefix:" + tenant), hash);
        var prefix = BinaryPrimitives.ReadUInt64LittleEndian(hash);
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes("cache:" + tenant), hash);
        return new Salts(Base64Url.EncodeToString(hash), prefix);
    }
}
