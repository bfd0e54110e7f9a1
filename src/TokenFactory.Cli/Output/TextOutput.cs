using System.Globalization;
using System.Text;
using Spectre.Console;
using TokenFactory.Catalog;

namespace TokenFactory.Cli.Output;

/// <summary>Prints a report for people: words first, then tables that fit the terminal, then notes and, if asked, sources.</summary>
internal static class TextOutput
{
    /// <summary>Wide enough that nothing is broken but by <see cref="Wrap"/>, which does not break words.</summary>
    private const int Unbroken = 100_000;

    public static void Print(Report report, Terminal terminal, bool withSources)
    {
        var console = Console(terminal);
        foreach (var sentence in report.Answer)
            console.Write(new Text(Wrap(sentence, terminal.Width), new Style(decoration: Decoration.Bold)));
        var references = new References();
        var leftOut = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var section in report.Sections)
            PrintSection(section, console, terminal, withSources ? references : null, leftOut);
        if (report.Notes.Count + leftOut.Count > 0)
            console.WriteLine();
        foreach (var note in report.Notes)
            console.Write(new Text(Wrap("- " + note, terminal.Width, "  ")));
        if (leftOut.Count > 0)
        {
            var narrow = $"- Left out for want of width: {string.Join(", ", leftOut)}. Widen the terminal, or use --json.";
            console.Write(new Text(Wrap(narrow, terminal.Width, "  ")));
        }

        if (withSources)
            references.Print(console, terminal.Width);
    }

    private static IAnsiConsole Console(Terminal terminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = terminal.Colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = terminal.Colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(terminal.Out),
        });
        console.Profile.Width = Unbroken;
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    private static void PrintSection(
        Section section, IAnsiConsole console, Terminal terminal, References? references, SortedSet<string> leftOut)
    {
        if (section.Rows.Count == 0)
            return;
        console.WriteLine();
        if (section.Title.Length > 0)
            console.Write(new Text(Wrap(section.Title, terminal.Width), new Style(Color.Teal, decoration: Decoration.Bold)));
        var texts = section.Rows.Select(row => row.Select(cell => cell.Text + references?.Mark(cell)).ToArray()).ToList();
        var shown = Fitting(section, texts, terminal.Width);
        leftOut.UnionWith(Enumerable.Range(0, section.Columns.Count).Except(shown).Select(i => section.Columns[i].Title));
        var grid = new Table { Border = TableBorder.Simple, ShowRowSeparators = false };
        foreach (var i in shown)
        {
            var heading = new Text(section.Columns[i].Title, new Style(decoration: Decoration.Bold));
            var column = new TableColumn(heading) { Padding = new Padding(0, 1) };
            grid.AddColumn(section.Columns[i].Number ? column.RightAligned() : column.LeftAligned());
        }

        for (var r = 0; r < texts.Count; r++)
            grid.AddRow(shown.Select(i => new Text(Repeats(section, texts, r, i) ? "" : texts[r][i])));
        console.Write(Trimmed(grid, terminal.Width));
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

    /// <summary>Spectre pads every line of a table to its width; trailing blanks do not survive being copied or compared.</summary>
    private static Text Trimmed(Table table, int? width)
    {
        using var buffer = new StringWriter(CultureInfo.InvariantCulture);
        var inner = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(buffer),
        });
        inner.Profile.Width = Math.Max(width ?? Unbroken, 20);
        inner.Profile.Capabilities.Unicode = true;
        inner.Write(table);
        var lines = buffer.ToString().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0);
        return new Text(string.Join('\n', lines) + "\n");
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

        public void Print(IAnsiConsole console, int? width)
        {
            console.WriteLine();
            console.WriteLine("Sources (a figure is as good as the weakest of its sources):");
            foreach (var (text, number) in _numbers.OrderBy(pair => pair.Value))
                console.Write(new Text(Wrap($"[{number}] {text}", width, "    ")));
        }

        private static string Tell(Source source) => $"{source.Kind.ToString().ToLowerInvariant()}, {source.Date}: {source.Text}";
    }
}
