using System.Runtime.CompilerServices;

namespace TokenFactory.Tests;

/// <summary>Files of the repository and, where it lies beside it, of the data that is not shipped.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    public static string Text(params string[] parts) => File.ReadAllText(Path(parts));

    private static string Find([CallerFilePath] string here = "")
    {
        var folder = System.IO.Path.GetDirectoryName(here);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder, "TokenFactory.slnx")))
            folder = System.IO.Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests run inside a checkout of the repository.");
    }
}
