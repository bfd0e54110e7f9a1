using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>A price sheet, its CSV, and every mistake in it told with its line.</summary>
public sealed class PriceSheetTests
{
    private const string Header = "provider,gpu,billing,usd_per_gpu_hour,date,kind,source";
    private const string Row = "Acme,h100,on-demand,2.5,2026-11-01,datasheet,acme.example/prices";

    [Fact]
    public void A_sheet_reads()
    {
        var offers = Read($"{Header},gpus_per_instance,instance_type,region,note,suspect\n{Row},8,acme.8x,eu-1,\"list, before tax\",true\n", out var mistakes);
        Assert.Empty(mistakes);
        var offer = Assert.Single(offers);
        Assert.Equal(("Acme", "h100-sxm", Billing.OnDemand, 2.5), (offer.Provider, offer.Gpu.Key, offer.Billing, offer.PerGpu.Value.Value));
        Assert.Equal((8, "acme.8x", "eu-1", true), (offer.GpusPerInstance, offer.InstanceType, offer.Region, offer.Suspect));
        Assert.Equal("list, before tax", offer.PerGpu.Note);
        Assert.Equal(new Source(SourceKind.Datasheet, "acme.example/prices", SourceDate.Parse("2026-11-01")!), offer.PerGpu.From.Sources.Single());
    }

    [Fact]
    public void What_may_be_left_out_may_be_left_out()
    {
        var offer = Assert.Single(Read($"{Header}\n{Row}\n", out var mistakes));
        Assert.Empty(mistakes);
        Assert.Equal((1, "", "", false, null), (offer.GpusPerInstance, offer.InstanceType, offer.Region, offer.Suspect, offer.PerGpu.Note));
    }

    [Theory]
    [InlineData("\uFEFF{0}\n{1}\n")]
    [InlineData("{0}\r\n{1}\r\n")]
    [InlineData("{0}\n{1}")]
    [InlineData("{0}\n\n{1}\n\n")]
    [InlineData("# prices of Acme\n{0}\n# autumn\n{1}\n")]
    public void Byte_order_mark_line_ends_blank_lines_and_comments_do_not_matter(string form)
    {
        Assert.Single(Read(string.Format(System.Globalization.CultureInfo.InvariantCulture, form, Header, Row), out var mistakes));
        Assert.Empty(mistakes);
    }

    [Fact]
    public void A_quoted_field_may_hold_commas_and_quotes()
    {
        var offers = Read($"{Header}\nAcme,h100,on-demand,2.5,2026-11,datasheet,\"a \"\"list\"\", page 2\"\n", out var mistakes);
        Assert.Empty(mistakes);
        Assert.Equal("a \"list\", page 2", Assert.Single(offers).PerGpu.From.Sources.Single().Text);
    }

    [Theory]
    [InlineData("on-demand", "on-demmand", "column 'billing' is 'on-demmand'. Write one of on-demand, spot, reserved-1y, reserved-3y, owned.")]
    [InlineData("datasheet", "rumour", "column 'kind' is 'rumour'. Write measured, datasheet or estimated.")]
    [InlineData("2026-11-01", "01.11.2026", "column 'date' is '01.11.2026'. Write 2026-11-21, 2026-11 or an interval 2025-11/2026-09.")]
    [InlineData("2.5", "free", "column 'usd_per_gpu_hour' is 'free'. Give a number above zero.")]
    [InlineData("2.5", "0", "column 'usd_per_gpu_hour' is '0'. Give a number above zero.")]
    [InlineData("2.5", "-2.5", "column 'usd_per_gpu_hour' is '-2.5'. Give a number above zero.")]
    [InlineData("2.5", "NaN", "column 'usd_per_gpu_hour' is 'NaN'. Give a number above zero.")]
    [InlineData("2.5", "1e999", "column 'usd_per_gpu_hour' is '1e999'. Give a number above zero.")]
    [InlineData("2.5", "$2.5", "column 'usd_per_gpu_hour' is '$2.5'. Give a number above zero.")]
    [InlineData("h100", "h1000", "column 'gpu' names 'h1000', which the catalog lacks. Did you mean h100-sxm")]
    [InlineData("Acme", "", "column 'provider' is empty. Fill it in.")]
    [InlineData("acme.example/prices", "", "column 'source' is empty. Fill it in.")]
    [InlineData("Acme,", "", "6 fields where the header has 7. Quote a field that holds a comma, or add the missing ones.")]
    [InlineData("Acme,", "Acme,Inc,", "8 fields where the header has 7. Quote a field that holds a comma, or add the missing ones.")]
    public void A_wrong_field_is_one_mistake_at_its_line(string right, string wrong, string told)
    {
        Read($"{Header}\n{Row}\n{Row.Replace(right, wrong)}\n", out var mistakes);
        Assert.StartsWith($"prices/acme.csv:3: {told}", Assert.Single(mistakes).ToString());
    }

