using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>A point at one of its prices, judged.</summary>
/// <param name="Point">The point.</param>
/// <param name="Price">The price.</param>
/// <param name="Figures">Dollars and joules.</param>
internal sealed record PricedPoint(PointToPrice Point, PricedHour Price, PointEconomics Figures)
{
    public double CostPerMillion => Figures.Allocation.Value.Value;
}

/// <summary>Answers price: best first, within what may be compared.</summary>
internal static class PriceReport
{
    public static Report Of(PriceRequest request)
    {
        var rows = request.Points
            .SelectMany(point => point.Prices.Select(price => new PricedPoint(point, price, Judge(point, price, request))))
            .OrderBy(row => row.Point.Model, StringComparer.Ordinal)
            .ThenBy(row => row.Point.Counts)
            .ThenBy(row => row.CostPerMillion)
            .ToList();
        if (rows.Count == 0)
        {
            throw new Input.Refusal(
                "catalog",
                $"has no offer for {string.Join(", ", request.Unpriced)}",
                "Give --usd-per-gpu-hour, or ask for another billing or provider");
        }

        var sections = new List<Section> { Table(rows, request) };
        if (Split(rows, request) is { } split)
            sections.Add(split);
        return new Report("price", [.. PriceWords.Answer(rows, request)], sections, [.. PriceWords.Notes(rows, request)]);
    }

    /// <summary>
    /// The row that a row is compared with, or null where there is none: the same point otherwise billed by the same provider
    /// (by the cheapest, where that one does not offer it), otherwise provided, or on another GPU.
    /// </summary>
    public static PricedPoint? BaselineOf(PricedPoint row, IReadOnlyList<PricedPoint> rows, Baseline vs) =>
        rows.Where(other => other.Point.Model == row.Point.Model && other.Point.Counts == row.Point.Counts)
            .Where(other => vs switch
            {
                { Billing: { } billing } => other.Point == row.Point && other.Price.Billing == billing,
                { Provider: { } provider } => other.Point.Gpu == row.Point.Gpu
                    && other.Point.Load == row.Point.Load
                    && other.Price.Billing == row.Price.Billing
                    && Names.Fold(other.Price.Provider) == Names.Fold(provider),
                _ => other.Point.Gpu == vs.Gpu && other.Price.Billing == row.Price.Billing,
            })
            .OrderBy(other => vs.Billing is not null && other.Price.Provider != row.Price.Provider)
            .ThenBy(other => other.CostPerMillion)
            .FirstOrDefault();

    private static PointEconomics Judge(PointToPrice point, PricedHour price, PriceRequest request)
    {
        var terms = request.Judged.Of(point.Gpu);
        var power = PowerLadder.Climb(point.Gpu, point.PerGpuPower, request.Judged.Site, terms.Pue);
        return PointEconomics.Of(price.PerGpu, point.Throughput, power, terms);
    }

    private static Section Table(IReadOnlyList<PricedPoint> rows, PriceRequest request)
    {
        var columns = new List<(Column Column, Func<PricedPoint, Cell> Cell)>
        {
            (new Column("model", "model", 0, Number: false), row => Cell.Of(row.Point.Model.Length == 0 ? "-" : row.Point.Model)),
            (new Column("tokens_counted", "tokens", 0, Number: false), row => Cell.Of(row.Point.Counts.ToString().ToLowerInvariant())),
            (new Column("gpu", "GPU", 0, Number: false), row => Cell.Of(row.Point.Gpu.Key)),
            (new Column("provider", "provider", 1, Number: false), row => Cell.Of(row.Price.Provider)),
            (new Column("billing", "billing", 0, Number: false), row => Cell.Of(row.Price.Billing.Text())),
            (new Column("usd_per_gpu_hour", "$/GPU-h", 3), Hour),
            (new Column("tokens_per_second_per_gpu", "tok/s/GPU", 4), row => Cell.Of(row.Point.Throughput, Spell.Of)),
            (new Column("usd_per_million_tokens", "$/M tok", 0), row => Cell.Of(row.Figures.Allocation, Spell.Of)),
        };
        if (request.Vs is { } vs)
            columns.Add((new Column("change_against_baseline", $"vs {vs.Text}", 0), row => Against(row, rows, vs)));
        if (request.Terms.Utilisation.Value.Value * request.Terms.Availability.Value.Value < 1)
            columns.Add((new Column("usd_per_million_tokens_usage", "$/M busy", 4), row => Cell.Of(row.Figures.Usage, Spell.Of)));
        columns.AddRange(EnergyColumns(request));
        columns.AddRange(MoneyColumns(request));
        if (rows.Any(row => row.Point.PerUser is not null))
            columns.Add((new Column("tokens_per_second_per_user", "tok/s/user", 6), row => Known(row.Point.PerUser, Spell.Of)));
        if (rows.Any(row => row.Point.Load.Length > 0))
            columns.Add((new Column("load", "load", 10, Number: false), row => Cell.Of(row.Point.Load)));
        return new Section(
            "points", "",
            [.. columns.Select(c => c.Column)],
            [.. rows.Select(row => columns.Select(c => c.Cell(row)).ToList())],
            GroupBy: 2);
    }

