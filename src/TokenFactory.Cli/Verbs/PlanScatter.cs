using System.Globalization;
using System.Text;

namespace TokenFactory.Cli.Verbs;

/// <summary>A dot of a scatter chart.</summary>
/// <param name="X">Across, above zero.</param>
/// <param name="Y">Up, above zero.</param>
/// <param name="Group">Index of its group.</param>
/// <param name="Best">Whether nothing beats it: drawn full, and joined with others of its kind.</param>
/// <param name="What">What the pointer is told.</param>
internal readonly record struct ScatterDot(double X, double Y, int Group, bool Best, string What);

/// <summary>Dots on logarithmic axes, a colour per group, with the frontier joined. Every dot tells itself at the pointer.</summary>
internal sealed record PlanScatter(string Title, string Across, string Up, IReadOnlyList<string> Groups, IReadOnlyList<ScatterDot> Dots)
{
    private const int Width = 560;
    private const int Height = 340;
    private const int Left = 66;
    private const int Right = 14;
    private const int Top = 12;
    private const int Bottom = 44;

    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>The figure.</summary>
    public string Html()
    {
        if (Dots.Count == 0)
            return "";
        var (left, right) = Decades(Dots.Select(dot => dot.X));
        var (low, high) = Decades(Dots.Select(dot => dot.Y));
        var html = new StringBuilder();
        html.Append("<figure>\n<figcaption>").Append(SimulateHtml.Escape(Title)).Append("</figcaption>\n");
        html.Append("<ul class=\"legend\">");
        for (var i = 0; i < Groups.Count; i++)
            html.Append(Plain,
                $"<li><svg class=\"key\" viewBox=\"0 0 24 6\"><circle cx=\"12\" cy=\"3\" r=\"3\" "
                + $"style=\"fill:var(--c{Colour(i)})\"/></svg>{SimulateHtml.Escape(Groups[i])}</li>");
        html.Append("</ul>\n");
        html.Append(Plain,
            $"<svg class=\"scatter\" viewBox=\"0 0 {Width} {Height}\" role=\"img\">\n"
            + $"<title>{SimulateHtml.Escape(Title)}</title>\n");
        foreach (var x in Ticks(left, right))
        {
            html.Append(Plain, $"<path class=\"grid\" d=\"M{X(x):0.#} {Top}V{Height - Bottom}\"/>");
            html.Append(Plain, $"<text x=\"{X(x):0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{Tick(x)}</text>\n");
        }

        foreach (var y in Ticks(low, high))
        {
            html.Append(Plain, $"<path class=\"grid\" d=\"M{Left} {Y(y):0.#}H{Width - Right}\"/>");
            html.Append(Plain, $"<text x=\"{Left - 6}\" y=\"{Y(y) + 4:0.#}\" text-anchor=\"end\">{Tick(y)}</text>\n");
        }

        html.Append(Plain,
            $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">"
            + $"{SimulateHtml.Escape(Across)}</text>\n");
        html.Append(Plain,
            $"<text transform=\"translate(13 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">"
            + $"{SimulateHtml.Escape(Up)}</text>\n");
        var best = Dots.Where(dot => dot.Best).OrderBy(dot => dot.X).ToList();
        if (best.Count > 1)
            html.Append("<path class=\"line axis\" d=\"M")
                .Append(string.Join('L', best.Select(dot => string.Create(Plain, $"{X(dot.X):0.#} {Y(dot.Y):0.#}"))))
                .Append("\"/>\n");
        foreach (var dot in Dots.OrderBy(dot => dot.Best))
        {
            html.Append(Plain,
                $"<circle cx=\"{X(dot.X):0.#}\" cy=\"{Y(dot.Y):0.#}\" r=\"{(dot.Best ? 5 : 2.5)}\" "
                + $"style=\"fill:var(--c{Colour(dot.Group)});opacity:{(dot.Best ? 1 : 0.45)}\">");
            html.Append("<title>").Append(SimulateHtml.Escape(dot.What)).Append("</title></circle>\n");
        }

        return html.Append("</svg>\n</figure>\n").ToString();

        double X(double value) => Left + (Math.Log(value / left) / Math.Log(right / left) * (Width - Left - Right));

        double Y(double value) => Height - Bottom - (Math.Log(value / low) / Math.Log(high / low) * (Height - Top - Bottom));
    }

    private static int Colour(int group) => group % SimulatePageStyle.Colours;

    /// <summary>Bounds a little beyond the values, never equal.</summary>
    private static (double Low, double High) Decades(IEnumerable<double> values)
    {
        const double margin = 1.15;
        var all = values.ToList();
        return (all.Min() / margin, all.Max() * margin);
    }

    private static IEnumerable<double> Ticks(double low, double high)
    {
        double[] steps = Math.Log10(high / low) > 2.5 ? [1] : Math.Log10(high / low) > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
        for (var decade = Math.Pow(10, Math.Floor(Math.Log10(low))); decade <= high; decade *= 10)
        {
            foreach (var step in steps.Where(step => step * decade >= low && step * decade <= high))
                yield return step * decade;
        }
    }

    private static string Tick(double value) => value switch
    {
        >= 1e6 => string.Create(Plain, $"{value / 1e6:0.##}M"),
        >= 1e3 => string.Create(Plain, $"{value / 1e3:0.##}k"),
        _ => string.Create(Plain, $"{value:0.###}"),
    };
}
