using System.Globalization;
using TokenFactory.Store.Focus;
using TokenFactory.Store.Ledger;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Store.Tests.Focus;

/// <summary>FOCUS files: they keep the rules, sum to the ledger, and a broken one is found out.</summary>
public sealed class FocusTests : IAsyncLifetime
{
    private static readonly Instant Ever = new(long.MaxValue);
    private static readonly ChargeRates Rates = new(0.9m, 0.1m, 2.7m);

    private readonly string _folder = Directory.CreateTempSubdirectory("tf-focus-").FullName;
    private IUsageStore _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(_folder, "ledger.db")));
        await _store.PrepareAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, true);
    }

    [Fact]
    public async Task The_file_keeps_the_rules_and_sums_to_the_ledger_whatever_was_charged()
    {
        var dice = new Dice(1);
        var usage = dice.Many(3000, 3000, () => Any(dice));
        await _store.AddAsync(usage, [], Cancel);
        var (rows, text) = await FileAsync(model => model == "model-3" ? null : Rates);
        Assert.Empty(FocusCheck.Mistakes(text));
        Assert.Equal(usage.Sum(record => record.Charged.Value), Sum(rows, "BilledCost"));
        Assert.Equal(usage.Sum(record => record.AllocationCost.Value), Sum(rows, "x_AllocationCost"));
        Assert.Equal(usage.Sum(record => record.UsageCost.Value), Sum(rows, "x_UsageCost"));
        Assert.Equal(usage.Sum(record => record.Joules), (double)Sum(rows, "x_Joules"), 2);
        Assert.Equal(usage.Sum(record => record.Tokens.Prompt + record.Tokens.Output), Sum(rows, "ConsumedQuantity"));
        foreach (var tenant in usage.GroupBy(record => record.Tenant))
            Assert.Equal(
                tenant.Sum(record => record.Charged.Value), Sum(rows.Where(row => row["SubAccountId"] == tenant.Key), "BilledCost"));
    }

    [Fact]
    public async Task Charges_by_the_list_are_shown_at_the_list_and_others_at_what_was_agreed()
    {
        var dice = new Dice(2);
        var listed = Priced(dice, 1000, 2000, 300) with { Model = "listed" };
        var dearer = listed with { Id = "b", Model = "dearer", Charged = new Usd(listed.Charged.Value * 2) };
        await _store.AddAsync([listed, dearer, listed with { Id = "c", Model = "free", Charged = Usd.Zero }], [], Cancel);
        var (rows, _) = await FileAsync(model => model == "free" ? null : Rates);
        Assert.Equal(["0.9", "0.1", "2.7"], rows.Where(row => row["ResourceId"] == "listed").Select(row => row["ContractedUnitPrice"]));
        Assert.Equal(["0.0009", "0.0002", "0.00081"], rows.Where(row => row["ResourceId"] == "listed").Select(row => row["BilledCost"]));
        Assert.Equal(["1.8", "0.2", "5.4"], rows.Where(row => row["ResourceId"] == "dearer").Select(row => row["ContractedUnitPrice"]));
        Assert.Equal(["0.9", "0.1", "2.7"], rows.Where(row => row["ResourceId"] == "dearer").Select(row => row["ListUnitPrice"]));
        Assert.Equal(["0", "0", "0"], rows.Where(row => row["ResourceId"] == "free").Select(row => row["BilledCost"]));
        Assert.Equal(
            ["Fresh Input Tokens", "Cached Input Tokens", "Output Tokens"],
            rows.Where(row => row["ResourceId"] == "free").Select(row => row["SkuMeter"]));
    }

    [Theory]
    [InlineData("BilledCost", "1e-3", "no plain decimal")]
    [InlineData("BilledCost", "", "is empty")]
    [InlineData("EffectiveCost", "0.5", "EffectiveCost sums to")]
    [InlineData("BillingCurrency", "usd", "ISO 4217")]
    [InlineData("ChargeCategory", "Use", "none of Usage")]
    [InlineData("ChargePeriodStart", "2026-11-22 03:00:00", "no moment")]
    [InlineData("ChargePeriodEnd", "2026-12-01T01:00:00Z", "not within the billing period")]
    [InlineData("ChargePeriodEnd", "2026-11-01T00:00:00Z", "not before ChargePeriodEnd")]
    [InlineData("PricingQuantity", "", "PricingQuantity is empty")]
    [InlineData("PricingUnit", "", "one is empty")]
    [InlineData("ConsumedQuantity", "-1", "below zero")]
    [InlineData("ListUnitPrice", "17", "ListUnitPrice x PricingQuantity")]
    [InlineData("ContractedCost", "17", "ContractedUnitPrice x PricingQuantity")]
    [InlineData("ServiceCategory", "AI", "none of AI and Machine Learning")]
    [InlineData("SubAccountId", "", "SubAccountName is there without SubAccountId")]
    [InlineData("SkuId", "", "SkuPriceId is there without SkuId")]
    [InlineData("Tags", "[1]", "no JSON object")]
    [InlineData("InvoiceId", "NULL", "left empty")]
    [InlineData("PublisherName", null, "PublisherName is missing")]
    public async Task A_file_that_breaks_a_rule_is_found_out(string column, string? value, string mistake)
    {
        await _store.AddAsync([Priced(new Dice(3), 1000, 2000, 300)], [], Cancel);
        var (_, text) = await FileAsync(_ => Rates);
        var lines = text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var at = Array.IndexOf(lines[0].Split(','), column);
        if (value is null)
            lines[0] = lines[0].Replace(column, "x_Other");
        else
            lines[1] = string.Join(',', Cells(lines[1]).Select((cell, i) =>
                i == at ? value : cell.Contains('"') ? $"\"{cell.Replace("\"", "\"\"")}\"" : cell));
        Assert.Contains(FocusCheck.Mistakes(string.Join("\r\n", lines)), found => found.Contains(mistake));
    }

    private async Task<(List<Dictionary<string, string>> Rows, string Text)> FileAsync(Func<string, ChargeRates?> rates)
    {
        using var output = new StringWriter();
        var count = await FocusExport.WriteAsync(
            _store, output, new FocusOptions("North, hall \"2\"") { Rates = rates }, default, Ever, Cancel);
        var lines = output.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var names = lines[0].Split(',');
        Assert.Equal(count, lines.Length - 1);
        var rows = lines.Skip(1).Select(line => names.Zip(Cells(line)).ToDictionary(pair => pair.First, pair => pair.Second));
        return ([.. rows], output.ToString());
    }

    private static List<string> Cells(string line)
    {
        var (cells, cell, quoted) = (new List<string>(), new System.Text.StringBuilder(), false);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && quoted && i + 1 < line.Length && line[i + 1] == '"')
                cell.Append(line[i++]);
            else if (line[i] == '"')
                quoted = !quoted;
            else if (line[i] == ',' && !quoted)
                (_, cell) = (Add(), new());
            else
                cell.Append(line[i]);
        }

        Add();
        return cells;

        int Add()
        {
            cells.Add(cell.ToString());
            return cells.Count;
        }
    }

    private static decimal Sum(IEnumerable<Dictionary<string, string>> rows, string column) =>
        rows.Sum(row => decimal.Parse(row[column].Length == 0 ? "0" : row[column], CultureInfo.InvariantCulture));

    /// <summary>Records with all that can happen: charged by the list or not, for nothing, without tokens, at odd hours.</summary>
    private static UsageRecord Any(Dice dice)
    {
        var record = dice.Chance(0.5)
            ? Records.Usage(dice)
            : Priced(dice, dice.Whole(0, 10_000), dice.Whole(0, 10_000), dice.Whole(0, 1000));
        var later = dice.Whole(0, 300) * 3_600_000_000_000L;
        return record with
        {
            Id = Guid.NewGuid().ToString(),
            Ended = new Instant(record.Ended.Nanoseconds + later),
            Tokens = dice.Chance(0.1) ? default : record.Tokens,
            Charged = dice.Chance(0.1) ? Usd.Zero : record.Charged,
            Tenant = dice.Chance(0.1) ? "a \"quoted\", tenant" : record.Tenant,
        };
    }

    private static UsageRecord Priced(Dice dice, long fresh, long cached, long output) => Records.Usage(dice) with
    {
        Tokens = new TokenCounts(fresh, cached, output),
        Charged = new Usd(decimal.Round(((fresh * Rates.Fresh) + (cached * Rates.Cached) + (output * Rates.Output)) / 1_000_000m, 9)),
    };
}
