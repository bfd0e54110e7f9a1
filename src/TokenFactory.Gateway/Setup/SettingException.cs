namespace TokenFactory.Gateway.Setup;

/// <summary>What a setting names cannot be had: an address, a folder, a file.</summary>
/// <param name="setting">The setting: "listen", "store.folder".</param>
/// <param name="value">What it says.</param>
/// <param name="why">Why not, as the system puts it.</param>
public sealed class SettingException(string setting, string value, string why) : IOException($"'{setting}' is '{value}': {why.TrimEnd('.')}.")
{
    /// <summary>The setting.</summary>
    public string Setting { get; } = setting;
}
