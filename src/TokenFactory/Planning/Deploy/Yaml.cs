using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes documents as YAML 1.2 that readers of 1.1 understand alike: what either would misread is quoted.</summary>
public static partial class Yaml
{
    /// <summary>Words that some reader takes for a truth value or nothing.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "y", "n", "yes", "no", "on", "off", "true", "false", "null",
    };

    /// <summary>One document.</summary>
    /// <param name="root">Its root.</param>
    /// <param name="header">Comment lines at its head; null for none.</param>
    public static string Write(Doc root, string? header = null) => Write([root], header);

    /// <summary>Several documents in one text.</summary>
    /// <param name="roots">Their roots.</param>
    /// <param name="header">Comment lines at the head; null for none.</param>
    public static string Write(IReadOnlyList<Doc> roots, string? header = null)
    {
        var text = new StringBuilder();
        Remark(text, header, 0);
        for (var i = 0; i < roots.Count; i++)
        {
            if (i > 0)
                text.Append("---\n");
            Root(text, roots[i]);
        }

        return text.ToString();
    }

    private static void Root(StringBuilder text, Doc root)
    {
        if (root is DocMap { Count: > 0 } map)
            Map(text, map, 0, "");
        else if (root is DocList { Count: > 0 } list)
            List(text, list, 0);
        else
            Leaf(text, root, 0);
    }

    /// <summary>A mapping, a line or more per key.</summary>
    /// <param name="text">What is written to.</param>
    /// <param name="map">A mapping with keys.</param>
    /// <param name="indent">Spaces before each key.</param>
    /// <param name="first">Stands before the first key instead of spaces; empty for spaces.</param>
    private static void Map(StringBuilder text, DocMap map, int indent, string first)
    {
        foreach (var (key, value, remark) in map)
        {
            if (first.Length == 0)
                Remark(text, remark, indent);
            text.Append(first.Length > 0 ? first : new string(' ', indent)).Append(Inline(key)).Append(':');
            first = "";
            After(text, value, indent);
        }
    }

    /// <summary>What follows a key: on the same line, or below it.</summary>
    private static void After(StringBuilder text, Doc value, int indent)
    {
        if (value is DocMap { Count: > 0 } map)
        {
            text.Append('\n');
            Map(text, map, indent + 2, "");
        }
        else if (value is DocList { Count: > 0 } list)
        {
            text.Append('\n');
            List(text, list, indent + 2);
        }
        else
        {
            text.Append(' ');
            Leaf(text, value, indent + 2);
        }
    }

    private static void List(StringBuilder text, DocList list, int indent)
    {
        foreach (var item in list)
        {
            var dash = new string(' ', indent) + "- ";
            if (item is DocMap { Count: > 0 } map)
            {
                Remark(text, map.First().Remark, indent);
                Map(text, map, indent + 2, dash);
            }
            else if (item is DocList { Count: > 0 } inner)
            {
                text.Append(dash.TrimEnd()).Append('\n');
                List(text, inner, indent + 2);
            }
            else
            {
                text.Append(dash);
                Leaf(text, item, indent + 2);
            }
        }
    }

    private static void Leaf(StringBuilder text, Doc value, int indent)
    {
        switch (value)
        {
            case DocText { Text: var lines } when IsBlock(lines):
                text.Append(lines.EndsWith('\n') ? "|\n" : "|-\n");
                foreach (var line in lines.TrimEnd('\n').Split('\n'))
                    text.Append(line.Length == 0 ? "" : new string(' ', Math.Max(2, indent))).Append(line).Append('\n');
                break;
            case DocText { Text: var one }:
                text.Append(Inline(one)).Append('\n');
                break;
            case DocWord { Word: var word }:
                text.Append(word).Append('\n');
                break;
            default:
                text.Append(value is DocList ? "[]" : "{}").Append('\n');
                break;
        }
    }

    /// <summary>A text on one line.</summary>
    private static string Inline(string text) =>
        Safe().IsMatch(text) && !Reserved.Contains(text) ? text : Quoted(text);

    /// <summary>Whether a text is written as lines below its key: several lines that nothing in a block would change.</summary>
    private static bool IsBlock(string text) =>
        text.TrimEnd('\n').Contains('\n')
        && !text.EndsWith("\n\n", StringComparison.Ordinal)
        && text[0] is not (' ' or '\n' or '\t')
        && text.All(c => c == '\n' || !NeedsEscape(c))
        && text.Split('\n').All(line => line.Length == 0 || line.Trim().Length > 0);

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '"' or '\\')
                quoted.Append('\\').Append(c);
            else if (c == '\n')
                quoted.Append("\\n");
            else if (c == '\t')
                quoted.Append("\\t");
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                quoted.Append(c).Append(text[++i]);
            else if (char.IsSurrogate(c))
                quoted.Append('\uFFFD');
            else if (NeedsEscape(c))
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Whether a character cannot stand in YAML as it is: controls, separators of lines, marks, halves of pairs.</summary>
    private static bool NeedsEscape(char c) =>
        char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\uFEFF' or '\u0085' or '\uFFFE' or '\uFFFF';

    private static void Remark(StringBuilder text, string? remark, int indent)
    {
        foreach (var line in remark?.Split('\n') ?? [])
        {
            var clean = new string([.. line.Select(c => NeedsEscape(c) ? ' ' : c)]).TrimEnd();
            text.Append(' ', indent).Append(clean.Length == 0 ? "#" : "# ").Append(clean).Append('\n');
        }
    }

    [GeneratedRegex(@"^(?:--?)?[A-Za-z_/][A-Za-z0-9_./@%+,-]*(?:[ :][A-Za-z0-9_./@%+,-]+)*\z", RegexOptions.CultureInvariant, 5000)]
    private static partial Regex Safe();
}
