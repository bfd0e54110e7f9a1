using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace TokenFactory.Gateway.Tenants;

/// <summary>Small files in the store's folder that only the gateway's user may read.</summary>
internal static class SecretFile
{
    private const int SecretBytes = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The secret of this installation; made at the first start.</summary>
    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public static byte[] Installation(string folder)
    {
        var path = Path.Combine(folder, "installation-secret");
        if (!File.Exists(path))
            TryWrite(path, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes)));
        Span<byte> secret = stackalloc byte[SecretBytes];
        var text = File.ReadAllText(path).AsSpan().Trim();
        if (Base64Url.DecodeFromChars(text, secret, out _, out var written) == OperationStatus.Done && written == SecretBytes)
            return secret.ToArray();
        throw new InvalidDataException($"'{path}' holds no secret of 32 bytes. Restore it, or remove it for a new one: "
            + "engines' prefix caches then begin anew.");
    }

    /// <summary>Writes a file that nobody else may read, whole or not at all; false where there is one already.</summary>
    public static bool TryWrite(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var staged = $"{path}.{Environment.ProcessId}.{RandomNumberGenerator.GetHexString(8)}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using (var file = new StreamWriter(staged, options))
            file.WriteLine(text);
        try
        {
            File.Move(staged, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(staged);
            return false;
        }
    }
}
