using System.Globalization;
using System.Text;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// Bars of numbers, each with its words: of one colour where none is below zero, else in one colour on either side.
/// </summary>
internal sealed record PageBars(string Title, IReadOnlyList<(string What, double Value, string Text)> Bars)
{
    private const int Row = 24;
    private const int Words = 430;
    private const int Wide = 260;
    private const int Numbers = 80;

    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>The figure.</summary>
    public string Html()
    {
        if (Bars.Count == 0)
            return "";
        var (least, most) = (Math.Min(0, Bars.Min(bar => bar.Value)), Math.Max(0, Bars.Max(bar => bar.Value)));
        var span = Math.Max(most - least, 1e-12);
        var height = (Bars.Count * Row) + 8;
        var html = new StringBuilder();
        html.Append("<figure>\n<figcaption>").Append(SimulateHtml.Escape(Title)).Append("</figcaption>\n");
        html.Append(Plain,
            $"<svg class=\"scatter\" viewBox=\"0 0 {Words + Wide + Numbers} {height}\" role=\"img\">\n"
            + $"<title>{SimulateHtml.Escape(Title)}</title>\n");
        for (var i = 0; i < Bars.Count; i++)
        {
            var (what, value, text) = Bars[i];
            var (from, to) = (At(Math.Min(0, value)), At(Math.Max(0, value)));
            html.Append(Plain,
                $"<text x=\"{Words - 8}\" y=\"{(i * Row) + 17}\" text-anchor=\"end\">"
                + $"{SimulateHtml.Escape(Short(what))}<title>{SimulateHtml.Escape(what)}</title></text>");
            html.Append(Plain,
                $"<rect x=\"{from:0.#}\" y=\"{(i * Row) + 5}\" width=\"{Math.Max(1, to - from):0.#}\" "
                + $"height=\"{Row - 9}\" style=\"fill:var(--c{(least == 0 || value == 0 ? 0 : value < 0 ? 2 : 1)})\"/>");
            html.Append(Plain, $"<text x=\"{Words + Wide + 8}\" y=\"{(i * Row) + 17}\">{SimulateHtml.Escape(text)}</text>\n");
        }

        html.Append(Plain, $"<path class=\"axis\" d=\"M{At(0):0.#} 2V{height - 2}\"/>\n");
        return html.Append("</svg>\n</figure>\n").ToString();

        double At(double value) => Words + ((value - least) / span * Wide);
    }

    private static string Short(string text) => text.Length <= 78 ? text : text[..76] + "\u2026";
}
