using System.Globalization;
using System.Text;

namespace TokenFactory.Cli.Verbs;

/// <summary>A line of a chart.</summary>
/// <param name="Name">What it is; its unit is the chart's.</param>
/// <param name="Colour">Which colour of the page, from 0.</param>
/// <param name="Values">Its values, as many as every line of the chart has; NaN where it has none.</param>
internal sealed record ChartLine(string Name, int Colour, IReadOnlyList<double> Values)
{
    /// <summary>A value across, to be marked by an upright line of the same colour.</summary>
    public (double At, string What)? Mark { get; init; }
}

/// <summary>What stands across a chart.</summary>
/// <param name="From">Where the first value of every line stands.</param>
/// <param name="To">Where the last stands.</param>
/// <param name="Unit">Unit.</param>
/// <param name="Log">Whether equal distances are equal ratios.</param>
internal readonly record struct ChartAcross(double From, double To, string Unit, bool Log = false)
{
    /// <summary>How far along a value stands, from 0 to 1.</summary>
    public double At(double value) => To <= From ? 0
        : Log ? Math.Log(value / From) / Math.Log(To / From)
        : (value - From) / (To - From);

    /// <summary>The value that stands so far along.</summary>
    public double Value(double at) => Log ? From * Math.Pow(To / From, at) : From + (at * (To - From));
}

/// <summary>Lines over a common scale as a figure of a page: drawing, legend, and what a script needs to tell values.</summary>
internal sealed record SimulateChart
{
    /// <summary>Size of the drawing, in units of its own.</summary>
    private const double Width = 560;
    private const double Height = 210;
    private const double Left = 58;
    private const double Right = 10;
    private const double Top = 12;
    private const double Bottom = 30;
    private const int TicksUp = 4;
    private const int TicksAcross = 6;

    /// <summary>Powers of ten that an axis of equal ratios may span.</summary>
    private const int MostPowers = 12;

    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>What it shows, with the unit.</summary>
    public required string Title { get; init; }

    /// <summary>Unit of the values.</summary>
    public required string Unit { get; init; }

    /// <summary>What stands across.</summary>
    public required ChartAcross Across { get; init; }

    /// <summary>The lines.</summary>
    public required IReadOnlyList<ChartLine> Lines { get; init; }

    /// <summary>The greatest value that the scale must show; null for that of the lines. Higher values are cut.</summary>
    public double? Most { get; init; }

    /// <summary>
    /// Where in its equal part of what stands across a value is drawn: 0.5 in the middle, as means, 1 at the end, as what is counted there.
    /// Null where the first value stands at the beginning and the last at the end.
    /// </summary>
    public double? Shift { get; init; }

    /// <summary>Upright marks, with what they mean.</summary>
    public IReadOnlyList<(double At, string What)> Marks { get; init; } = [];

    /// <summary>The figure.</summary>
    public string Html()
    {
        var values = Lines.SelectMany(line => line.Values).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        var (step, ticks) = Scale(Most ?? values, TicksUp);
        var end = step * ticks;
        var html = new StringBuilder();
        html.Append("<figure>\n<figcaption>").Append(SimulateHtml.Escape(Title));
        if (values > end * 1.001)
            html.Append(Plain, $" <small>(cut at {Tick(end)}; the most is {Tick(values)})</small>");
        html.Append("</figcaption>\n");
        Legend(html);
        html.Append(
            Plain,
            $"<svg class=\"chart\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" data-left=\"{Left}\" data-right=\"{Width - Right}\" ");
        html.Append(
            Plain,
            $"data-width=\"{Width}\" data-from=\"{Across.From:R}\" data-to=\"{Across.To:R}\" data-log=\"{(Across.Log ? 1 : 0)}\" ");
        html.Append(Plain, $"data-shift=\"{Shift}\" ");
        html.Append(Plain, $"data-across=\"{SimulateHtml.Escape(Across.Unit)}\" data-unit=\"{SimulateHtml.Escape(Unit)}\">\n");
        html.Append(Plain, $"<title>{SimulateHtml.Escape(Title)}</title>\n");
        Grid(html, step, ticks);
        foreach (var (at, what) in Marks)
            Upright(html, "mark", at, what);
        foreach (var line in Lines)
            Draw(html, line, end);
        html.Append(Plain, $"<line class=\"guide\" x1=\"0\" x2=\"0\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/>\n");
        return html.Append("</svg>\n</figure>\n").ToString();
    }

    private void Legend(StringBuilder html)
    {
        html.Append("<ul class=\"legend\">");
        foreach (var line in Lines)
        {
            html.Append(Plain, $"<li><svg class=\"key\" viewBox=\"0 0 24 6\"><path class=\"line {Kind(line)}\" d=\"M0 3H24\"/></svg>");
            html.Append(SimulateHtml.Escape(line.Name)).Append("</li>");
        }

        html.Append("</ul>\n");
    }

