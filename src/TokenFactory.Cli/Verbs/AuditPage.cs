using System.Globalization;
using System.Text;
using TokenFactory.Cli.Output;
using TokenFactory.Planning.Audit;

namespace TokenFactory.Cli.Verbs;

/// <summary>An audit as one page that needs nothing beside itself: words, a bar per lever, tables.</summary>
internal static class AuditPage
{
    private const int Row = 26;
    private const int Names = 230;
    private const int Bars = 480;
    private const int Width = 900;

    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>The page.</summary>
    public static string Of(string name, AuditResult audit, Report report)
    {
        var body = new StringBuilder($"<h1>{SimulateHtml.Escape(name)}</h1>\n<p class=\"sub\">Audited in the twin</p>\n");
        body.Append(SimulateHtml.Paragraphs(report.Answer, "answer"));
        body.Append(Steps(audit));
        body.Append(Alone(audit));
        foreach (var section in report.Sections.Where(section => section.For != Audience.Machines))
            body.Append(SimulateHtml.Table(section));
        body.Append(SimulateHtml.Paragraphs(report.Notes, "note"));
        return SimulateHtml.Page($"{name}: audited", body.ToString());
    }

    /// <summary>Dollars per million, from today down to all levers together.</summary>
    private static string Steps(AuditResult audit)
    {
        if (audit.Best is null || audit.Today[0].UsdPerMillion <= 0)
            return "";
        (string, double)[] ends = [("today", AuditResult.Mean(audit.Today)), ("all together", AuditResult.Mean(audit.BestFigures))];
        return Chart("Dollars per million output tokens", ends, Spell.Dollars);
    }

    private static string Alone(AuditResult audit)
    {
        var saving = audit.Levers.Where(one => one.Verdict == LeverVerdict.Saves).Select(one => (one.Lever.Name, audit.UsdSaved(one)));
        var watts = audit.Levers.Where(one => one.Gain > 0).OrderByDescending(one => one.Gain).Select(one => (one.Lever.Name, one.Gain));
        return Chart("Dollars per million that each lever saves alone", [.. saving], Spell.Dollars)
            + Chart("Tokens per watt that each lever gains alone", [.. watts], Spell.Change);
    }

    private static string Chart(string title, IReadOnlyList<(string Name, double Value)> bars, Func<double, string> spell)
    {
        if (bars.Count == 0)
            return "";
        var most = bars.Max(bar => bar.Value);
        var height = (bars.Count * Row) + 8;
        var svg = new StringBuilder($"<figure><figcaption>{SimulateHtml.Escape(title)}</figcaption>\n");
        svg.Append($"<svg class=\"bars\" role=\"img\" viewBox=\"0 0 {Width} {height}\" style=\"width:100%;height:auto\">\n");
        for (var i = 0; i < bars.Count; i++)
        {
            var (y, length) = ((i * Row) + 4, most > 0 ? Math.Max(1, bars[i].Value / most * Bars) : 1);
            var (name, value) = (SimulateHtml.Escape(bars[i].Name), SimulateHtml.Escape(spell(bars[i].Value)));
            svg.Append($"<text x=\"{Names - 8}\" y=\"{y + 15}\" text-anchor=\"end\" font-size=\"13\" fill=\"var(--text)\">{name}</text>");
            svg.Append(Plain, $"<rect x=\"{Names}\" y=\"{y}\" width=\"{length:0.#}\" height=\"{Row - 6}\" rx=\"3\" fill=\"var(--c0)\">");
            svg.Append($"<title>{name}: {value}</title></rect>");
            svg.Append(Plain, $"<text x=\"{Names + length + 8:0.#}\" y=\"{y + 15}\" font-size=\"13\" fill=\"var(--soft)\">")
                .Append($"{value}</text>\n");
        }

        return svg.Append("</svg></figure>\n").ToString();
    }
}
