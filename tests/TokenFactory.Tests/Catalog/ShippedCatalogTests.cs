using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>The catalog that is shipped: complete, consistent, and every number with its source.</summary>
public sealed class ShippedCatalogTests
{
    private static CatalogContents Catalog => CatalogFiles.Shipped;

    [Fact]
    public void Reads_without_a_mistake()
    {
        CatalogFiles.Read([CatalogFiles.All], out var mistakes);
        Assert.Empty(mistakes);
    }

    [Fact]
    public void Holds_enough_to_be_useful()
    {
        Assert.True(Catalog.Accelerators.Count >= 20, $"{Catalog.Accelerators.Count} accelerators");
        Assert.True(Catalog.Models.Count >= 25, $"{Catalog.Models.Count} models");
        Assert.True(Catalog.Providers.Count() >= 9, $"{Catalog.Providers.Count()} providers");
        Assert.Equal(
            [Billing.OnDemand, Billing.Spot, Billing.Reserved1Year, Billing.Reserved3Year],
            Catalog.Offers.Select(offer => offer.Billing).Where(billing => billing != Billing.Owned).Distinct().Order());
        Assert.NotEmpty(Catalog.Engines);
        Assert.NotEmpty(Catalog.Points);
        Assert.NotEmpty(Catalog.ApiPrices);
        Assert.NotEmpty(Catalog.TierSets);
    }

    [Fact]
    public void Every_number_of_every_file_has_a_source()
    {
        var files = CatalogFiles.All.Where(file => file.Path.EndsWith(".json", StringComparison.Ordinal)).ToList();
        var numbers = files.SelectMany(file => EntryNumbers.Of(file).Select(number => (file.Path, Number: number))).ToList();
        Assert.Empty(numbers.Where(found => found.Number.From is null)
            .Select(found => $"{found.Path}: {found.Number.Path} = {found.Number.Value}"));
        Assert.Equal(files.Select(file => file.Path), numbers.Select(found => found.Path).Distinct()); // the walk reached every file
        Assert.True(numbers.Count > 1000, $"{numbers.Count} numbers");
    }

