using System.Text;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>Parts of a page.</summary>
internal static class SimulateHtml
{
    /// <summary>A text in which nothing is mark-up, in elements and in attributes; characters that no page may hold are left out.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            _ = letter switch
            {
                '&' => escaped.Append("&amp;"),
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '"' => escaped.Append("&quot;"),
                '\'' => escaped.Append("&#39;"),
                < ' ' when letter is not ('\t' or '\n' or '\r') => escaped,
                '\uFFFE' or '\uFFFF' => escaped,
                _ => escaped.Append(letter),
            };
        }

        return escaped.ToString();
    }

    /// <summary>Texts, a paragraph each.</summary>
    public static string Paragraphs(IEnumerable<string> texts, string kind) =>
        string.Concat(texts.Select(text => $"<p class=\"{kind}\">{Escape(text)}</p>\n"));

    /// <summary>A table as people see it; nothing where it has no rows.</summary>
    public static string Table(Section section)
    {
        if (section.Rows.Count == 0)
            return "";
        var html = new StringBuilder("<div class=\"wide\"><table>\n");
        html.Append("<caption>").Append(Escape(section.Title)).Append("</caption>\n<thead><tr>");
        foreach (var column in section.Columns)
            html.Append("<th scope=\"col\"").Append(Side(column)).Append('>').Append(Escape(column.Title)).Append("</th>");
        html.Append("</tr></thead>\n<tbody>\n");
        foreach (var row in section.Rows)
        {
            html.Append("<tr>");
            for (var i = 0; i < row.Count; i++)
                html.Append("<td").Append(Side(section.Columns[i])).Append('>').Append(Escape(row[i].Text)).Append("</td>");
            html.Append("</tr>\n");
        }

        return html.Append("</tbody></table></div>\n").ToString();
    }

    /// <summary>A whole page.</summary>
    public static string Page(string title, string body) =>
        $"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title>{Escape(title)}</title>
        <style>
        {SimulatePageStyle.Css}
        </style>
        </head>
        <body>
        <main>
        {body}</main>
        <div id="tip" hidden="hidden"></div>
        <script>
        {SimulatePageStyle.Script}
        </script>
        </body>
        </html>

        """;

    private static string Side(Column column) => column.Number ? " class=\"n\"" : "";
}
