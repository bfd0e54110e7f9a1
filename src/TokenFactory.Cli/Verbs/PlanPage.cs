using System.Text;
using TokenFactory.Cli.Output;
using TokenFactory.Planning;
using TokenFactory.Planning.Explain;
using TokenFactory.Planning.Search;

namespace TokenFactory.Cli.Verbs;

/// <summary>A plan as one page that needs nothing beside itself: words, frontier, costs, sensitivity, tables.</summary>
internal static class PlanPage
{
    /// <summary>The page.</summary>
    /// <param name="answer">The plan.</param>
    /// <param name="report">The same for the terminal: its words, tables and notes are shown too.</param>
    /// <param name="frontiers">What replicas of each service can do.</param>
    /// <param name="why">What-ifs; null where they were not asked.</param>
    /// <param name="year">The schedule; null where no demand by the hour was given.</param>
    public static string Of(
        PlanAnswer answer, Report report, IReadOnlyList<IReadOnlyList<FrontierPoint>> frontiers, Explanation? why, YearPlan? year)
    {
        var body = new StringBuilder(
            $"<h1>{SimulateHtml.Escape(answer.Ask.Name)}</h1>\n"
            + "<p class=\"sub\">A plan: the cheapest fleet that keeps its promises</p>\n");
        body.Append(SimulateHtml.Paragraphs(report.Answer, "answer"));
        for (var i = 0; i < frontiers.Count; i++)
            Frontier(body, answer.Ask.Services[i], frontiers[i]);
        Charts(body, "What it costs", [Costs(answer), Finalists(answer)]);
        if (year is not null)
            Year(body, year);
        if (why is not null)
            Charts(body, "What if: change in " + PlanWhy.Unit(answer), [Sensitivity(answer, why)]);
        body.Append("<h2>Tables</h2>\n");
        foreach (var section in report.Sections.Where(section => section.For != Audience.Machines))
            body.Append(SimulateHtml.Table(section));
        body.Append(SimulateHtml.Paragraphs(report.Notes, "note"));
        return SimulateHtml.Page($"{answer.Ask.Name}: a plan", body.ToString());
    }

    private static void Frontier(StringBuilder body, PlanService service, IReadOnlyList<FrontierPoint> points)
    {
        var gpus = points.Select(point => point.Deployment.Gpu.Key).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        body.Append(
            $"<h2>What one replica of {SimulateHtml.Escape(service.Model.Key)} can do, in closed form</h2>\n<div class=\"charts\">\n");
        body.Append(new PlanScatter(
            "Speed per user against tokens per megawatt",
            "output tokens/s per user",
            "output tokens/s per MW, facility",
            gpus,
            [.. points.Select(point => new ScatterDot(
                point.TokensPerSecondPerUser,
                point.OutputTokensPerSecondPerMegawatt,
                gpus.IndexOf(point.Deployment.Gpu.Key),
                point.BestPerMegawatt,
                What(point)))]).Html());
        body.Append(new PlanScatter(
            "Speed per user against cost",
            "output tokens/s per user",
            "$ per million output tokens, at full load",
            gpus,
            [.. points.Where(point => point.UsdPerMillionOutput > 0).Select(point => new ScatterDot(
                point.TokensPerSecondPerUser,
                point.UsdPerMillionOutput,
                gpus.IndexOf(point.Deployment.Gpu.Key),
                point.BestPerDollar,
                What(point)))]).Html());
        body.Append("</div>\n");
    }

    private static string What(FrontierPoint point)
    {
        var d = point.Deployment;
        return $"{d.Gpus} x {d.Gpu.Key}, {PlanWords.Weights(d)}, KV {Performance.NumberFormatWords.Word(d.Precision.KvCache)}, "
            + $"{d.Parallelism}, {d.TokenBudget} tokens a step: "
            + $"{Spell.Number(point.TokensPerSecondPerUser)} tokens/s per user, {Spell.Number(point.Running)} at once, "
            + $"{Spell.Number(point.OutputTokensPerSecondPerMegawatt)} tokens/s per MW, "
            + $"{Spell.Dollars(point.UsdPerMillionOutput)} per million output tokens, "
            + $"first token after {Spell.Number(point.TtftSeconds * 1e3)} ms";
    }

