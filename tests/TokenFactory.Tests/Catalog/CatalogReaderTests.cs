using TokenFactory.Catalog;
using TokenFactory.Units;

namespace TokenFactory.Tests.Catalog;

/// <summary>Layers of a catalog: what a later one replaces, and what is refused.</summary>
public sealed class CatalogReaderTests
{
    private const string Sources = "\"sources\": { \"me\": { \"source\": \"my own bench\", \"date\": \"2026-11\", \"kind\": \"measured\" } }";
    private const string Header = "provider,gpu,billing,usd_per_gpu_hour,date,kind,source,region,suspect";

    [Fact]
    public void A_later_entry_replaces_the_whole_entry_of_its_key()
    {
        var catalog = Overlaid(new CatalogFile("accelerators/b200.json", Gpu("b200", "Our B200", "ours")));
        var b200 = catalog.AcceleratorNames.Find("b200");
        Assert.Equal((new Watts(950), "my own bench"), (b200!.Tdp!.Value.Value, b200.Tdp.Value.From.Sources.Single().Text));
        Assert.Null(b200.MemoryGigabytes); // entries are replaced, not merged
        Assert.Same(b200, catalog.AcceleratorNames.Find("OURS"));
        Assert.Equal(CatalogFiles.Shipped.Accelerators.Select(gpu => gpu.Key), catalog.Accelerators.Select(gpu => gpu.Key));
    }

    [Fact]
    public void A_new_entry_is_added_in_its_place()
    {
        var catalog = Overlaid(new CatalogFile("accelerators/b250.json", Gpu("b250", "B250", "b-250")));
        Assert.Equal(CatalogFiles.Shipped.Accelerators.Count + 1, catalog.Accelerators.Count);
        Assert.Equal(catalog.Accelerators.Select(gpu => gpu.Key).Order(StringComparer.Ordinal),
            catalog.Accelerators.Select(gpu => gpu.Key));
    }

    [Fact]
    public void Offers_name_the_accelerator_of_the_last_layer()
    {
        var catalog = Overlaid(new CatalogFile("accelerators/b200.json", Gpu("b200", "Our B200", "ours")));
        Assert.All(catalog.Offers.Where(offer => offer.Gpu.Key == "b200"), offer => Assert.Equal("Our B200", offer.Gpu.Name));
        Assert.Contains(catalog.Offers, offer => offer.Gpu.Key == "b200");
    }

    [Fact]
    public void A_sheet_replaces_every_row_of_its_providers_and_of_no_other()
    {
        var catalog = Overlaid(new CatalogFile("prices/mine.csv", $"{Header}\naws,h100,spot,1.5,2026-11,measured,my bill,,\n"));
        Assert.Equal(1.5, Assert.Single(catalog.Offers, offer => Names.Fold(offer.Provider) == "aws").PerGpu.Value.Value);
        Assert.True(CatalogFiles.Shipped.Offers.Count(offer => offer.Provider == "AWS") > 1);
        Assert.Equal(
            CatalogFiles.Shipped.Offers.Where(offer => offer.Provider != "AWS").Select(offer => (offer.Provider, offer.Gpu.Key, offer.PerGpu.Value)),
            catalog.Offers.Where(offer => offer.Provider != "aws").Select(offer => (offer.Provider, offer.Gpu.Key, offer.PerGpu.Value)));
    }

    [Fact]
    public void A_point_replaces_the_point_of_its_key()
    {
        var shipped = CatalogFiles.Shipped.Points[0];
        var catalog = Overlaid(new CatalogFile("points/mine.json", $$"""
            { "points": [{ "key": "{{shipped.Key}}", "from": "me", "model": "{{shipped.Model}}", "gpu": "h100", "gpus": 4, "counts": "output",
                "tokens_per_second_per_gpu": 123 }], {{Sources}} }
            """));
        Assert.Equal(CatalogFiles.Shipped.Points.Count, catalog.Points.Count);
        Assert.Equal(123, catalog.Points.Single(point => point.Key == shipped.Key).Throughput.Value.Value);
    }

    [Fact]
    public void The_last_site_counts()
    {
        var text = CatalogFiles.One("site-defaults.json").Text;
        var changed = text.Replace("\"value\": 0.08", "\"value\": 0.05");
        Assert.NotEqual(text, changed);
        Assert.Equal(0.05, Overlaid(new CatalogFile("site-defaults.json", changed)).Site.Electricity.Value.Value);
        Assert.Equal(0.08, CatalogFiles.Shipped.Site.Electricity.Value.Value);
    }

    [Fact]
    public void A_catalog_without_a_site_is_incomplete()
    {
        CatalogFiles.Read([[.. CatalogFiles.All.Where(file => file.Path != "site-defaults.json")]], out var mistakes);
        Assert.Equal("site-defaults.json: is missing from the catalog. Restore it: it says what is assumed about a site.", Assert.Single(mistakes).ToString());
    }

    [Fact]
    public void A_site_of_impossible_shares_is_told()
    {
        var text = CatalogFiles.One("site-defaults.json").Text.Replace("\"value\": 0.97", "\"value\": 97").Replace("\"value\": 1.3,", "\"value\": 0.9,");
        Assert.Equal(
            ["'pue_air' is 0.9", "'availability' is 97"],
            CatalogFiles.MistakesWith(new CatalogFile("site-defaults.json", text)).Select(told => told["site-defaults.json: ".Length..].Split(". ")[0]));
    }