    private static IEnumerable<(Column Column, Func<PricedPoint, Cell> Cell)> EnergyColumns(PriceRequest request)
    {
        var at = request.PowerAt;
        var name = at.ToString().ToLowerInvariant();
        yield return (
            new Column($"tokens_per_joule_{name}", "tok/s/W", 2),
            row => Bound(row, Known(row.Figures.PerWattAt(at), Spell.Of), "\u2265"));
        yield return (
            new Column($"joules_per_token_{name}", "J/tok", 5),
            row => Bound(row, Known(row.Figures.EnergyAt(at), Spell.Of), "\u2264"));
        yield return (
            new Column("tokens_per_second_per_facility_mw", "tok/s/MW", 7),
            row => Cell.Of(row.Figures.PerFacilityMegawatt, Spell.Of));
        yield return (new Column("electricity_usd_per_million_tokens", "power $/M", 9), row => Cell.Of(row.Figures.Electricity, Spell.Of));
        if (request.Terms.Carbon is not null)
            yield return (new Column("carbon_g_per_million_tokens", "gCO2/M", 6), row => Known(row.Figures.Carbon, Spell.Of));
    }

    private static IEnumerable<(Column Column, Func<PricedPoint, Cell> Cell)> MoneyColumns(PriceRequest request)
    {
        yield return (
            new Column("cost_usd_per_facility_mw_year", "cost $/MW-yr", 8),
            row => Cell.Of(row.Figures.CostPerMegawattYear, Spell.Of));
        if (request.Terms.Sold is not null)
        {
            yield return (
                new Column("revenue_usd_per_facility_mw_year", "sales $/MW-yr", 2),
                row => Known(row.Figures.RevenuePerMegawattYear, Spell.Of));
            yield return (new Column("gross_margin", "margin", 1), row => Known(row.Figures.GrossMargin, Spell.Share));
        }

        if (request.Api is { } api)
        {
            yield return (new Column("break_even_utilisation", "breaks even at", 1), row =>
                Cell.Of(row.Figures.Usage.With(api, BreakEven.SelfHostUtilisation), u => (u, u > 1 ? "never" : Spell.Percent(u) + " use")));
        }
    }

    /// <summary>Marks a figure as a bound where TDP stood in for measured power.</summary>
    private static Cell Bound(PricedPoint row, Cell cell, string sign) =>
        row.Point.PerGpuPower.Note is null || cell.Value is null ? cell : cell with { Text = sign + cell.Text };

    private static Cell Hour(PricedPoint row)
    {
        var mark = (row.Price.Stale ? "*" : "") + (row.Price.IsModelled ? "~" : "") + (row.Price.Suspect ? "?" : "");
        var cell = Cell.Of(row.Price.PerGpu, Spell.Of);
        return cell with { Text = cell.Text + mark };
    }

    private static Cell Known<T>(Sourced<T>? figure, Func<T, (double Value, string Text)> spell) =>
        figure is { } known ? Cell.Of(known, spell) : Cell.None;

    private static Cell Against(PricedPoint row, IReadOnlyList<PricedPoint> rows, Baseline vs)
    {
        var baseline = BaselineOf(row, rows, vs);
        if (baseline is null)
            return Cell.None;
        if (baseline == row)
            return new Cell(0.0, "baseline");
        var change = row.Figures.Allocation.With(baseline.Figures.Allocation, (cost, other) => (cost / other) - 1);
        return Cell.Of(change, c => (c, Spell.Change(c)));
    }

    /// <summary>Cost by token class, where the streams and prefill's share of the GPU time are known.</summary>
    private static Section? Split(IReadOnlyList<PricedPoint> rows, PriceRequest request)
    {
        var cells = new List<IReadOnlyList<Cell>>();
        foreach (var row in rows)
        {
            if (row.Point.Streams is not var (input, output) || (request.PrefillShare ?? row.Point.PrefillShare) is not { } share)
                continue;
            var streams = new TokenStreams(input * (1 - request.CacheHitRate), input * request.CacheHitRate, output);
            var split = TokenCost.Split(row.Price.PerGpu.Value, streams, new Fraction(share), new Fraction(request.CachedWeight));
            var from = row.Price.PerGpu.From.And(row.Point.Throughput.From);
            cells.Add(
            [
                Cell.Of(row.Point.Model), Cell.Of(row.Point.Gpu.Key), Cell.Of(row.Price.Provider), Cell.Of(row.Price.Billing.Text()),
                Class(split.FreshInput), Class(split.CachedInput), Class(split.Output),
                Class(TokenCost.Blended(row.Price.PerGpu.Value, streams.Total)),
            ]);

            Cell Class(UsdPerMillionTokens cost) => Cell.Of(new Sourced<UsdPerMillionTokens>(cost, from), Spell.Of);
        }

        return cells.Count == 0 ? null : new Section(
            "by_token_class", "By token class, of busy time (class cost x class tokens sums to the price of the GPUs)",
            [
                new Column("model", "model", 0, Number: false), new Column("gpu", "GPU", 0, Number: false),
                new Column("provider", "provider", 1, Number: false), new Column("billing", "billing", 1, Number: false),
                new Column("fresh_input_usd_per_million", "$/M fresh in"), new Column("cached_input_usd_per_million", "$/M cached in"),
                new Column("output_usd_per_million", "$/M out"), new Column("blended_usd_per_million", "$/M blended", 1),
            ],
            cells);
    }
}
