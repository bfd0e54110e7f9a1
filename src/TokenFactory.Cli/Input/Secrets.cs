namespace TokenFactory.Cli.Input;

/// <summary>Secrets do not stand in files: those name variables of the environment.</summary>
internal static class Secrets
{
    /// <summary>The value of the variable that a key names; null where the key is absent or the variable empty, which is noted.</summary>
    public static string? OfVariable(Settings settings, string key)
    {
        if (settings.Text(key) is not { } name)
            return null;
        var value = Environment.GetEnvironmentVariable(name);
        if (string.IsNullOrEmpty(value))
            settings.Note(key, $"names the variable {name}, which is empty", "Set it in the environment that the gateway starts in");
        return string.IsNullOrEmpty(value) ? null : value;
    }
}