    /// <summary>GPUs by how they are paid for: over the year, and on a mean day.</summary>
    private static void Year(StringBuilder body, YearPlan year)
    {
        const int day = 24;
        var (s, p) = (year.Schedule, year.Problem);
        var ways = s.Uses.Select((use, u) => (Name: $"{p.Shapes[use.Shape].Gpu} {PlanYear.PaidBy(p, use)}", Use: u))
            .GroupBy(pair => pair.Name, pair => pair.Use).Where(way => s.Replicas.Any(hour => way.Any(u => hour[u] > 0))).ToList();
        var days = s.Replicas.Count / day;
        body.Append("<h2>How the hours are paid for</h2>\n<div class=\"charts\">\n");
        if (days > 1)
            Chart("GPUs in use over time, daily mean", "days", days, hour => hour / day);
        Chart("GPUs in use by the hour of the day, mean", "h", Math.Min(day, s.Replicas.Count), hour => hour % day);
        body.Append("</div>\n");

        void Chart(string title, string unit, int points, Func<int, int> at) => body.Append(new SimulateChart
        {
            Title = title,
            Unit = "GPUs",
            Across = new ChartAcross(0, points, unit),
            Shift = 0.5,
            Lines = [.. ways.Select((way, colour) => new ChartLine(way.Key, colour, Means(way, points, at)))],
        }.Html());

        double[] Means(IEnumerable<int> uses, int points, Func<int, int> at)
        {
            var (sums, counts) = (new double[points], new int[points]);
            for (var hour = 0; hour < s.Replicas.Count; hour++)
            {
                if (at(hour) is var i && i >= points)
                    continue;
                sums[i] += uses.Sum(u => (double)s.Replicas[hour][u] * p.Shapes[s.Uses[u].Shape].Gpus);
                counts[i]++;
            }

            return [.. sums.Select((sum, i) => sum / Math.Max(1, counts[i]))];
        }
    }

    private static void Charts(StringBuilder body, string title, IReadOnlyList<PageBars> charts)
    {
        var html = string.Concat(charts.Select(chart => chart.Html()));
        if (html.Length > 0)
            body.Append($"<h2>{SimulateHtml.Escape(title)}</h2>\n<div class=\"charts\">\n{html}</div>\n");
    }

    /// <summary>Dollars per hour by pool.</summary>
    private static PageBars Costs(PlanAnswer answer) => new(
        "$ per hour, by where it goes",
        answer.Best is not { } best ? [] :
        [
            .. best.Bought.Select(one => (
                $"{one.Paid} x {one.Supply.Gpu.Key} {Catalog.BillingNames.Text(one.Supply.Billing)}, {one.Supply.Provider}",
                one.Paid * one.Supply.PerGpu.Value.Value * one.Supply.WallTimePerWork))
                .Select(bar => (bar.Item1, bar.Item2, Spell.Dollars(bar.Item2))),
        ]);

    private static PageBars Finalists(PlanAnswer answer) => new(
        "$ per million output tokens, by fleet that keeps the promises",
        [
            .. answer.Finalists.Where(fleet => fleet.Kept || fleet.Runs.Count == 0)
                .Select(fleet => (PlanWords.Fleet(fleet), fleet.UsdPerMillionOutput))
                .Select(bar => (bar.Item1, bar.Item2, Spell.Dollars(bar.Item2))),
        ]);

    private static PageBars Sensitivity(PlanAnswer answer, Explanation why) => new(
        "",
        [
            .. why.Answers.Where(one => one.Change is not null).OrderBy(one => one.Change)
                .Select(one => (PlanWhy.Question(answer, one.WhatIf), one.Change!.Value, Spell.Change(one.Change.Value))),
        ]);
}
