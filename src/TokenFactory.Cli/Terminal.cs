namespace TokenFactory.Cli;

/// <summary>Where the program speaks, and what it may assume about it.</summary>
/// <param name="Out">Results.</param>
/// <param name="Err">Errors and progress.</param>
/// <param name="Width">Columns that fit; null where the output is piped and nothing limits it.</param>
/// <param name="Colour">Whether colour is welcome.</param>
/// <param name="Today">The day by which prices are judged stale, unless --as-of says otherwise.</param>
/// <param name="UserCatalog">The folder of the user's own catalog entries; it need not exist.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Err, int? Width, bool Colour, DateOnly Today, string UserCatalog)
{
    /// <summary>Whether the user has asked to stop what takes long (Ctrl-C): the answer so far is then given, marked partial.</summary>
    public Func<bool> Stopped { get; init; } = () => false;

    /// <summary>The terminal of the process; honours COLUMNS, NO_COLOR, TOKENFACTORY_AS_OF and TOKENFACTORY_CATALOG.</summary>
    public static Terminal OfThisProcess()
    {
        var piped = Console.IsOutputRedirected;
        var columns = int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var wanted) && wanted > 0 ? wanted : (int?)null;
        var colour = !piped && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var today = DateOnly.TryParse(Environment.GetEnvironmentVariable("TOKENFACTORY_AS_OF"), out var day)
            ? day
            : DateOnly.FromDateTime(DateTime.Now);
        return new Terminal(Console.Out, Console.Error, columns ?? (piped ? null : WindowWidth()), colour, today, OwnCatalog())
        {
            Stopped = Interrupts(),
        };
    }

    /// <summary>The first Ctrl-C asks to stop once somebody looks for it; the second ends the process, and so does the first otherwise.</summary>
    private static Func<bool> Interrupts()
    {
        var (watched, stopped) = (false, false);
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = watched && !stopped;
            stopped = true;
        };
        return () =>
        {
            watched = true;
            return stopped;
        };
    }

    private static string OwnCatalog()
    {
        var named = Environment.GetEnvironmentVariable("TOKENFACTORY_CATALOG");
        return string.IsNullOrEmpty(named)
            ? Path.Combine(
                Environment.GetFolderPath(
                    Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
                "tokenfactory",
                "catalog")
            : named;
    }

    private static int? WindowWidth()
    {
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