    [Fact]
    public void Files_are_named_after_their_keys()
    {
        var keys = Catalog.Accelerators.Select(gpu => $"accelerators/{gpu.Key}.json")
            .Concat(Catalog.Models.Select(model => $"models/{model.Key}.json"))
            .Concat(Catalog.Engines.Select(engine => $"engines/{engine.Key}.json"))
            .Concat(Catalog.ApiPrices.Select(price => $"api-prices/{price.Key}.json"))
            .Concat(Catalog.TierSets.Select(set => $"tiers/{set.Key}.json"));
        var files = CatalogFiles.All.Select(file => file.Path)
            .Where(path => path.EndsWith(".json", StringComparison.Ordinal) && path.Contains('/') && !path.StartsWith("points/", StringComparison.Ordinal));
        Assert.Equal(files, keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_row_of_every_sheet_is_an_offer_with_who_when_and_how()
    {
        var rows = CatalogFiles.All.Where(file => file.Path.StartsWith("prices/", StringComparison.Ordinal))
            .Sum(file => file.Text.Split('\n').Count(line => line.Trim().Length > 0 && !line.StartsWith('#')) - 1);
        Assert.Equal(rows, Catalog.Offers.Count);
        foreach (var offer in Catalog.Offers)
        {
            var source = Assert.Single(offer.PerGpu.From.Sources);
            Assert.True(source.Text.Length > 0 && source.Date.Latest >= source.Date.Earliest && source.Date.Earliest.Year >= 2024,
                $"{offer}");
            Assert.True(offer.PerGpu.Value.Value is > 0.01 and < 100 && offer.GpusPerInstance >= 1,
                $"{offer.Provider} {offer.InstanceType} {offer.PerGpu.Value}");
        }
    }

    [Fact]
    public void Suspect_prices_say_why() =>
        Assert.All(Catalog.Offers.Where(offer => offer.Suspect), offer => Assert.False(string.IsNullOrWhiteSpace(offer.PerGpu.Note), $"{offer}"));

    [Fact]
    public void Points_and_prices_name_models_of_the_catalog()
    {
        Assert.Empty(Catalog.Points.Where(point => Catalog.ModelNames.Find(point.Model) is null)
            .Select(point => $"{point.Key}: {point.Model}"));
        Assert.Empty(Catalog.ApiPrices.Where(price => Catalog.ModelNames.Find(price.Model) is null)
            .Select(price => $"{price.Key}: {price.Model}"));
    }

    [Fact]
    public void No_two_things_share_a_name()
    {
        AssertDistinct(Catalog.Accelerators.Select(gpu => (gpu.Key, (IEnumerable<string>)[gpu.Key, gpu.Name, .. gpu.Aliases])));
        AssertDistinct(Catalog.Engines.Select(engine => (engine.Key, (IEnumerable<string>)[engine.Key, engine.Name, .. engine.Aliases])));
    }

    [Theory]
    [InlineData("h100-sxm", "h100", "H100 SXM", "h100-sxm-80gb", "nvidia h100")]
    [InlineData("mi300x", "MI300X", "mi-300x", "mi 300 x", "MI300X")]
    [InlineData("a100-sxm-80gb", "A100-SXM-80GB", "a100 sxm 80gb", "A100_SXM_80GB", "a100sxm80gb")]
    public void An_accelerator_is_found_by_any_of_its_names(string key, params string[] names)
    {
        var gpu = Catalog.Accelerators.Single(gpu => gpu.Key == key);
        Assert.All(names, name => Assert.Same(gpu, Catalog.AcceleratorNames.Find(name)));
    }

    [Theory]
    [InlineData("llama-3.1-70b", "Llama 3.1 70B")]
    [InlineData("gpt-oss-120b", "GPT-OSS 120B")]
    [InlineData("deepseek-r1", "DeepSeek R1")]
    public void A_model_is_found_by_any_of_its_names(string key, string name) => Assert.Equal(key, Catalog.ModelNames.Find(name)?.Key);

    [Fact]
    public void What_is_not_there_is_answered_with_what_is_near()
    {
        Assert.Null(Catalog.AcceleratorNames.Find("h100x"));
        Assert.Equal("h100-sxm", Catalog.AcceleratorNames.Nearest("h100x")[0]);
    }

    [Fact]
    public void Accelerators_are_physically_possible()
    {
        foreach (var gpu in Catalog.Accelerators)
        {
            Assert.True(gpu.UsableMemoryGigabytes is not { } usable || gpu.MemoryGigabytes is not { } all || usable.Value <= all.Value,
                $"{gpu.Key}: usable memory");
            Assert.True(gpu.Tdp is not { } tdp || tdp.Value.Value is >= 50 and <= 3000, $"{gpu.Key}: TDP");
            Assert.True(gpu.ItPower is not { } it || gpu.Tdp is not { } board || it.Value.Value > board.Value.Value,
                $"{gpu.Key}: IT power below the board's");
            Assert.True(gpu.Fp8 is not { } fp8 || gpu.Bf16 is not { } bf16 || fp8.Value.Value >= bf16.Value.Value,
                $"{gpu.Key}: FP8 slower than BF16");
            var curve = gpu.Chassis?.Value.PsuEfficiency ?? [];
            Assert.Equal(curve.Select(point => point.Load).Distinct().Order(), curve.Select(point => point.Load));
            Assert.All(curve, point => Assert.True(point is { Efficiency: > 0.5 and < 1, Load: > 0 and <= 1 }, $"{gpu.Key}: {point}"));
        }
    }

    private static void AssertDistinct(IEnumerable<(string Key, IEnumerable<string> Names)> things)
    {
        var bearers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, names) in things)
        {
            foreach (var name in names.Select(Names.Fold).Distinct())
                Assert.True(bearers.TryAdd(name, key), $"'{name}' is {bearers.GetValueOrDefault(name)} and {key}");
        }
    }
}
