using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using TokenFactory.Gateway.Tenants;

namespace TokenFactory.Gateway.Admin;

/// <summary>
/// The one key of the admin API. It is judged by its SHA-256 in the store's folder (admin-key.sha256). At the first start the key itself is
/// written beside it (admin-key, readable by the owner alone), where the verbs on this machine find it; it may be moved elsewhere. To have
/// another key, remove both files; to choose it, write it to admin-key and remove admin-key.sha256.
/// </summary>
public sealed class AdminKey
{
    private const string Scheme = "Bearer ";
    private const int LeastLength = 32;
    private const int MostLength = 256;
    private readonly byte[] _hash;

    private AdminKey(byte[] hash, string? made) => (_hash, Made) = (hash, made);

    /// <summary>The key, where this start made it: to be shown once.</summary>
    public string? Made { get; }

    /// <summary>Name of the file that holds the key itself.</summary>
    public const string FileName = "admin-key";

    /// <summary>Reads the key of a store's folder, or makes it.</summary>
    /// <exception cref="InvalidDataException">A file holds something else.</exception>
    public static AdminKey Open(string folder)
    {
        var (keyFile, hashFile) = (Path.Combine(folder, FileName), Path.Combine(folder, FileName + ".sha256"));
        string? made = null;
        if (!File.Exists(hashFile))
        {
            var fresh = "sk-tf-admin-" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
            made = SecretFile.TryWrite(keyFile, fresh) ? fresh : null;
            var key = File.ReadAllText(keyFile).Trim();
            if (key.Length is < LeastLength or > MostLength)
            {
                throw new InvalidDataException(
                    $"'{keyFile}' holds {key.Length} characters. Write an admin key of {LeastLength} to {MostLength}, "
                    + "or remove the file for a new one.");
            }

            SecretFile.TryWrite(hashFile, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))));
        }

        var text = File.ReadAllText(hashFile).Trim();
        return text.Length == 2 * SHA256.HashSizeInBytes && text.All(char.IsAsciiHexDigit)
            ? new AdminKey(Convert.FromHexString(text), made)
            : throw new InvalidDataException(
                $"'{hashFile}' holds no SHA-256 in 64 hexadecimal digits. Remove it, and it is made anew from '{keyFile}'.");
    }

    /// <summary>Whether an Authorization header holds the key; takes the same time however much of it is right.</summary>
    public bool Opens(ReadOnlySpan<char> authorization)
    {
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || authorization.Length > Scheme.Length + MostLength)
            return false;
        var hash = ApiKey.Hash(authorization[Scheme.Length..].Trim());
        return CryptographicOperations.FixedTimeEquals(_hash, hash);
    }
}
