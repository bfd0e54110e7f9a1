using System.Text;

namespace TokenFactory.Cli.Output;

/// <summary>Tables of a report as Markdown, for pages that a program keeps up to date.</summary>
internal static class MarkdownOutput
{
    /// <summary>A section as a heading with a table.</summary>
    /// <param name="section">The section; nothing where it has no rows.</param>
    /// <param name="heading">The heading's marks, "##".</param>
    public static string Table(Section section, string heading)
    {
        if (section.Rows.Count == 0)
            return "";
        var text = new StringBuilder();
        if (section.Title.Length > 0)
            text.Append(heading).Append(' ').Append(section.Title).Append("\n\n");
        Line(text, section.Columns.Select(column => column.Title));
        Line(text, section.Columns.Select(column => column.Number ? "---:" : "---"));
        foreach (var row in section.Rows)
            Line(text, row.Select(cell => cell.Text));
        return text.ToString();
    }

    private static void Line(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
}
