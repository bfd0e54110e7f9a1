using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>What price says in words: the answer for a manager, and what to know about the figures.</summary>
internal static class PriceWords
{
    private const int ModelsNamed = 3;

    public static IEnumerable<string> Answer(IReadOnlyList<PricedPoint> rows, PriceRequest request)
    {
        var groups = rows
            .Where(row => row.Price.Asked)
            .GroupBy(row => (row.Point.Model, row.Point.Counts))
            .Select(group => group.FirstOrDefault(row => !row.Price.IsModelled) ?? group.First())
            .ToList();
        var named = groups
            .Take(ModelsNamed)
            .Select(best => $"{Tokens(best)}{Spell.Dollars(best.CostPerMillion)} on {best.Point.Gpu.Name} ({Paid(best)})");
        yield return groups.Count > ModelsNamed
            ? $"Cheapest million tokens, {groups.Count} models and ways to count: {string.Join("; ", named)}; and so on below."
            : $"Cheapest million tokens: {string.Join("; ", named)}.";
        if (request.Vs is { } vs && Savings(rows, vs) is { } savings)
            yield return savings;
        if (request.Terms.Sold is { } sold && groups[0].Figures.GrossMargin is { } margin)
        {
            yield return $"Sold at {Spell.Dollars(sold.Value.Value)} per million, the cheapest leaves a gross margin of "
                + $"{Spell.Percent(margin.Value)} at {Spell.Percent(request.Terms.Utilisation.Value.Value)} utilisation.";
        }
    }

    public static IEnumerable<string> Notes(IReadOnlyList<PricedPoint> rows, PriceRequest request)
    {
        var use = request.Terms;
        var pues = rows.Select(row => request.Judged.PueOf(row.Point.Gpu).Value.Value).Distinct().Order().Select(Spell.Number);
        yield return $"$/M tok is all paid time at {Spell.Percent(use.Utilisation.Value.Value)} utilisation "
            + $"and {Spell.Percent(use.Availability.Value.Value)} availability; "
            + $"tok/s/W and J/tok at the {request.PowerAt.ToString().ToLowerInvariant()}; "
            + $"per MW and power cost at the site's meter, PUE {string.Join(" or ", pues)} "
            + $"and {Spell.Dollars(use.Electricity.Value.Value)}/kWh.";
        if (rows.Select(row => row.Point.Counts).Distinct().Count() > 1)
        {
            yield return "Rows are ranked only among the same model and the same counted tokens: "
                + "output, total (input + output), or unstated by the source.";
        }

        if (rows.Any(row => row.Point.PerGpuPower.Note is not null))
            yield return "Where no power was measured, TDP stands in: an upper bound, so tokens per watt (\u2265) are a lower one.";
        var priced = rows.Select(row => row.Price).Distinct().ToList();
        var stale = priced.Count(price => price.Stale);
        if (stale > 0)
        {
            yield return $"* {stale} of {priced.Count} prices may be older than {Offer.FreshDays} days on {request.Today:yyyy-MM-dd}: "
                + "bring fresh ones with 'catalog import-prices'.";
        }

        if (priced.Exists(price => price.IsModelled))
            yield return "~ The price is an estimate, nobody's offer; the headline prefers offers.";
        if (priced.Exists(price => price.Billing == Billing.Spot))
            yield return "Spot is priced as listed; 'billing' adds what preemptions and restarts cost.";
        if (rows.Any(row => row.Point.Gpu.Chassis is null) && rows.Any(row => row.Point.Gpu.Chassis is not null))
        {
            yield return "Per-MW figures of GPUs without a chassis model carry provisioned host power, which is higher: "
                + "beside the others they are lower bounds.";
        }

        if (priced.Exists(price => price.Suspect))
            yield return "? The source doubts this price; it stands here because nothing else is offered or it was asked for.";
        if ((request.PrefillShare is not null || request.CacheHitRate > 0) && rows.All(row => row.Point.Streams is null))
            yield return "No cost by token class: no point here knows its input and output streams (catalog points and files can).";
        if (request.Unpriced.Count > 0)
            yield return $"No offer in the catalog: {string.Join("; ", request.Unpriced)}.";
        if (request.Owned is { } owned)
        {
            foreach (var note in OwnedNotes(owned, rows, request))
                yield return note;
        }
    }