    [Theory]
    [InlineData("gpus/b200.json")]
    [InlineData("notes.txt")]
    public void A_file_that_no_reader_looks_at_is_told(string path) =>
        Assert.StartsWith($"{path}: is in no folder of a catalog", Assert.Single(CatalogFiles.MistakesWith(new CatalogFile(path, "{}"))));

    [Fact]
    public void A_file_must_be_named_after_its_key() =>
        Assert.Equal(
            "accelerators/b250.json: holds the key 'b251'. Name the file b251.json, so that it can be found.",
            Assert.Single(CatalogFiles.MistakesWith(new CatalogFile("accelerators/b250.json", Gpu("b251", "B251", "b-251")))));

    [Fact]
    public void A_name_that_another_bears_is_told() =>
        Assert.Equal(
            "b250: the name 'H-200 SXM' belongs to 'h200-sxm' already. Remove the alias from one of them.",
            Assert.Single(CatalogFiles.MistakesWith(new CatalogFile("accelerators/b250.json", Gpu("b250", "B250", "H-200 SXM")))));

    [Fact]
    public void Mistakes_of_all_files_come_together()
    {
        var told = CatalogFiles.MistakesWith(
            new CatalogFile("accelerators/b250.json", Gpu("b250", "B250", "b-250").Replace("tdp_w", "tpd_w")),
            new CatalogFile("prices/mine.csv", $"{Header}\nMine,h100,spot,0,2026-11,measured,my bill,,\n"),
            new CatalogFile("engines/mine.json", "{"),
            new CatalogFile("points/mine.json", $"{{ \"points\": [{{ \"gpu\": \"h1000\" }}], {Sources} }}")).ToList();
        Assert.Contains(told,
            mistake => mistake.StartsWith("accelerators/b250.json: unknown key 'tpd_w'. Did you mean 'tdp_w'?", StringComparison.Ordinal));
        Assert.Contains(told,
            mistake => mistake.StartsWith("prices/mine.csv:2: column 'usd_per_gpu_hour' is '0'", StringComparison.Ordinal));
        Assert.Contains(told, mistake => mistake.StartsWith("engines/mine.json:1: not JSON", StringComparison.Ordinal));
        Assert.Contains(told,
            mistake => mistake.StartsWith("points/mine.json: points[0]: 'gpu' names 'h1000', which the catalog lacks", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"gpus\": 8, \"prefill_gpus\": 4, \"decode_gpus\": 2", "'gpus' is 8 but prefill and decode add up to 6")]
    [InlineData("\"gpus\": 8, \"watts_per_gpu\": 500", "'watts_per_gpu' does not say where it is measured")]
    [InlineData("\"gpus\": 8, \"watts_per_gpu\": 500, \"power_boundary\": \"rack\"", "'watts_per_gpu' does not say where it is measured")]
    [InlineData("\"gpus\": 0", "'gpus' is 0")]
    [InlineData("\"gpus\": 8, \"wats\": 5", "unknown key 'wats'")]
    public void A_point_that_contradicts_itself_is_told(string members, string what)
    {
        var file = new CatalogFile("points/mine.json", $$"""
            { "points": [{ "key": "mine", "from": "me", "model": "deepseek-r1", "gpu": "h100", {{members}}, "counts": "output",
                "tokens_per_second_per_gpu": 123 }], {{Sources}} }
            """);
        Assert.StartsWith($"points/mine.json: points[0]: {what}", Assert.Single(CatalogFiles.MistakesWith(file)));
    }

    [Fact]
    public void The_cheapest_offer_is_found_and_a_suspect_one_only_in_need()
    {
        var catalog = Overlaid(new CatalogFile("prices/mine.csv", $"""
            {Header}
            My Cloud,h100,on-demand,0.10,2026-11,measured,here,eu-1,true
            My Cloud,h100,on-demand,1.75,2026-11,measured,here,eu-1,false
            My Cloud,h100,on-demand,1.50,2026-11,measured,here,us-2,false
            My Cloud,h100,spot,0.20,2026-11,measured,here,us-2,true
            """));
        var h100 = catalog.AcceleratorNames.Find("h100")!;
        Assert.Equal(1.50, catalog.Cheapest(h100, Billing.OnDemand, "my-cloud")!.PerGpu.Value.Value);
        Assert.Equal(1.75, catalog.Cheapest(h100, Billing.OnDemand, "my-cloud", "EU")!.PerGpu.Value.Value);
        Assert.Equal(0.20, catalog.Cheapest(h100, Billing.Spot, "my-cloud")!.PerGpu.Value.Value);
        Assert.Null(catalog.Cheapest(h100, Billing.Reserved1Year, "my-cloud"));
        Assert.True(catalog.Cheapest(h100, Billing.OnDemand)!.PerGpu.Value.Value <= 1.50);
    }

    private static CatalogContents Overlaid(params CatalogFile[] overlay)
    {
        var catalog = CatalogFiles.Read([CatalogFiles.All, overlay], out var mistakes);
        Assert.Empty(mistakes);
        return catalog;
    }

    private static string Gpu(string key, string name, string alias) =>
        $$"""{ "key": "{{key}}", "name": "{{name}}", "aliases": ["{{alias}}"], "vendor": "Us", "architecture": "None", "from": "me", "tdp_w": 950, {{Sources}} }""";
}
