using System.Globalization;
using System.Text;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// A trace as a picture: arrivals over time, lengths of prompts and of answers. One SVG file, readable on light and dark pages.
/// </summary>
internal static class WorkloadChart
{
    private const double Width = 720;
    private const double PanelHeight = 150;
    private const double Left = 72;
    private const double Right = 24;
    private const int Parts = 120;

    /// <summary>A bar of a panel.</summary>
    /// <param name="Value">Its height.</param>
    /// <param name="Label">What stands under it; empty for nothing.</param>
    private readonly record struct Bar(double Value, string Label);

    /// <summary>The picture.</summary>
    public static string Of(string path, TraceProfile profile)
    {
        var svg = new StringBuilder();
        var height = (3 * PanelHeight) + 190;
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" role=\"img\">\n");
        var title = PredictChart.Escape($"{Path.GetFileName(path)}: {profile.Requests:N0} requests");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{title}</title>\n").Append(PredictChart.Style);
        svg.Append("<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n");
        PredictChart.Text(svg, "title", 16, 24, "start", title);
        Panel(svg, 60, "requests/s over time, seconds from the first", Rates(profile));
        Panel(svg, 60 + PanelHeight + 50, "prompts by length in tokens", Lengths(WorkloadBars.Powers(profile.Input)));
        Panel(svg, 60 + (2 * (PanelHeight + 50)), "answers by length in tokens", Lengths(WorkloadBars.Powers(profile.Output)));
        return svg.Append("</svg>\n").ToString();
    }

    private static List<Bar> Rates(TraceProfile profile)
    {
        const int labels = 6;
        var rates = profile.Rate.Rates(Parts, profile.DurationSeconds);
        var width = Math.Ceiling((double)profile.Rate.Bins.Count / Parts) * profile.Rate.BinSeconds;
        var every = Math.Max(1, rates.Count / labels);
        return [.. rates.Select((rate, i) => new Bar(rate, i % every == 0 ? Whole(i * width) : ""))];
    }

    private static List<Bar> Lengths(IReadOnlyList<(double From, double To, long Count)> bins) =>
        [.. bins.Select(bin => new Bar(bin.Count, Whole(bin.From)))];

    private static void Panel(StringBuilder svg, double top, string name, List<Bar> bars)
    {
        var (most, wide) = (bars.Max(bar => bar.Value), (Width - Left - Right) / bars.Count);
        var bottom = top + PanelHeight;
        PredictChart.Text(svg, "label", 16, top - 10, "start", name);
        PredictChart.Line(svg, "axis", Left, bottom, Width - Right, bottom);
        PredictChart.Line(svg, "grid", Left, top, Width - Right, top);
        PredictChart.Text(svg, "tick", Left - 8, top + 4, "end", most.ToString("#,0.###", CultureInfo.InvariantCulture));
        PredictChart.Text(svg, "tick", Left - 8, bottom + 4, "end", "0");
        for (var i = 0; i < bars.Count; i++)
        {
            var (x, tall) = (Left + (i * wide), most > 0 ? bars[i].Value / most * PanelHeight : 0);
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"dot\" x=\"{x:0.#}\" y=\"{bottom - tall:0.#}\" ");
            svg.Append(CultureInfo.InvariantCulture, $"width=\"{Math.Max(0.5, wide - 1):0.#}\" height=\"{tall:0.#}\"/>\n");
            if (bars[i].Label.Length > 0)
                PredictChart.Text(svg, "point", x, bottom + 14, "start", bars[i].Label);
        }
    }

    private static string Whole(double value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