    private static IEnumerable<string> OwnedNotes(OwnedGpu owned, IReadOnlyList<PricedPoint> rows, PriceRequest request)
    {
        var hour = OwnedCost.PerHour(owned);
        yield return $"Owning costs {Spell.Dollars(hour.Total.Value)} per GPU-hour: "
            + $"capital {Spell.Dollars(hour.Capital.Value)}, operation {Spell.Dollars(hour.Opex.Value)}, "
            + $"hosting {Spell.Dollars(hour.Hosting.Value)}, electricity {Spell.Dollars(hour.Electricity.Value)} "
            + $"({Spell.Number(owned.LifeYears)} years, {Spell.Percent(owned.CostOfCapital)} cost of capital, "
            + $"{Spell.Percent(owned.Residual.Value)} residual, {Spell.Number(owned.ItPower.Value)} W IT).";
        if (rows.Where(row => row.Price.Billing != Billing.Owned).MinBy(row => row.Price.PerGpu.Value.Value) is { } rented)
        {
            var lease = OwnedCost.AgainstLease(owned, rented.Price.PerGpu.Value);
            var outcome = lease.SavingPerHour.Value >= 0 ? "saves" : "loses";
            yield return $"Against {Spell.Dollars(rented.Price.PerGpu.Value.Value)} rented ({Paid(rented)}) "
                + $"owning {outcome} {Spell.Dollars(Math.Abs(lease.SavingPerHour.Value))} per hour; "
                + $"they are equal at a purchase price of {Spell.Dollars((double)lease.CapitalAtParity.Value)} per GPU.";
        }

        if (request.Terms.Sold is { } sold && rows.FirstOrDefault(row => row.Price.Billing == Billing.Owned) is { } own)
        {
            var tokens = new SoldTokens(own.Point.Throughput.Value, sold.Value);
            var revenue = Revenue.PerGpuHour([tokens], request.Terms.Utilisation.Value, request.Terms.Availability.Value);
            var years = Revenue.PaybackYears(owned.Capital, revenue, hour.Total - hour.Capital);
            yield return years is { } y
                ? $"At {Spell.Dollars(sold.Value.Value)} per million a GPU pays for itself in {Spell.Number(y)} years."
                : "At that selling price a GPU never pays for itself.";
        }
    }

    private static string? Savings(IReadOnlyList<PricedPoint> rows, Baseline vs)
    {
        var changes = rows
            .Select(row => (Row: row, Baseline: PriceReport.BaselineOf(row, rows, vs)))
            .Where(pair => pair.Baseline is not null && pair.Baseline != pair.Row)
            .Select(pair => (pair.Row, Change: (pair.Row.CostPerMillion / pair.Baseline!.CostPerMillion) - 1))
            .OrderBy(pair => pair.Change)
            .ToList();
        if (changes.Count == 0)
            return $"Nothing here can be compared with {vs.Text}.";
        var (least, most) = (changes[0], changes[^1]);
        var range = changes.Count == 1 ? Difference(least.Change) : $"between {Difference(least.Change)} and {Difference(most.Change)}";
        return $"Against {vs.Text} the others cost {range}; the cheapest of them is {least.Row.Point.Gpu.Key}, {Paid(least.Row)}.";
    }

    private static string Difference(double change) =>
        change <= 0 ? $"{Spell.Percent(Math.Round(-change, 3))} less" : $"{Spell.Percent(Math.Round(change, 3))} more";

    private static string Tokens(PricedPoint row)
    {
        var counted = row.Point.Counts switch { TokenCount.Output => " output", TokenCount.Total => " input + output", _ => "" };
        return row.Point.Model.Length == 0 ? "" : $"{row.Point.Model}{counted}: ";
    }

    private static string Paid(PricedPoint row) => $"{row.Price.Provider} {row.Price.Billing.Text()}";
}
