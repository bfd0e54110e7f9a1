using System.Text.Json;

namespace TokenFactory.Cli.Tests;

/// <summary>factory, as the user meets it.</summary>
public sealed class FactoryTests
{
    [Fact]
    public void Fits_gpus_by_power_at_the_meter()
    {
        var gpus = Program.Run("factory", "--mw", "100", "--gpu", "gb200", "--pue", "1.25", "--headroom", "10%", "--json").Json.GetProperty("gpus")[0];
        Assert.Equal(Math.Floor(100e6 * 0.9 / (1870 * 1.25)), gpus.GetProperty("gpus_that_fit").GetDouble());
    }

    [Fact]
    public void One_more_megawatt_earns_what_the_shadow_price_says()
    {
        double Profit(string megawatts) => Program.Run("factory", "--mw", megawatts, "--gpu", "gb200", "--headroom", "20%", "--json")
            .Json.GetProperty("per_year")[0].GetProperty("profit_usd_per_year").GetDouble();
        var run = Program.Run("factory", "--mw", "100", "--gpu", "gb200", "--headroom", "20%");
        var earned = Profit("101") - Profit("100");
        Assert.Contains($"one more megawatt would earn ${earned / 1e6:0.00} M a year", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void States_utilisation_and_price_source_beside_every_revenue()
    {
        var run = Program.Run("factory", "--mw", "100", "--gpu", "gb200", "--utilisation", "0.6");
        var told = run.Out.Split('\n').Where(line => line.Contains("revenue and", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(told);
        Assert.All(told, line =>
        {
            Assert.Contains("60 % utilisation", line, StringComparison.Ordinal);
            Assert.Contains("the prices of GTC 2026 tiers", line, StringComparison.Ordinal);
        });
        var years = Program.Run("factory", "--mw", "100", "--gpu", "gb200", "--utilisation", "0.6", "--json").Json.GetProperty("per_year");
        Assert.All(years.EnumerateArray(), row =>
        {
            Assert.Equal(0.6, row.GetProperty("utilisation").GetDouble());
            Assert.Equal("GTC 2026 tiers", row.GetProperty("price_source").GetString());
        });
    }

    [Fact]
    public void The_best_split_is_never_worse_than_the_even_one_and_keeps_demand_stock_and_power()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("site.yaml", """
            mw: 10
            pue: 1.2
            utilisation: 0.5
            availability: 1
            gpus:
              - {gpu: b200, usd_per_gpu_hour: 3, it_watts_per_gpu: 1700, stock: 2000}
              - {gpu: h200, usd_per_gpu_hour: 2, it_watts_per_gpu: 1300}
            tiers:
              - {name: cheap, usd_per_million_tokens: 0.5, tokens_per_second_per_gpu: {b200: 8000, h200: 3000}}
              - {name: quick, usd_per_million_tokens: 8, tokens_per_second_per_gpu: {b200: 1000}, demand_tokens_per_second: 300000}
            """);
        var json = Program.Run("factory", path, "--json").Json;
        var split = json.GetProperty("best_split").EnumerateArray().ToList();
        double Sum(string key, Func<JsonElement, bool> which) => split.Where(which).Sum(row => row.GetProperty(key).GetDouble());
        Assert.Equal(10, Sum("megawatts", _ => true), 6);
        Assert.True(Sum("gpus", row => row.GetProperty("gpu").GetString() == "b200") <= 2000 + 1e-6);
        Assert.Equal(300_000 * 86_400.0, Sum("tokens_per_day", row => row.GetProperty("tier").GetString() == "quick"), 1.0);
        var years = json.GetProperty("per_year");
        Assert.True(years[0].GetProperty("profit_usd_per_year").GetDouble() >= years[1].GetProperty("profit_usd_per_year").GetDouble());
    }

    [Fact]
    public void Takes_plain_names_of_gpus_and_a_file_that_says_who_says_so()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("site.yaml", "source: a plan\ndate: 2026-11-20\nkind: estimated\nmw: 10\nmodel: deepseek-r1\ngpus: [gb200, b200]\n");
        var run = Program.Run("factory", path, "--json");
        Assert.Equal(0, run.Code);
        Assert.Equal(2, run.Json.GetProperty("gpus").GetArrayLength());
    }

    [Fact]
    public void Says_no_where_no_tier_pays()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("site.yaml", """
            mw: 1
            gpus: [{gpu: h100, usd_per_gpu_hour: 10}]
            tiers: [{name: free, usd_per_million_tokens: 0, tokens_per_second_per_gpu: 1000}]
            """);
        var run = Program.Run("factory", path);
        Assert.Equal(1, run.Code);
        Assert.Contains("No tier pays for its GPUs", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_all_mistakes_of_a_site_together()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("site.yaml", """
            mw: 0
            power: 5
            gpus:
              - {gpu: b2000}
            tiers:
              - {name: a, price: 5, tokens_per_second_per_gpu: {h100: 5}}
            """);
        var run = Program.Run("factory", path);
        Assert.Equal(2, run.Code);
        Assert.All(new[] { ":1: 'mw' is 0", ":2: unknown key 'power'", ":4: 'gpu' names 'b2000'", "'usd_per_million_tokens' is missing", "unknown key 'price'", "is not on the site" },
            message => Assert.Contains(message, run.Err, StringComparison.Ordinal));
    }
}
