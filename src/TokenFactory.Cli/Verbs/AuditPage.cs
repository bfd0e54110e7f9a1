using System.Text;
using TokenFactory.Cli.Output;
using TokenFactory.Planning.Audit;

namespace TokenFactory.Cli.Verbs;

/// <summary>An audit as one page that needs nothing beside itself: words, a bar per lever, tables.</summary>
internal static class AuditPage
{
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

    private static string Chart(string title, IReadOnlyList<(string Name, double Value)> bars, Func<double, string> spell) =>
        new PageBars(title, [.. bars.Select(bar => (bar.Name, bar.Value, spell(bar.Value)))]).Html();
}
