using System.Text;
using Spectre.Console;
using TokenFactory.Catalog;

namespace TokenFactory.Cli.Output;

/// <summary>Prints a report for people: words first, then tables that fit the terminal, then notes and, if asked, sources.</summary>
internal static class TextOutput
{
    private const string Bold = "\u001b[1m";
    private const string BoldTeal = "\u001b[1;36m";
    private const string Plain = "\u001b[0m";

    /// <summary>Wide enough that a table is never broken.</summary>
    private const int Unbroken = 100_000;

    public static void Print(Report report, Terminal terminal, bool withSources)
    {
        foreach (var sentence in report.Answer)
            Say(sentence, terminal, Bold);
        PrintPicture(report.Picture, terminal);
        var references = new References();
        var leftOut = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var section in report.Sections.Where(section => section.For != Audience.Machines))
            PrintSection(section, terminal, withSources ? references : null, leftOut);
        if (report.Notes.Count + leftOut.Count > 0)
            terminal.Out.Write('\n');
        foreach (var note in report.Notes)
            terminal.Out.Write(Wrap("- " + note, terminal.Width, "  "));
        if (leftOut.Count > 0)
        {
            var note = $"- Left out for want of width: {string.Join(", ", leftOut)}. Widen the terminal, or use --json.";
            terminal.Out.Write(Wrap(note, terminal.Width, "  "));
        }

        if (withSources)
            references.Print(terminal);
    }

    private static void Say(string sentence, Terminal terminal, string style)
    {
        var wrapped = Wrap(sentence, terminal.Width).TrimEnd('\n');
        terminal.Out.Write(terminal.Colour ? $"{style}{wrapped}{Plain}\n" : $"{wrapped}\n");
    }

    /// <summary>As it stands: a picture that is broken shows nothing, so a terminal that is too narrow gets none.</summary>
    private static void PrintPicture(IReadOnlyList<string> picture, Terminal terminal)
    {
        if (picture.Count == 0 || terminal.Width < picture.Max(line => line.Length))
            return;
        terminal.Out.Write('\n');
        foreach (var line in picture)
            terminal.Out.Write(line + "\n");
    }

    private static void PrintSection(Section section, Terminal terminal, References? references, SortedSet<string> leftOut)
    {
        if (section.Rows.Count == 0)
            return;
        terminal.Out.Write('\n');
        if (section.Title.Length > 0)
            Say(section.Title, terminal, BoldTeal);
        var texts = section.Rows.Select(row => row.Select(cell => cell.Text + references?.Mark(cell)).ToArray()).ToList();
        var shown = Fitting(section, texts, terminal.Width);
        leftOut.UnionWith(Enumerable.Range(0, section.Columns.Count).Except(shown).Select(i => section.Columns[i].Title));
        var grid = new Table { Border = TableBorder.Simple, ShowRowSeparators = false };
        foreach (var i in shown)
        {
            var column = new TableColumn(new Text(section.Columns[i].Title)) { Padding = new Padding(0, 1) };
            grid.AddColumn(section.Columns[i].Number ? column.RightAligned() : column.LeftAligned());
        }

        for (var r = 0; r < texts.Count; r++)
            grid.AddRow(shown.Select(i => new Text(Repeats(section, texts, r, i) ? "" : texts[r][i])));
        terminal.Out.Write(Laid(grid, terminal.Width));
    }

    /// <summary>A group's name stands once, in its first row.</summary>
    private static bool Repeats(Section section, List<string[]> texts, int row, int column) =>
        column < section.GroupBy && row > 0 && Enumerable.Range(0, column + 1).All(i => texts[row][i] == texts[row - 1][i]);

    /// <summary>Drops the columns of highest rank until the table fits.</summary>
    private static List<int> Fitting(Section section, List<string[]> texts, int? width)
    {
        const int Between = 1;
        var widths = section.Columns
            .Select((column, i) => Math.Max(column.Title.Length, texts.Max(row => row[i].Length)) + Between)
            .ToList();
        var shown = Enumerable.Range(0, section.Columns.Count).ToList();
        while (width is { } room && shown.Sum(i => widths[i]) + Between > room && shown.Exists(i => section.Columns[i].Rank > 0))
        {
            shown.Remove(shown
                .Where(i => section.Columns[i].Rank > 0)
                .OrderByDescending(i => section.Columns[i].Rank)
                .ThenByDescending(i => i)
                .First());
        }

        return shown;
    }

    /// <summary>The table as text. Every line loses its padding: trailing blanks do not survive being copied or compared.</summary>
    private static string Laid(Table table, int? width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(TextWriter.Null),
        });
        console.Profile.Width = Math.Max(width ?? Unbroken, 20);
        console.Profile.Capabilities.Unicode = true;
        var lines = string.Concat(table.GetSegments(console).Select(segment => segment.Text))
            .Split('\n')
            .Select(line => line.TrimEnd())
            .Where(line => line.Length > 0);
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>Breaks a sentence at blanks so that it fits; a word longer than a line stays whole.</summary>
    public static string Wrap(string sentence, int? width, string indent = "")
    {
        if (width is null || sentence.Length <= width)
            return sentence + "\n";
        var (text, line, begun) = (new StringBuilder(), 0, false);
        foreach (var word in sentence.Split(' '))
        {
            if (begun && line + 1 + word.Length > width)
            {
                text.Append('\n').Append(indent);
                line = indent.Length;
            }
            else if (begun)
            {
                text.Append(' ');
                line++;
            }

            text.Append(word);
            line += word.Length;
            begun = true;
        }

        return text.Append('\n').ToString();
    }

    /// <summary>Numbered sources, each told once below the tables.</summary>
    private sealed class References
    {
        private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

        public string Mark(Cell cell)
        {
            var told = (cell.From?.Sources.Select(Tell) ?? []).Concat(cell.Note is null ? [] : [$"note: {cell.Note}"]).ToList();
            if (told.Count == 0)
                return "";
            foreach (var text in told)
                _numbers.TryAdd(text, _numbers.Count + 1);
            return $" [{string.Join(',', told.Select(text => _numbers[text]).Order())}]";
        }

        public void Print(Terminal terminal)
        {
            terminal.Out.Write("\nSources (a figure is as good as the weakest of its sources):\n");
            foreach (var (text, number) in _numbers.OrderBy(pair => pair.Value))
                terminal.Out.Write(Wrap($"[{number}] {text}", terminal.Width, "    "));
        }

        private static string Tell(Source source) => $"{source.Kind.ToString().ToLowerInvariant()}, {source.Date}: {source.Text}";
    }
}
