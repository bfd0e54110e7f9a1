using System.Text;
using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>A run as one page that needs nothing beside itself: figures, words, charts, tables. It is XML too, for tools.</summary>
internal static class SimulatePage
{
    private const int MostHappenings = 200;

    /// <summary>The page of a run.</summary>
    public static string Of(RunReport run)
    {
        var body = new StringBuilder();
        body.Append($"<h1>{SimulateHtml.Escape(run.Name)}</h1>\n");
        body.Append($"<p class=\"sub\">Simulated, seed {run.Seed}{Routing(run)}</p>\n");
        if (run.Partial)
            body.Append("<p class=\"partial\">Partial: the run was stopped before its end.</p>\n");
        Tiles(body, run);
        body.Append(SimulateHtml.Paragraphs(SimulateWords.Answer(run), "answer"));
        Charts(body, "How long requests took", [.. SimulateCharts.Times(run)]);
        var marks = run.Happenings.Count > SimulateCharts.MostMarks
            ? $"; the first {SimulateCharts.MostMarks} of {run.Happenings.Count:N0} happenings are marked"
            : run.Happenings.Count > 0 ? "; upright dots mark what happened"
            : "";
        Charts(body, run.Pools.Count > 1 ? $"Over time, all pools{marks}" : $"Over time{marks}", [.. SimulateCharts.Fleet(run)]);
        if (run.Pools.Count > 1)
        {
            for (var i = 0; i < run.Pools.Count; i++)
                Charts(body, $"Pool {run.Pools[i].Name}", [.. SimulateCharts.OfPool(run, i)]);
        }

        Tables(body, run);
        body.Append(SimulateHtml.Paragraphs(SimulateWords.Notes(run), "note"));
        return SimulateHtml.Page($"{run.Name}: simulated", body.ToString());
    }

    /// <summary>The page of a comparison.</summary>
    public static string Of(string title, Report comparison)
    {
        var body = new StringBuilder($"<h1>{SimulateHtml.Escape(title)}</h1>\n");
        body.Append(SimulateHtml.Paragraphs(comparison.Answer, "answer"));
        foreach (var section in comparison.Sections.Where(section => section.For != Audience.Machines))
            body.Append(SimulateHtml.Table(section));
        body.Append(SimulateHtml.Paragraphs(comparison.Notes, "note"));
        return SimulateHtml.Page(title, body.ToString());
    }

    private static string Routing(RunReport run) => run.Routing.Length > 0 ? $", routing {SimulateHtml.Escape(run.Routing)}" : "";

    private static void Charts(StringBuilder body, string title, IReadOnlyList<SimulateChart> charts)
    {
        if (charts.Count == 0)
            return;
        body.Append($"<h2>{SimulateHtml.Escape(title)}</h2>\n<div class=\"charts\">\n");
        foreach (var chart in charts)
            body.Append(chart.Html());
        body.Append("</div>\n");
    }

    private static void Tables(StringBuilder body, RunReport run)
    {
        body.Append("<h2>Tables</h2>\n");
        var sections = SimulateReport.People(run, false).SkipLast(1).Append(SimulateRequestTables.Happenings(run, MostHappenings));
        foreach (var section in sections)
            body.Append(SimulateHtml.Table(section));
    }

    private static void Tiles(StringBuilder body, RunReport run)
    {
        var (requests, machines) = (run.Requests, run.Machines);
        body.Append("<dl class=\"tiles\">\n");
        var over = $"of {SimulateRates.Over(requests.Requests):N0} requests that are over";
        Tile(body, "promises kept", SimulateSpell.Kept(requests.KeptShare), over);
        Tile(body, "goodput, requests/s", Spell.Number(run.Goodput), "answered within every promise");
        var hits = $"prefix hits {Spell.Percent(requests.HitShare)} of prompt tokens";
        Tile(body, "output tokens/s", Spell.Number(run.OutputTokensPerSecond), hits);
        Tile(body, "first token, p99", requests.Ttft);
        Tile(body, "per token after it, p99", requests.Tpot);
        if (requests.OutputTokens > 0 && machines.PaidUsd > 0)
        {
            Tile(
                body,
                "per million output tokens",
                $"{Spell.Dollars(run.UsdPerMillionOutput)}",
                $"allocation; {Spell.Dollars(run.UsageUsdPerMillionOutput)} by usage");
        }

        if (requests.OutputTokens > 0 && machines.BoardJoules > 0)
        {
            Tile(
                body,
                "energy per output token",
                $"{Spell.Number(run.BoardJoulesPerOutput)} J",
                $"board; {Spell.Number(run.FacilityJoulesPerOutput)} J facility");
        }

        var paid = $"of {Spell.Number(machines.PaidGpuHours)} GPU-hours paid, {Spell.Dollars(machines.PaidUsd)}";
        Tile(body, "busy", Spell.Percent(machines.Utilisation), paid);
        body.Append("</dl>\n");
    }

    private static void Tile(StringBuilder body, string what, Spread times)
    {
        if (times.Count > 0)
            Tile(body, what, $"{SimulateSpell.Ms(times.P99)} ms", $"p50 {SimulateSpell.Ms(times.P50)} ms");
    }

    private static void Tile(StringBuilder body, string what, string value, string more) =>
        body.Append($"<div><dt>{what}</dt><dd>{SimulateHtml.Escape(value)}</dd>")
            .Append($"<dd class=\"more\">{SimulateHtml.Escape(more)}</dd></div>\n");
}
