namespace TokenFactory.Store.Focus;

/// <summary>What a column holds.</summary>
internal enum FocusType
{
    /// <summary>Words.</summary>
    Text,

    /// <summary>A number without exponent, sign of plus or separators.</summary>
    Number,

    /// <summary>A moment: "2026-11-22T03:00:00Z".</summary>
    Time,

    /// <summary>A code of ISO 4217.</summary>
    Currency,

    /// <summary>A JSON object of names and plain values.</summary>
    Map,
}

/// <summary>A column of FOCUS 1.2 as the specification defines it.</summary>
/// <param name="Name">Its identity.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Mandatory">Whether every file has it; otherwise it is conditional or recommended.</param>
/// <param name="Nulls">Whether a row may leave it empty, apart from rules over several columns.</param>
internal sealed record FocusColumn(string Name, FocusType Type, bool Mandatory, bool Nulls)
{
    /// <summary>The only values it may have; null for any.</summary>
    public string[]? Allowed { get; init; }

    /// <summary>Whether it may be below zero.</summary>
    public bool Negative { get; init; } = true;
}

/// <summary>
/// The columns that we write, of those of FOCUS 1.2, in the order of the specification; then our own, which begin with x_.
/// </summary>
internal static class FocusColumns
{
    public const string UsageCategory = "Usage";
    public const string AdjustmentCategory = "Adjustment";
    public const string Service = "AI and Machine Learning";
    public const string Subcategory = "Generative AI";

    private static readonly string[] Services =
    [
        Service, "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools", "Identity", "Integration",
        "Internet of Things", "Management and Governance", "Media", "Migration", "Mobile", "Multicloud", "Networking", "Security",
        "Storage", "Web", "Other",
    ];

    /// <summary>Of the service category that we are in.</summary>
    private static readonly string[] Subcategories =
        ["AI Platforms", "Bots", Subcategory, "Machine Learning", "Natural Language Processing", "Other (AI and Machine Learning)"];

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<FocusColumn> All =
    [
        Must("BilledCost", FocusType.Number),
        Must("BillingAccountId", FocusType.Text),
        Must("BillingAccountName", FocusType.Text, nulls: true),
        May("BillingAccountType", FocusType.Text),
        Must("BillingCurrency", FocusType.Currency),
        Must("BillingPeriodEnd", FocusType.Time),
        Must("BillingPeriodStart", FocusType.Time),
        Must("ChargeCategory", FocusType.Text) with { Allowed = [UsageCategory, "Purchase", "Tax", "Credit", AdjustmentCategory] },
        Must("ChargeClass", FocusType.Text, nulls: true) with { Allowed = ["Correction"] },
        Must("ChargeDescription", FocusType.Text, nulls: true),
        May("ChargeFrequency", FocusType.Text, nulls: false) with { Allowed = ["One-Time", "Recurring", "Usage-Based"] },
        Must("ChargePeriodEnd", FocusType.Time),
        Must("ChargePeriodStart", FocusType.Time),
        May("ConsumedQuantity", FocusType.Number) with { Negative = false },
        May("ConsumedUnit", FocusType.Text),
        Must("ContractedCost", FocusType.Number),
        May("ContractedUnitPrice", FocusType.Number) with { Negative = false },
        Must("EffectiveCost", FocusType.Number),
        May("InvoiceId", FocusType.Text),
        Must("InvoiceIssuerName", FocusType.Text),
        Must("ListCost", FocusType.Number),
        May("ListUnitPrice", FocusType.Number) with { Negative = false },
        May("PricingCategory", FocusType.Text) with { Allowed = ["Standard", "Dynamic", "Committed", "Other"] },
        Must("PricingQuantity", FocusType.Number, nulls: true),
        Must("PricingUnit", FocusType.Text, nulls: true),
        Must("ProviderName", FocusType.Text),
        Must("PublisherName", FocusType.Text),
        May("ResourceId", FocusType.Text),
        May("ResourceName", FocusType.Text),
        May("ResourceType", FocusType.Text),
        Must("ServiceCategory", FocusType.Text) with { Allowed = Services },
        Must("ServiceName", FocusType.Text),
        May("ServiceSubcategory", FocusType.Text, nulls: false) with { Allowed = Subcategories },
        May("SkuId", FocusType.Text),
        May("SkuMeter", FocusType.Text),
        May("SkuPriceDetails", FocusType.Map),
        May("SkuPriceId", FocusType.Text),
        May("SubAccountId", FocusType.Text),
        May("SubAccountName", FocusType.Text),
        May("SubAccountType", FocusType.Text),
        May("Tags", FocusType.Map),
        May("x_Joules", FocusType.Number),
        May("x_UsageCost", FocusType.Number),
        May("x_AllocationCost", FocusType.Number),
    ];

    private static FocusColumn Must(string name, FocusType type, bool nulls = false) => new(name, type, true, nulls);

    private static FocusColumn May(string name, FocusType type, bool nulls = true) => new(name, type, false, nulls);
}
