using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace TokenFactory.Gateway.Tenants;

/// <summary>
/// The form of keys: "sk-tf-", eight characters by which a key is found and named in records, "-", 43 characters of secret (256 bits).
/// Only the SHA-256 of the whole is kept: a secret of 256 random bits needs no slow hash, for nobody can try them all.
/// </summary>
internal static class ApiKey
{
    private const string Prefix = "sk-tf-";
    private const int IdLength = 8;
    private const int SecretBytes = 32;
    private const int SecretLength = 43;
    private const string IdLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>Longest key that is looked at; keys whose hashes stand in the factory file may have any form.</summary>
    public const int MostLength = 256;

    /// <summary>Makes a key from the system's randomness.</summary>
    public static (string Id, string Text) Create()
    {
        var id = RandomNumberGenerator.GetString(IdLetters, IdLength);
        Span<byte> secret = stackalloc byte[SecretBytes];
        RandomNumberGenerator.Fill(secret);
        return (id, $"{Prefix}{id}-{Base64Url.EncodeToString(secret)}");
    }

    /// <summary>The public part of a key; empty where it has not the form.</summary>
    public static ReadOnlySpan<char> IdOf(ReadOnlySpan<char> key) =>
        key.Length == Prefix.Length + IdLength + 1 + SecretLength && key.StartsWith(Prefix, StringComparison.Ordinal)
            && key[Prefix.Length + IdLength] == '-'
            ? key.Slice(Prefix.Length, IdLength)
            : default;

    /// <summary>SHA-256 of a key. At most <see cref="MostLength"/> characters.</summary>
    public static KeyHash Hash(ReadOnlySpan<char> key)
    {
        Span<byte> bytes = stackalloc byte[MostLength * 3];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(key, bytes)], hash);
        return KeyHash.Of(hash);
    }
}