    private void Grid(StringBuilder html, double step, int ticks)
    {
        for (var i = 0; i <= ticks; i++)
        {
            var y = Y(step * i, step * ticks);
            html.Append(Plain, $"<path class=\"{(i == 0 ? "axis" : "grid")}\" d=\"M{Left} {y:0.#}H{Width - Right}\"/>");
            html.Append(Plain, $"<text x=\"{Left - 6}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{Tick(step * i)}</text>\n");
        }

        foreach (var at in AcrossTicks())
        {
            var x = X(Across.At(at));
            html.Append(Plain, $"<path class=\"axis\" d=\"M{x:0.#} {Height - Bottom}v4\"/>");
            html.Append(Plain, $"<text x=\"{x:0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{Tick(at)}</text>\n");
        }

        html.Append(
            Plain,
            $"<text x=\"{Width - Right}\" y=\"{Height - 2}\" text-anchor=\"end\">{SimulateHtml.Escape(Across.Unit)}</text>\n");
    }

    private IEnumerable<double> AcrossTicks()
    {
        if (Across.Log)
        {
            int[] times = Across.To / Across.From < 300 ? [1, 2, 5] : [1];
            var powers = Enumerable.Range((int)Math.Floor(Math.Log10(Across.From)), MostPowers);
            foreach (var at in powers.SelectMany(power => times.Select(time => time * Math.Pow(10, power))))
            {
                if (at >= Across.From * 0.999 && at <= Across.To * 1.001)
                    yield return at;
            }

            yield break;
        }

        var step = Scale(Across.To - Across.From, TicksAcross).Step;
        for (var i = (int)Math.Ceiling((Across.From / step) - 1e-9); step * i <= Across.To + (step * 1e-9); i++)
            yield return step * i;
    }

    private void Draw(StringBuilder html, ChartLine line, double end)
    {
        html.Append(Plain, $"<path class=\"line {Kind(line)}\" data-name=\"{SimulateHtml.Escape(line.Name)}\" data-v=\"");
        for (var i = 0; i < line.Values.Count; i++)
            html.Append(i == 0 ? "" : " ").Append(double.IsFinite(line.Values[i]) ? Short(line.Values[i]) : "-");
        html.Append("\" transform=\"scale(.1)\" vector-effect=\"non-scaling-stroke\" d=\"");
        Steps(html, line, end);
        var told = line.Values.Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        var range = $"{line.Name}: {Tick(told.Min())} to {Tick(told.Max())} {Unit}";
        html.Append("\"><title>").Append(SimulateHtml.Escape(range)).Append("</title></path>\n");
        if (line.Mark is { } mark)
            Upright(html, $"promise {Kind(line)}", mark.At, mark.What);
    }

    /// <summary>The way of a line in steps of a tenth: whole numbers, of which the next says only how far it is from the last.</summary>
    private void Steps(StringBuilder html, ChartLine line, double end)
    {
        (int X, int Y)? pen = null;
        var begun = false;
        for (var i = 0; i < line.Values.Count; i++)
        {
            var value = line.Values[i];
            (int X, int Y)? next = double.IsFinite(value)
                ? ((int)Math.Round(X(Along(i, line.Values.Count)) * 10), (int)Math.Round(Y(Math.Min(value, end), end) * 10))
                : null;
            if (next is { } to && pen is { } from)
                html.Append(Plain, $"{(begun ? " " : "l")}{to.X - from.X} {to.Y - from.Y}");
            else if (next is { } start)
                html.Append(Plain, $"M{start.X} {start.Y}");
            begun = pen is not null && next is not null;
            pen = next;
        }
    }

    private void Upright(StringBuilder html, string kind, double at, string what)
    {
        var along = Across.At(at);
        if (along is >= 0 and <= 1)
        {
            html.Append(Plain, $"<path class=\"{kind}\" d=\"M{X(along):0.#} {Top}V{Height - Bottom}\">");
            html.Append("<title>").Append(SimulateHtml.Escape(what)).Append("</title></path>\n");
        }
    }

    private double Along(int i, int count) => Shift is { } shift ? (i + shift) / count : (double)i / Math.Max(1, count - 1);

    private static string Kind(ChartLine line) =>
        $"c{line.Colour % SimulatePageStyle.Colours} d{line.Colour / SimulatePageStyle.Colours % 3}";

    private static double X(double at) => Left + (at * (Width - Left - Right));

    private static double Y(double value, double end) => Height - Bottom - (value / end * (Height - Top - Bottom));

    /// <summary>The step, of 1, 2, 2.5 or 5 times a power of ten, and how many of them reach the most.</summary>
    private static (double Step, int Ticks) Scale(double most, int ticks)
    {
        var reach = Math.Max(most, 1e-9);
        var power = Math.Pow(10, Math.Floor(Math.Log10(reach / ticks)));
        var step = power * new[] { 1, 2, 2.5, 5, 10 }.First(times => times * power * ticks >= reach * 0.999999);
        return (step, Math.Max(1, (int)Math.Ceiling((reach / step) - 1e-6)));
    }

    private static string Tick(double value) => Math.Abs(value) switch
    {
        >= 1e9 => (value / 1e9).ToString("0.##", Plain) + "G",
        >= 1e6 => (value / 1e6).ToString("0.##", Plain) + "M",
        >= 1e4 => (value / 1e3).ToString("0.##", Plain) + "k",
        _ => value.ToString("G4", Plain),
    };

    /// <summary>Four significant digits, whole from a thousand on, never with an exponent that a page would have to read.</summary>
    private static string Short(double value) =>
        Math.Abs(value) >= 1000 ? value.ToString("0", Plain) : value.ToString("G4", Plain);
}
