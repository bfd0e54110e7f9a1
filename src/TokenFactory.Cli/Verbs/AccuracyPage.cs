using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// A page of which the program writes parts: each stands between two comments that name it. What people wrote around them stays.
/// </summary>
internal static class AccuracyPage
{
    public const string Errors = "errors";
    public const string Choice = "choice";
    public const string Claims = "claims";
    public const string Twin = "twin";

    private const string Fresh =
        """
        # How good the predictions are

        <!-- begin: errors -->
        <!-- end: errors -->

        ## What articles claim, and what the model says

        <!-- begin: claims -->
        <!-- end: claims -->

        """;

    /// <summary>The page with its parts written anew.</summary>
    /// <param name="page">The page as it is; null for a new one.</param>
    /// <param name="parts">Texts by the name of their part; a part that the page lacks is added at its end.</param>
    public static string With(string? page, IEnumerable<(string Name, string Text)> parts)
    {
        var text = page ?? Fresh;
        foreach (var (name, part) in parts)
        {
            var (begin, end) = Span(text, name);
            if (begin < 0)
            {
                text = $"{text.TrimEnd('\n')}\n\n{Begin(name)}\n{End(name)}\n";
                (begin, end) = Span(text, name);
            }

            text = $"{text[..begin]}\n\n{part.Trim('\n')}\n\n{text[end..]}";
        }

        return text;
    }

    /// <summary>A part of a page as it stands there; null where the page lacks it.</summary>
    public static string? Part(string page, string name) =>
        Span(page, name) is ( >= 0, var end) span ? page[span.Begin..end].Trim('\n') : null;

    /// <summary>Sections as the text of a part.</summary>
    public static string Text(IEnumerable<string> words, IEnumerable<Section> sections) =>
        string.Join(
            "\n\n",
            words.Concat(sections.Select(section => MarkdownOutput.Table(section, "##").TrimEnd('\n'))).Where(text => text.Length > 0));

    private static (int Begin, int End) Span(string page, string name)
    {
        var begin = page.IndexOf(Begin(name), StringComparison.Ordinal);
        var end = page.IndexOf(End(name), StringComparison.Ordinal);
        return begin >= 0 && end > begin ? (begin + Begin(name).Length, end) : (-1, -1);
    }

    private static string Begin(string name) => $"<!-- begin: {name} -->";

    private static string End(string name) => $"<!-- end: {name} -->";
}
