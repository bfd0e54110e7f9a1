using TokenFactory.Catalog;

namespace TokenFactory.Cli.Verbs;

/// <summary>Which rows of a table of points ask for watts at the wall of the whole system rather than at the board of the GPU.</summary>
internal static class PointScopes
{
    private const string Scope = "power_scope";

    /// <summary>Names of the rows whose power_scope speaks of the whole system; empty where the table has no such column.</summary>
    public static IReadOnlySet<string> AtWall(string text, string where)
    {
        var wall = new HashSet<string>(StringComparer.Ordinal);
        var header = text.AsSpan(0, Math.Max(0, text.AsSpan().IndexOf('\n'))).TrimStart('\uFEFF').ToString();
        if (!header.Contains(Scope, StringComparison.Ordinal))
            return wall;
        var columns = header.Split(',').Select(name => name.Trim().Trim('"')).Where(name => name.Length > 0).Distinct();
        foreach (var row in CsvTable.Read(text, where, ["row_id"], [.. columns], []))
        {
            if (row[Scope].Contains("whole system", StringComparison.OrdinalIgnoreCase))
                wall.Add(row["row_id"]);
        }

        return wall;
    }
}
