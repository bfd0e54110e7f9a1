using System.Globalization;
using System.Text.Json;
using TokenFactory.Store.Reports;

namespace TokenFactory.Store.Focus;

/// <summary>The rows of one hour, tenant and model.</summary>
internal static class FocusRows
{
    private const decimal Million = 1_000_000m;
    private const string Unit = "1000000 Tokens";

    /// <summary>Each request's charge is rounded to a billionth, so that so much a request is no other price.</summary>
    private const decimal RoundingPerRequest = 2e-9m;

    private static readonly string[] Classes = ["Fresh Input", "Cached Input", "Output"];

    public static IEnumerable<Dictionary<string, string?>> Of(UsageSum sum, FocusOptions options)
    {
        var consumed = new[] { sum.Tokens.Fresh, sum.Tokens.Cached, sum.Tokens.Output };
        var charged = new[] { sum.ChargedTokens.Fresh, sum.ChargedTokens.Cached, sum.ChargedTokens.Output };
        var list = options.Rates(sum.Group[2]) is { } rates ? new[] { rates.Fresh, rates.Cached, rates.Output } : null;
        if (charged.Sum() == 0 && sum.Charged.Value > 0)
            return [Adjustment(sum, options), .. Of(sum with { Charged = default }, options)];
        var prices = Contracted(sum, charged, list);
        var shares = Shares(consumed, charged, prices);
        var (bills, usage, allocation) = (
            Split(sum.Charged.Value, shares), Split(sum.UsageCost.Value, shares), Split(sum.AllocationCost.Value, shares));
        return Enumerable.Range(0, Classes.Length).Where(i => consumed[i] > 0 || shares[i] > 0).Select(i =>
        {
            var row = Common(sum, options, bills[i], usage[i], allocation[i], sum.Joules * (double)shares[i]);
            var (sku, listed, quantity) = (
                $"{sum.Group[2]}/{Classes[i].ToLowerInvariant().Replace(' ', '-')}", list?[i] ?? prices[i], charged[i] / Million);
            row["ChargeCategory"] = FocusColumns.UsageCategory;
            row["ChargeDescription"] = $"{Classes[i]} tokens of {sum.Group[2]}";
            row["ChargeFrequency"] = "Usage-Based";
            row["ConsumedQuantity"] = Text(consumed[i]);
            row["ConsumedUnit"] = "Tokens";
            row["ContractedCost"] = Text(prices[i] * quantity);
            row["ContractedUnitPrice"] = Text(prices[i]);
            row["ListCost"] = Text(listed * quantity);
            row["ListUnitPrice"] = Text(listed);
            row["PricingCategory"] = "Standard";
            row["PricingQuantity"] = Text(quantity);
            row["PricingUnit"] = Unit;
            row["SkuId"] = sku;
            row["SkuMeter"] = $"{Classes[i]} Tokens";
            row["SkuPriceId"] = $"{sku}@{Text(listed)}";
            row["SkuPriceDetails"] = JsonSerializer.Serialize(
                new Dictionary<string, string> { ["x_Model"] = sum.Group[2], ["x_TokenClass"] = Classes[i] });
            return row;
        });
    }

    /// <summary>
    /// Dollars per million tokens that were agreed: the list's where they explain the charge; else the list's, all scaled by what was
    /// charged.
    /// </summary>
    private static decimal[] Contracted(UsageSum sum, long[] charged, decimal[]? list)
    {
        var prices = list ?? [1, 1, 1];
        var worth = Worth(charged, prices);
        if (sum.Charged.Value == 0)
            return list ?? [0, 0, 0];
        if (worth == 0)
            (prices, worth) = ([1, 1, 1], charged.Sum() / Million);
        if (list is not null && Math.Abs(worth - sum.Charged.Value) <= RoundingPerRequest * sum.Requests)
            return prices;
        return [.. prices.Select(price => decimal.Round(price * sum.Charged.Value / worth, 12))];
    }

    private static decimal Worth(long[] tokens, decimal[] prices) => tokens.Zip(prices, (count, price) => count * price).Sum() / Million;

    /// <summary>How much of the charge, or of the tokens where nothing was charged, each class is; they sum to one.</summary>
    private static decimal[] Shares(long[] consumed, long[] charged, decimal[] prices)
    {
        var weights = charged.Zip(prices, (count, price) => count * price).ToArray();
        if (weights.Sum() == 0)
            weights = [.. consumed.Select(count => (decimal)count)];
        return weights.Sum() is > 0 and var all ? [.. weights.Select(weight => weight / all)] : [0, 0, 1];
    }

    /// <summary>
    /// Splits money by shares, to whole billionths; the largest share takes what rounding leaves, so that the parts sum to the whole.
    /// </summary>
    private static decimal[] Split(decimal amount, decimal[] shares)
    {
        var parts = shares.Select(share => decimal.Round(amount * share, 9)).ToArray();
        parts[Array.IndexOf(shares, shares.Max())] += amount - parts.Sum();
        return parts;
    }

    /// <summary>A charge without tokens; what it cost stands with the tokens that were not charged.</summary>
    private static Dictionary<string, string?> Adjustment(UsageSum sum, FocusOptions options)
    {
        var row = Common(sum, options, sum.Charged.Value, 0, 0, 0);
        row["ChargeCategory"] = FocusColumns.AdjustmentCategory;
        row["ChargeDescription"] = $"Charge without tokens for {sum.Group[2]}";
        row["ChargeFrequency"] = "One-Time";
        row["ContractedCost"] = row["ListCost"] = row["BilledCost"];
        return row;
    }

    private static Dictionary<string, string?> Common(
        UsageSum sum, FocusOptions options, decimal billed, decimal usage, decimal allocation, double joules)
    {
        var (hour, tenant, model) = (FocusValues.ReadTime(sum.Group[0])!.Value, sum.Group[1], sum.Group[2]);
        var month = new DateTime(hour.Year, hour.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        return new Dictionary<string, string?>
        {
            ["BilledCost"] = Text(billed),
            ["EffectiveCost"] = Text(billed),
            ["BillingAccountId"] = options.Factory,
            ["BillingAccountName"] = options.Factory,
            ["BillingAccountType"] = "Factory",
            ["BillingCurrency"] = "USD",
            ["BillingPeriodStart"] = Period.Text(month),
            ["BillingPeriodEnd"] = Period.Text(month.AddMonths(1)),
            ["ChargePeriodStart"] = Period.Text(hour),
            ["ChargePeriodEnd"] = Period.Text(hour.AddHours(1)),
            ["InvoiceIssuerName"] = options.Factory,
            ["ProviderName"] = options.Factory,
            ["PublisherName"] = options.Factory,
            ["ResourceId"] = model,
            ["ResourceName"] = model,
            ["ResourceType"] = "Model",
            ["ServiceCategory"] = FocusColumns.Service,
            ["ServiceName"] = "Model Serving",
            ["ServiceSubcategory"] = FocusColumns.Subcategory,
            ["SubAccountId"] = tenant,
            ["SubAccountName"] = tenant,
            ["SubAccountType"] = "Tenant",
            ["Tags"] = JsonSerializer.Serialize(
                new Dictionary<string, string> { ["tokenfactory/tenant"] = tenant, ["tokenfactory/model"] = model }),
            ["x_Joules"] = Text((decimal)Math.Round(joules, 6)),
            ["x_UsageCost"] = Text(usage),
            ["x_AllocationCost"] = Text(allocation),
        };
    }

    private static string Text(decimal number) => number.ToString("0.############################", CultureInfo.InvariantCulture);
}
