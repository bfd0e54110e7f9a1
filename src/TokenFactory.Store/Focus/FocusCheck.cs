using System.Text.Json;
using CsvHelper;

namespace TokenFactory.Store.Focus;

/// <summary>
/// Looks whether a file keeps to FOCUS 1.2: its columns, their types and allowed values, what may be empty, times, units and prices that
/// belong together, and sums. Columns of the specification that we do not write are let through unread.
/// </summary>
public static class FocusCheck
{
    private const int MostMistakes = 100;

    /// <summary>
    /// What is wrong, in words, with line numbers; empty where the file is in order. At most a hundred mistakes are listed.
    /// </summary>
    public static IReadOnlyList<string> Mistakes(string csv)
    {
        if (string.IsNullOrWhiteSpace(csv))
            return ["The file is empty: it has no row of column names."];
        var mistakes = new List<string>();
        using var reader = CsvReader.FromText(csv, new CsvReaderOptions
        {
            TrackLineNumbers = true,
            Separator = ',',
            MalformedData = CsvMalformedDataHandling.Recover,
            OnMalformedRecord = bad => mistakes.Add($"Line {bad.LineNumber}: no CSV ({bad.Reason})."),
        });
        reader.ReadHeader();
        var names = reader.Headers.ToArray();
        mistakes.AddRange(OfHeader(names));
        var (billed, effective) = (0m, 0m);
        while (mistakes.Count < MostMistakes && reader.Read())
        {
            if (reader.FieldCount != names.Length)
            {
                mistakes.Add($"Line {reader.LineNumber}: {reader.FieldCount} values for {names.Length} columns.");
                continue;
            }

            var row = Row(reader, names);
            mistakes.AddRange(OfRow(row).Concat(FocusRules.Broken(row)).Select(mistake => $"Line {reader.LineNumber}: {mistake}."));
            billed += row.Number("BilledCost") ?? 0;
            effective += row.Number("EffectiveCost") ?? 0;
        }

        // Where nothing is bought ahead, what is billed for a period is what its use cost in effect.
        if (mistakes.Count == 0 && billed != effective)
            mistakes.Add($"EffectiveCost sums to {effective}, BilledCost to {billed}: they must be equal where nothing is bought ahead.");
        return mistakes;
    }

    private static FocusValues Row(CsvReader reader, string[] names)
    {
        var values = new Dictionary<string, string>(names.Length);
        for (var i = 0; i < names.Length; i++)
            values[names[i]] = reader.GetString(i);
        return new FocusValues(values);
    }

    private static IEnumerable<string> OfHeader(string[] names)
    {
        foreach (var missing in FocusColumns.All.Where(column => column.Mandatory && !names.Contains(column.Name)))
            yield return $"Column {missing.Name} is missing.";
        foreach (var twice in names.GroupBy(name => name).Where(group => group.Count() > 1))
            yield return $"Column {twice.Key} is there {twice.Count()} times.";
        foreach (var name in names.Where(name => name.Contains('_') && !name.StartsWith("x_", StringComparison.Ordinal)))
            yield return $"Column {name} is not one of FOCUS; names of one's own begin with x_.";
    }

    private static IEnumerable<string> OfRow(FocusValues row)
    {
        foreach (var column in FocusColumns.All.Where(column => row.Has(column.Name)))
        {
            if (row.Text(column.Name) is not { } text)
            {
                if (!column.Nulls)
                    yield return $"{column.Name} is empty";
            }
            else if (text.Equals("null", StringComparison.OrdinalIgnoreCase))
            {
                yield return $"{column.Name} is '{text}'; what is not there is left empty";
            }
            else if (Fault(column, text) is { } fault)
            {
                yield return $"{column.Name} is '{text}', {fault}";
            }
        }
    }

    private static string? Fault(FocusColumn column, string text) => column.Type switch
    {
        FocusType.Number when FocusValues.ReadNumber(text) is not { } number => "no plain decimal number",
        FocusType.Number => !column.Negative && text.StartsWith('-') ? "below zero" : null,
        FocusType.Time => FocusValues.ReadTime(text) is null ? "no moment as 2026-11-22T03:00:00Z" : null,
        FocusType.Currency => text is [>= 'A' and <= 'Z', >= 'A' and <= 'Z', >= 'A' and <= 'Z'] ? null : "no code of ISO 4217",
        FocusType.Map => IsMap(text) ? null : "no JSON object of plain values",
        _ => column.Allowed is { } allowed && !allowed.Contains(text) ? $"none of {string.Join(", ", allowed)}"
            : text.Length != text.Trim().Length ? "with space around it" : null,
    };

    private static bool IsMap(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.EnumerateObject()
                    .All(property => property.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array));
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
