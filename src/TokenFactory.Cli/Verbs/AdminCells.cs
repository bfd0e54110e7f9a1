using System.Globalization;
using System.Text.Json;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>Fields of the admin API's answers as cells of tables.</summary>
internal static class AdminCells
{
    public static string Text(this JsonElement element, string field) => element.GetProperty(field).GetString() ?? "";

    public static Cell Words(this JsonElement element, string field) =>
        element.Text(field) is { Length: > 0 } text ? Cell.Of(text) : Cell.None;

    /// <summary>A number, or a dash where there is none.</summary>
    public static Cell Number(this JsonElement element, string field, Func<double, string> spell) =>
        element.GetProperty(field) is { ValueKind: JsonValueKind.Number } number
            ? new Cell(number.GetDouble(), spell(number.GetDouble()))
            : Cell.None;

    public static Cell Count(this JsonElement element, string field) =>
        element.Number(field, value => value.ToString("#,0", CultureInfo.InvariantCulture));

    public static Cell Dollars(this JsonElement element, string field) => element.Number(field, Spell.Dollars);

    /// <summary>Dollars of a budget, and of them those that are spent: "$0.50 of $2.00".</summary>
    public static Cell Budget(JsonElement used, string spent, string budget)
    {
        var has = Spell.Dollars(used.GetProperty(spent).GetDouble());
        var most = used.GetProperty(budget);
        var text = most.ValueKind == JsonValueKind.Number ? $"{has} of {Spell.Dollars(most.GetDouble())}" : has;
        return new Cell(used.GetProperty(spent).GetDouble(), text);
    }

    /// <summary>A time to the minute.</summary>
    public static Cell Time(this JsonElement element, string field) =>
        element.Text(field) is { Length: >= 16 } time ? new Cell(time, time[..16].Replace('T', ' ')) : Cell.None;

    public static Cell Names(this JsonElement element, string field)
    {
        var names = string.Join(", ", element.GetProperty(field).EnumerateArray().Select(each => each.GetString()));
        return new Cell(names, names.Length > 0 ? names : "all");
    }
}
