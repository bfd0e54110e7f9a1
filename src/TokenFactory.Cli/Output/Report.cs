using TokenFactory.Catalog;

namespace TokenFactory.Cli.Output;

/// <summary>A column of a table.</summary>
/// <param name="Key">Its name in JSON; numbers carry their unit in it.</param>
/// <param name="Title">Its heading for people.</param>
/// <param name="Rank">0 stays at any width; the highest goes first when the terminal is narrow.</param>
/// <param name="Number">Whether it is set flush right.</param>
internal sealed record Column(string Key, string Title, int Rank = 0, bool Number = true);

/// <summary>A cell: what machines get, what people get, and where it comes from.</summary>
/// <param name="Value">A number, a text, a truth value or null.</param>
/// <param name="Text">As people read it.</param>
/// <param name="From">Its sources; null for what the user can see is arithmetic or a name.</param>
/// <param name="Note">What a reader should know about it.</param>
internal sealed record Cell(object? Value, string Text, Provenance? From = null, string? Note = null)
{
    public static Cell Of(string text) => new(text, text);

    public static Cell None { get; } = new(null, "-");

    public static Cell Of<T>(Sourced<T> number, Func<T, (double Value, string Text)> spell)
    {
        var (value, text) = spell(number.Value);
        return new Cell(value, text, number.From, number.Note);
    }
}

/// <summary>Who is shown a table.</summary>
internal enum Audience
{
    /// <summary>People and machines.</summary>
    Everyone,

    /// <summary>People only: machines get the same figures elsewhere, in a form that is easier to read for them.</summary>
    People,

    /// <summary>Machines only: too much for people.</summary>
    Machines,
}

/// <summary>A table of a report.</summary>
/// <param name="Key">Its name in JSON.</param>
/// <param name="Title">Its heading for people; empty for none.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Rows">Its rows, each with a cell per column.</param>
/// <param name="GroupBy">The first so many columns name a group: printed once, above its rows.</param>
internal sealed record Section(
    string Key, string Title, IReadOnlyList<Column> Columns, IReadOnlyList<IReadOnlyList<Cell>> Rows, int GroupBy = 0)
{
    /// <summary>Who is shown it.</summary>
    public Audience For { get; init; }
}

/// <summary>What a verb answers: in words first, then tables, then what to know about them.</summary>
/// <param name="Verb">Which verb.</param>
/// <param name="Answer">Sentences that a manager understands.</param>
/// <param name="Sections">The tables.</param>
/// <param name="Notes">Assumptions and warnings, a line each.</param>
internal sealed record Report(string Verb, IReadOnlyList<string> Answer, IReadOnlyList<Section> Sections, IReadOnlyList<string> Notes)
{
    /// <summary>A picture in letters, line by line, below the answer; for people only.</summary>
    public IReadOnlyList<string> Picture { get; init; } = [];
}
