using System.Globalization;
using CsvHelper;

namespace TokenFactory.Catalog;

/// <summary>One row of a CSV file, read by column name. Every mistake goes to the list that the table was read with.</summary>
public sealed class CsvRow
{
    /// <summary>More than any count, rate or price of this world; arithmetic on it stays finite.</summary>
    public const double Largest = 1e15;

    private readonly IReadOnlyDictionary<string, int> _columns;
    private readonly string[] _fields;
    private readonly ICollection<Mistake> _mistakes;

    internal CsvRow(string where, IReadOnlyDictionary<string, int> columns, string[] fields, ICollection<Mistake> mistakes) =>
        (Where, _columns, _fields, _mistakes) = (where, columns, fields, mistakes);

    /// <summary>"file:line", for messages.</summary>
    public string Where { get; }

    /// <summary>The field, or an empty text where the column is absent.</summary>
    public string this[string column] => _columns.TryGetValue(column, out var i) ? _fields[i].Trim() : "";

    /// <summary>A field that must not be empty.</summary>
    public string Required(string column)
    {
        if (this[column].Length == 0)
            Note(column, "is empty", "Fill it in");
        return this[column];
    }

    /// <summary>A number of the field, at least <paramref name="atLeast"/>; null with the mistake noted where it is none.</summary>
    public double? Number(string column, double atLeast = double.Epsilon)
    {
        if (double.TryParse(this[column], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number >= atLeast
            && number <= Largest)
            return number;
        Note(column, $"is '{this[column]}'", atLeast > 0 ? "Give a number above zero" : "Give a number of zero or more");
        return null;
    }

    /// <summary>Adds a mistake about a field of this row.</summary>
    public void Note(string column, string what, string remedy) => _mistakes.Add(new Mistake(Where, $"column '{column}' {what}", remedy));
}

/// <summary>A CSV file with a header: comma-separated, double-quoted where needed, '#' starts a comment line.</summary>
public static class CsvTable
{
    /// <summary>Reads the rows whose shape is right and notes what is wrong with the others.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="where">Its name, for messages.</param>
    /// <param name="required">Columns that must be there.</param>
    /// <param name="optional">
    /// Columns that may be there; any other column is a mistake, since a misspelt one must not pass as absent.
    /// </param>
    /// <param name="mistakes">Where mistakes go.</param>
    public static IReadOnlyList<CsvRow> Read(
        string text, string where, IReadOnlyList<string> required, IReadOnlyList<string> optional, ICollection<Mistake> mistakes)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            mistakes.Add(new Mistake(where, "is no text", "Give a table as comma-separated text"));
            return [];
        }

        var options = new CsvReaderOptions
        {
            TrackLineNumbers = true,
            Separator = ',',
            CommentPrefix = '#',
            MalformedData = CsvMalformedDataHandling.Recover,
            OnMalformedRecord = bad =>
                mistakes.Add(new Mistake($"{where}:{bad.LineNumber}", $"malformed CSV ({bad.Reason})", "Close the quotes")),
        };
        using var reader = CsvReader.FromText(text.TrimStart('\uFEFF'), options);
        var rows = new List<CsvRow>();
        if (!string.IsNullOrWhiteSpace(text))
            reader.ReadHeader();
        var columns = reader.Headers is { Count: > 0 } headers ? Columns(headers, where, required, optional, mistakes) : [];
        var empty = true;
        while (reader.Read())
        {
            empty = false;
            if (reader.FieldCount != reader.Headers.Count)
            {
                mistakes.Add(new Mistake(
                    $"{where}:{reader.LineNumber}",
                    $"{reader.FieldCount} fields where the header has {reader.Headers.Count}",
                    "Quote a field that holds a comma, or add the missing ones"));
                continue;
            }

            var fields = new string[reader.FieldCount];
            for (var i = 0; i < fields.Length; i++)
                fields[i] = reader.GetString(i);
            rows.Add(new CsvRow($"{where}:{reader.LineNumber}", columns, fields, mistakes));
        }

        if (empty)
            mistakes.Add(new Mistake(where, "holds no rows", $"Give a header with {string.Join(", ", required)} and at least one row"));
        return rows;
    }

    private static Dictionary<string, int> Columns(
        IReadOnlyList<string> headers,
        string where,
        IReadOnlyList<string> required,
        IReadOnlyList<string> optional,
        ICollection<Mistake> mistakes)
    {
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < headers.Count; i++)
        {
            var name = headers[i].Trim();
            if (!columns.TryAdd(name, i))
                mistakes.Add(new Mistake(where, $"column '{name}' stands twice", "Keep one"));
        }

        var missing = required.Where(name => !columns.ContainsKey(name)).ToList();
        if (missing.Count > 0 && headers.Count == 1 && headers[0].IndexOfAny([';', '\t']) is >= 0 and var at)
        {
            var separator = headers[0][at] == ';' ? "semicolons" : "tabs";
            mistakes.Add(new Mistake(where, $"is separated by {separator}", "Separate columns by commas"));
            return columns;
        }

        foreach (var name in missing)
            mistakes.Add(new Mistake(where, $"column '{name}' is missing", "Add it to the header and to every row"));
        foreach (var name in columns.Keys.Where(name => !required.Contains(name) && !optional.Contains(name)))
        {
            var near = Names.Nearest(name, missing.Count > 0 ? missing : optional);
            mistakes.Add(new Mistake(
                where,
                $"unknown column '{name}'",
                near is null
                    ? $"Remove it; known: {string.Join(", ", required.Concat(optional))}"
                    : $"Did you mean '{near}'? Columns carry their unit"));
        }

        return columns;
    }
}
