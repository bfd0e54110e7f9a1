using System.Globalization;
using System.Text.RegularExpressions;

namespace TokenFactory.Store.Focus;

/// <summary>The values of one row, as text and read; empty is null, as FOCUS has it in CSV.</summary>
internal sealed partial class FocusValues(IReadOnlyDictionary<string, string> values)
{
    private const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
    private const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    /// <summary>Whether the file has the column.</summary>
    public bool Has(string column) => values.ContainsKey(column);

    public string? Text(string column) => values.TryGetValue(column, out var text) && text.Length > 0 ? text : null;

    public decimal? Number(string column) => Text(column) is { } text ? ReadNumber(text) : null;

    public DateTime? Time(string column) => Text(column) is { } text ? ReadTime(text) : null;

    /// <summary>A number as FOCUS writes it: digits, one point, a minus.</summary>
    public static decimal? ReadNumber(string text) =>
        NumberForm().IsMatch(text) && decimal.TryParse(text, Plain, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>A moment as FOCUS writes it.</summary>
    public static DateTime? ReadTime(string text) => DateTime.TryParseExact(
        text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, Utc, out var moment) ? moment : null;

    [GeneratedRegex(@"^-?[0-9]+(\.[0-9]+)?\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NumberForm();
}
