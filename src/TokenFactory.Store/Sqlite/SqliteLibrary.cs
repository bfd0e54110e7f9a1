using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace TokenFactory.Store.Sqlite;

/// <summary>The system's SQLite: found and handed to the driver once per process.</summary>
internal static class SqliteLibrary
{
    private const string NameOfDriver = "e_sqlite3";

    /// <summary>STRICT tables.</summary>
    private static readonly Version Least = new(3, 37, 0);

    private static readonly string[] Names =
        ["libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib", "/usr/lib/libsqlite3.dylib", "winsqlite3.dll", "sqlite3.dll"];

    private static readonly Lazy<string?> Problem = new(Load);

    /// <summary>Makes sure that it is there.</summary>
    /// <exception cref="StoreSetupException">It is not there, or too old; the message says how to get it.</exception>
    public static void Require()
    {
        if (Problem.Value is { } problem)
            throw new StoreSetupException(problem);
    }

    private static string? Load()
    {
        if (!Array.Exists(Names, name => NativeLibrary.TryLoad(name, out _)))
            return "SQLite is not installed: looked for libsqlite3.so.0, libsqlite3.dylib and winsqlite3.dll. "
                + "Install it (Debian, Ubuntu: apt install libsqlite3-0; Alpine: apk add sqlite-libs; Fedora: dnf install "
                + "sqlite-libs), or set store.postgres_env.";
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        var version = Version.Parse(raw.sqlite3_libversion().utf8_to_string());
        return version < Least
            ? $"SQLite {version} is too old: {Least} or newer is needed. Update libsqlite3, or set store.postgres_env."
            : null;
    }

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path)
    {
        if (library == NameOfDriver)
        {
            foreach (var name in Names)
            {
                if (NativeLibrary.TryLoad(name, out var handle))
                    return handle;
            }
        }

        return 0;
    }
}