    [Fact]
    public void A_wrong_row_is_left_out_and_the_others_are_kept()
    {
        var offers = Read($"{Header}\n{Row}\n{Row.Replace("2.5", "?")}\n{Row}\n", out _);
        Assert.Equal(2, offers.Count);
    }

    [Fact]
    public void All_mistakes_of_a_sheet_are_told_at_once()
    {
        Read($"{Header}\nAcme,zzz,weekly,?,soon,hearsay,here\n{Row}\nshort\n{Row.Replace("2.5", "-1")}\n", out var mistakes);
        Assert.Equal(
            [("prices/acme.csv:2", "gpu"), ("prices/acme.csv:2", "billing"), ("prices/acme.csv:2", "usd_per_gpu_hour"), ("prices/acme.csv:2", "date"),
                ("prices/acme.csv:2", "kind"), ("prices/acme.csv:4", "fields"), ("prices/acme.csv:5", "usd_per_gpu_hour")],
            mistakes.Select(mistake => (mistake.Where, mistake.What.StartsWith("column '", StringComparison.Ordinal) ? mistake.What.Split('\'')[1] : "fields"))
                .OrderBy(mistake => mistake.Where, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("usd_per_gpu_hour", "usd_per_hour", "column 'usd_per_gpu_hour' is missing", "unknown column 'usd_per_hour'")]
    [InlineData("date,", "", "column 'date' is missing", null)]
    [InlineData("source", "source,regoin", null, "unknown column 'regoin'")]
    [InlineData("source", "source,gpu", null, "column 'gpu' stands twice")]
    public void A_wrong_header_is_told(string right, string wrong, string? first, string? second)
    {
        var header = Header.Replace(right, wrong);
        var row = string.Join(',', Enumerable.Repeat("x", header.Split(',').Length));
        Read($"{header}\n{row}\n", out var mistakes);
        var told = mistakes.Where(mistake => mistake.Where == "prices/acme.csv").ToList();
        Assert.Equal(new[] { first, second }.OfType<string>(), told.Select(mistake => mistake.What));
        if (wrong == "usd_per_hour")
            Assert.Equal("Did you mean 'usd_per_gpu_hour'? Columns carry their unit", told[1].Remedy);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData("\n\n")]
    [InlineData(Header)]
    public void A_sheet_without_rows_is_a_mistake(string text)
    {
        Assert.Empty(Read(text, out var mistakes));
        Assert.Equal("holds no rows", Assert.Single(mistakes).What);
    }

    [Fact]
    public void A_quote_that_never_closes_is_told_and_harms_no_row_before_it()
    {
        var offers = Read($"{Header}\n{Row}\n\"{Row}\n{Row}\n", out var mistakes);
        Assert.Single(offers);
        Assert.Contains(mistakes,
            mistake => mistake.Where == "prices/acme.csv:3" && mistake.What.StartsWith("malformed CSV", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("on-demand", Billing.OnDemand)]
    [InlineData("On Demand", Billing.OnDemand)]
    [InlineData("SPOT", Billing.Spot)]
    [InlineData("reserved_1y", Billing.Reserved1Year)]
    [InlineData("Reserved-3Y", Billing.Reserved3Year)]
    [InlineData("owned", Billing.Owned)]
    public void Billing_is_read_as_people_write_it(string text, Billing billing) => Assert.Equal(billing, BillingNames.Parse(text));

    [Fact]
    public void Billing_reads_back_as_it_is_written()
    {
        Assert.Equal(Enum.GetValues<Billing>().Length, BillingNames.All.Count);
        Assert.All(Enum.GetValues<Billing>(), billing => Assert.Equal(billing, BillingNames.Parse(billing.Text())));
        Assert.Null(BillingNames.Parse("reserved"));
    }

    [Theory]
    [InlineData("2026-11-01", false)]
    [InlineData("2026-09-22", false)] // 60 days
    [InlineData("2026-09-21", true)]
    [InlineData("2026-09/2026-11", true)]
    public void A_price_that_may_be_older_than_60_days_is_stale(string date, bool stale) =>
        Assert.Equal(stale, Assert.Single(Read($"{Header}\n{Row.Replace("2026-11-01", date)}\n", out _)).IsStale(new DateOnly(2026, 11, 21)));

    private static IReadOnlyList<Offer> Read(string text, out List<Mistake> mistakes)
    {
        mistakes = [];
        return PriceSheet.Read(new CatalogFile("prices/acme.csv", text), CatalogFiles.Shipped.AcceleratorNames, mistakes);
    }
}
