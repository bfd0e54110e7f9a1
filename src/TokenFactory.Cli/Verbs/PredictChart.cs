using System.Globalization;
using System.Text;

namespace TokenFactory.Cli.Verbs;

/// <summary>A curve as a picture: tokens/s per user against tokens/s per GPU. One SVG file, readable on light and dark pages.</summary>
internal static class PredictChart
{
    private const double Width = 720;
    private const double Height = 440;
    private const double Left = 88;
    private const double Right = 32;
    private const double Top = 56;
    private const double Bottom = 64;
    private const int MostTicks = 6;

    /// <summary>Room that the name of a point takes; nearer ones stay unnamed.</summary>
    private const double LabelWidth = 30;
    private const double LabelHeight = 13;

    internal const string Style =
        """
        <style>
        text { font: 13px system-ui, sans-serif; fill: #1f2328; }
        .title { font-size: 15px; font-weight: 600; }
        .point { font-size: 11px; fill: #57606a; }
        .grid { stroke: #d0d7de; stroke-width: 1; }
        .axis { stroke: #57606a; stroke-width: 1; }
        .curve { fill: none; stroke: #0969da; stroke-width: 2; }
        .dot { fill: #0969da; }
        .page { fill: #ffffff; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; }
        .point { fill: #9198a1; }
        .grid { stroke: #30363d; }
        .axis { stroke: #9198a1; }
        .curve { stroke: #58a6ff; }
        .dot { fill: #58a6ff; }
        .page { fill: #0d1117; }
        }
        </style>

        """;

    /// <summary>The picture.</summary>
    public static string Of(PredictCurve curve)
    {
        var points = curve.Fitting.Select(pair => (pair.Value, X: pair.Answer.PerUser, Y: pair.Answer.PerGpu))
            .Where(point => double.IsFinite(point.X) && double.IsFinite(point.Y))
            .ToList();
        var (across, up) = (Axis.Of(points.Select(point => point.X)), Axis.Of(points.Select(point => point.Y)));
        var (right, top) = (across.End, up.End);
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" role=\"img\">\n");
        var first = curve.Answers[0].Decode;
        var title = Escape($"{first.Model.Key} on {first.Gpu.Key}, by {curve.Series.Name}");
        svg.Append(CultureInfo.InvariantCulture, $"<title>{title}</title>\n").Append(Style);
        svg.Append("<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n");
        Text(svg, "title", Left - 72, 24, "start", title);
        Axes(svg, across, up);
        if (points.Count > 1)
        {
            var line = points.Select(point =>
                string.Create(CultureInfo.InvariantCulture, $"{AtX(point.X, right):0.#},{AtY(point.Y, top):0.#}"));
            svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"curve\" points=\"{string.Join(' ', line)}\"/>\n");
        }

        var (lastLeft, lastHeight) = (double.NegativeInfinity, double.NegativeInfinity);
        foreach (var (value, x, y) in points)
        {
            var (left, height) = (AtX(x, right), AtY(y, top));
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"dot\" cx=\"{left:0.#}\" cy=\"{height:0.#}\" r=\"3.5\"/>\n");
            if (Math.Abs(left - lastLeft) < LabelWidth && Math.Abs(height - lastHeight) < LabelHeight)
                continue;
            (lastLeft, lastHeight) = (left, height);
            Text(svg, "point", left + 7, height - 6, "start", value.ToString("0.###", CultureInfo.InvariantCulture));
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void Axes(StringBuilder svg, Axis across, Axis up)
    {
        for (var i = 0; i <= across.Ticks; i++)
        {
            var x = AtX(across.Step * i, across.End);
            Line(svg, i == 0 ? "axis" : "grid", x, Top, x, Height - Bottom);
            Text(svg, "tick", x, Height - Bottom + 20, "middle", Tick(across.Step * i));
        }

        for (var i = 0; i <= up.Ticks; i++)
        {
            var y = AtY(up.Step * i, up.End);
            Line(svg, i == 0 ? "axis" : "grid", Left, y, Width - Right, y);
            Text(svg, "tick", Left - 10, y + 4, "end", Tick(up.Step * i));
        }

        Text(svg, "label", (Left + Width - Right) / 2, Height - 16, "middle", "tokens/s per user");
        Text(svg, "label", Left - 72, Top - 12, "start", "tokens/s per GPU (input + output)");
    }

    private static double AtX(double value, double right) => Left + (value / right * (Width - Left - Right));

    private static double AtY(double value, double top) => Height - Bottom - (value / top * (Height - Top - Bottom));

    /// <summary>An axis from zero on.</summary>
    private readonly record struct Axis(double Step, int Ticks)
    {
        public double End => Step * Ticks;

        /// <summary>The axis whose step is the least of 1, 2, 2.5, 5 times a power of ten that needs few enough of them.</summary>
        public static Axis Of(IEnumerable<double> values)
        {
            var most = Math.Max(values.DefaultIfEmpty(1).Max(), 1e-9);
            var power = Math.Pow(10, Math.Floor(Math.Log10(most / MostTicks)));
            var step = power * new[] { 1, 2, 2.5, 5, 10 }.First(times => times * power * MostTicks >= most * 0.999999);
            return new Axis(step, Math.Max(1, (int)Math.Ceiling((most / step) - 1e-6)));
        }
    }

    private static string Tick(double value) => value.ToString(value >= 1000 ? "N0" : "0.####", CultureInfo.InvariantCulture);

    internal static void Line(StringBuilder svg, string kind, double x1, double y1, double x2, double y2) => svg.Append(
        CultureInfo.InvariantCulture, $"<line class=\"{kind}\" x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\"/>\n");

    internal static void Text(StringBuilder svg, string kind, double x, double y, string anchor, string text) => svg.Append(
        CultureInfo.InvariantCulture, $"<text class=\"{kind}\" x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\">{text}</text>\n");

    internal static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
