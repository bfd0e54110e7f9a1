namespace TokenFactory.Store.Focus;

/// <summary>The rules of FOCUS 1.2 that bind several columns of a row to one another.</summary>
internal static class FocusRules
{
    /// <summary>Costs are equal when they differ by less than a billionth of a dollar and a billionth of themselves.</summary>
    private const decimal Tolerance = 1e-9m;

    /// <summary>What a row breaks, in words; nothing where it is in order. Values that cannot be read are not looked at.</summary>
    public static IEnumerable<string> Broken(FocusValues row) =>
        [.. Periods(row), .. Quantities(row), .. Prices(row), .. Names(row)];

    private static IEnumerable<string> Periods(FocusValues row)
    {
        if (row.Time("BillingPeriodStart") is not { } billed || row.Time("BillingPeriodEnd") is not { } billedTo
            || row.Time("ChargePeriodStart") is not { } charged || row.Time("ChargePeriodEnd") is not { } chargedTo)
            yield break;
        if (billed >= billedTo)
            yield return "BillingPeriodStart is not before BillingPeriodEnd";
        if (charged >= chargedTo)
            yield return "ChargePeriodStart is not before ChargePeriodEnd";
        var use = row.Text("ChargeCategory") == FocusColumns.UsageCategory && row.Text("ChargeClass") is null;
        if (use && (charged < billed || chargedTo > billedTo))
            yield return "the charge period is not within the billing period";
    }

    private static IEnumerable<string> Quantities(FocusValues row)
    {
        var category = row.Text("ChargeCategory");
        var (used, priced) = (category == FocusColumns.UsageCategory, category is FocusColumns.UsageCategory or "Purchase");
        var correction = row.Text("ChargeClass") == "Correction";
        if (priced && !correction && row.Text("PricingQuantity") is null)
            yield return $"PricingQuantity is empty in a row of {category}";
        if (used && !correction && row.Has("ConsumedQuantity") && row.Text("ConsumedQuantity") is null)
            yield return "ConsumedQuantity is empty in a row of Usage";
        if (!used && row.Text("ConsumedQuantity") is not null)
            yield return $"ConsumedQuantity is not empty in a row of {category}";
        if (category == "Tax" && row.Text("PricingQuantity") is not null)
            yield return "PricingQuantity is not empty in a row of Tax";
        foreach (var (quantity, unit) in new[] { ("PricingQuantity", "PricingUnit"), ("ConsumedQuantity", "ConsumedUnit") })
        {
            if (row.Text(quantity) is null != row.Text(unit) is null)
                yield return $"of {quantity} and {unit} one is empty";
        }

        if (category == "Purchase" && row.Text("ChargeFrequency") == "Usage-Based")
            yield return "ChargeFrequency is Usage-Based in a row of Purchase";
    }

    private static IEnumerable<string> Prices(FocusValues row)
    {
        var correction = row.Text("ChargeClass") == "Correction";
        var priced = row.Text("ChargeCategory") is FocusColumns.UsageCategory or "Purchase";
        foreach (var (price, cost) in new[] { ("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost") })
        {
            if (priced && !correction && row.Has(price) && row.Text(price) is null)
                yield return $"{price} is empty in a row of {row.Text("ChargeCategory")}";
            if (!correction
                && row.Number(price) is { } unit && row.Number("PricingQuantity") is { } quantity && row.Number(cost) is { } total
                && Math.Abs((unit * quantity) - total) > Tolerance + Math.Abs(total * Tolerance))
                yield return $"{price} x PricingQuantity is {unit * quantity}, and {cost} is {total}";
        }

        if (row.Text("PricingCategory") is null && priced && row.Has("PricingCategory") && !correction)
            yield return "PricingCategory is empty in a row that has a price";
    }

    /// <summary>What describes something may be there only where that is.</summary>
    private static IEnumerable<string> Names(FocusValues row) =>
        from pair in new[]
        {
            ("ResourceName", "ResourceId"), ("ResourceType", "ResourceId"),
            ("SubAccountName", "SubAccountId"), ("SubAccountType", "SubAccountId"),
            ("SkuMeter", "SkuId"), ("SkuPriceId", "SkuId"), ("SkuPriceDetails", "SkuPriceId"),
        }
        where row.Text(pair.Item1) is not null && row.Text(pair.Item2) is null
        select $"{pair.Item1} is there without {pair.Item2}";
}
