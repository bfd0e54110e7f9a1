using System.Globalization;

namespace TokenFactory.Cli.Verbs;

/// <summary>Lengths of time as people type them: 30d, 12h, 45m, 10s.</summary>
internal static class TimeSpans
{
    /// <summary>The longest that a key may live, as people type it: a century.</summary>
    public const string Most = "36525d";

    /// <summary>The same in seconds.</summary>
    public const double MostSeconds = 36525.0 * 86400;

    /// <summary>In seconds; null where the text is none.</summary>
    public static double? Seconds(string text)
    {
        double? unit = text.Length < 2 ? null : text[^1] switch { 'd' => 86400, 'h' => 3600, 'm' => 60, 's' => 1, _ => null };
        const NumberStyles Plain = NumberStyles.AllowDecimalPoint;
        return unit is { } seconds && double.TryParse(text[..^1], Plain, CultureInfo.InvariantCulture, out var count)
            ? count * seconds
            : null;
    }
}
