using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Planning;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a planned fleet costs and draws: dollars, GPUs, watts, and carbon and revenue where they are known.</summary>
internal static class PlanCosts
{
    /// <summary>The table of costs of a fleet.</summary>
    public static Section Of(PlanAnswer answer, Finalist best) => new(
        "costs",
        "What it costs and draws",
        [new Column("figure", "figure", Number: false), new Column("value", "value"), new Column("how", "how", 1, Number: false)],
        [.. Dollars(best), .. Revenue(best), .. Draw(best), .. Carbon(answer, best)]);

    private static IEnumerable<IReadOnlyList<Cell>> Dollars(Finalist best)
    {
        var from = From(best);
        yield return Row("usd_per_hour", "$ per hour", best.PaidUsdPerHour, Spell.Dollars, "all GPUs, all hours", from);
        var month = best.PaidUsdPerHour * PlanLimits.HoursPerMonth;
        yield return Row("usd_per_month", "$ per month", month, Spell.Dollars, "730 hours", from);
        yield return Row(
            "usd_per_million_output_tokens",
            "$ per million output tokens",
            best.UsdPerMillionOutput,
            Spell.Dollars,
            "allocation: paid time over the traffic's tokens",
            from);
        yield return Row(
            "usd_per_million_tokens",
            "$ per million tokens, input + output",
            best.UsdPerMillionTokens,
            Spell.Dollars,
            "the same over all tokens",
            from);
    }

    private static IEnumerable<IReadOnlyList<Cell>> Revenue(Finalist best)
    {
        if (best.Served.RevenueUsdPerHour is not (> 0 and var revenue))
            yield break;
        yield return Row(
            "revenue_usd_per_hour",
            "revenue, $ per hour",
            revenue,
            Spell.Dollars,
            "what is served at the classes' prices");
        var margin = 1 - (best.PaidUsdPerHour / revenue);
        yield return Row("margin", "gross margin", margin, Spell.Percent, "revenue less GPU-hours, over revenue");
    }

    private static IEnumerable<IReadOnlyList<Cell>> Draw(Finalist best)
    {
        yield return Row(
            "gpus",
            "GPUs",
            best.Gpus,
            value => value.ToString("N0"),
            best.PaidGpus > best.Gpus ? $"of {best.PaidGpus:N0} that are paid for, as machines are rented whole" : "");
        yield return Row("output_tokens_per_second", "output tokens/s served", best.Served.OutputTokensPerSecond, Spell.Number, "");
        yield return Row(
            "facility_kw",
            "kW at the facility's meter",
            best.MeanWatts / 1e3,
            Spell.Number,
            best.Runs.Count > 0 ? "mean in the twin" : "at full load");
        var (perJoule, perMegawatt) = (best.OutputTokensPerJoule, best.OutputTokensPerJoule * 1e6);
        yield return Row("output_tokens_per_second_per_watt", "output tokens/s per W, facility", perJoule, Spell.Number, "");
        yield return Row("tokens_per_second_per_mw", "output tokens/s per MW", perMegawatt, Spell.Number, "");
    }

    private static IEnumerable<IReadOnlyList<Cell>> Carbon(PlanAnswer answer, Finalist best)
    {
        if (answer.Ask.Limits.CarbonGramsPerKwh is not { } grams)
            yield break;
        var kilograms = best.MeanWatts / 1e3 * PlanLimits.HoursPerMonth * grams / 1e3;
        yield return Row("carbon_kg_per_month", "kg CO2 per month", kilograms, Spell.Number, "electricity alone");
    }

    /// <summary>Where the prices of all GPUs of a fleet come from.</summary>
    private static Provenance From(Finalist best) =>
        PlanReport.Supplies(best).Select(supply => supply.PerGpu.From).Aggregate((all, one) => all.And(one));

    private static IReadOnlyList<Cell> Row(
        string key,
        string name,
        double value,
        Func<double, string> spell,
        string how,
        Provenance? from = null) =>
        [new Cell(key, name), new Cell(value, spell(value), from), Cell.Of(how)];
}
