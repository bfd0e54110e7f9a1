using System.Text.Json;

namespace TokenFactory.Cli.Tests;

/// <summary>price, as the user meets it.</summary>
public sealed class PriceTests
{
    [Fact]
    public void Works_as_the_first_command_typed()
    {
        var run = Program.Run("price");
        Assert.Equal(0, run.Code);
        Assert.Empty(run.Err);
        Assert.StartsWith("Cheapest million tokens", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Out);
    }

    [Fact]
    public void Ranks_best_first_among_the_same_model_and_the_same_counted_tokens()
    {
        var points = Program.Run("price", "--all-points", "--billing", "all", "--json").Json.GetProperty("points").EnumerateArray().ToList();
        Assert.True(points.Count > 100);
        var groups = points.GroupBy(point => (Text(point, "model"), Text(point, "tokens_counted")));
        Assert.All(groups, group => Assert.Equal(group.Select(Cost).Order(), group.Select(Cost)));
    }

    [Fact]
    public void Computes_the_formula_of_a_point_given_by_flags()
    {
        var point = Program.Run("price", "--gpu", "H100 SXM", "--tokens-per-second-per-gpu", "2000", "--usd-per-gpu-hour", "2.90", "--watts-per-gpu", "700", "--utilisation", "50%", "--availability", "0.8", "--json")
            .Json.GetProperty("points")[0];
        var busy = 2.90 / (2000 * 3600) * 1e6;
        Assert.Equal(busy, Number(point, "usd_per_million_tokens_usage"), 12);
        Assert.Equal(busy / 0.4, Cost(point), 12);
        Assert.Equal(2000.0 / 700, Number(point, "tokens_per_joule_board"), 12);
        Assert.Equal(700.0 / 2000, Number(point, "joules_per_token_board"), 12);
    }

    [Fact]
    public void Divides_a_disaggregated_deployment_by_all_its_gpus()
    {
        var apart = Program.Run("price", "--gpu", "h200", "--tokens-per-second", "24000", "--prefill-gpus", "4", "--decode-gpus", "8", "--usd-per-gpu-hour", "3", "--json").Json.GetProperty("points")[0];
        var together = Program.Run("price", "--gpu", "h200", "--tokens-per-second", "24000", "--gpus", "12", "--usd-per-gpu-hour", "3", "--json").Json.GetProperty("points")[0];
        Assert.Equal(2000, Number(apart, "tokens_per_second_per_gpu"), 9);
        Assert.Equal(Cost(together), Cost(apart), 12);
    }

    [Fact]
    public void Splits_the_cost_by_token_class_so_that_it_sums_to_the_price()
    {
        var row = Program.Run("price", "--gpu", "gb200", "--model", "deepseek-r1", "--usd-per-gpu-hour", "4", "--prefill-share", "0.4", "--cache-hit-rate", "0.5", "--cached-weight", "0.1", "--all-points", "--json").Json;
        var split = row.GetProperty("by_token_class")[0];
        var point = row.GetProperty("points")[0];
        var total = Number(point, "tokens_per_second_per_gpu");
        Assert.True(Number(split, "fresh_input_usd_per_million") > Number(split, "cached_input_usd_per_million"));
        Assert.Equal(4, Number(split, "blended_usd_per_million") * total * 3600 / 1e6, 9);
    }

    [Fact]
    public void Marks_prices_by_their_age_on_the_day_asked()
    {
        var fresh = Program.Run("price", "--gpu", "h100", "--provider", "runpod", "--as-of", "2026-11-21");
        var old = Program.Run("price", "--gpu", "h100", "--provider", "runpod", "--as-of", "2027-02-01");
        Assert.DoesNotContain("$2.69*", fresh.Out, StringComparison.Ordinal);
        Assert.Contains("$2.69*", old.Out, StringComparison.Ordinal);
        Assert.Contains("may be older than 60 days on 2027-02-01", old.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Compares_spot_with_on_demand_of_the_same_provider()
    {
        var points = Program.Run("price", "--gpu", "h100", "--provider", "spheron", "--billing", "spot", "--vs", "on-demand", "--model", "llama-3.1-70b", "--json").Json.GetProperty("points").EnumerateArray().ToList();
        var spot = points.First(point => Text(point, "billing") == "spot");
        Assert.Equal((0.80 / 2.90) - 1, Number(spot, "change_against_baseline"), 9);
    }

    [Fact]
    public void Says_where_each_figure_comes_from_and_how_good_it_is()
    {
        var run = Program.Run("price", "--gpu", "h100", "--model", "llama-3.1-70b", "--sources");
        Assert.Contains("Sources (a figure is as good as the weakest of its sources)", run.Out, StringComparison.Ordinal);
        Assert.Contains("] measured, 2026-02-16: ML.ENERGY", run.Out, StringComparison.Ordinal);
        var json = Program.Run("price", "--gpu", "h100", "--model", "llama-3.1-70b", "--json").Json.GetProperty("points");
        Assert.All(json.EnumerateArray(), point =>
        {
            var cost = point.GetProperty("sources").GetProperty("usd_per_million_tokens");
            Assert.Equal("estimated", Text(cost, "kind"));
            Assert.All(cost.GetProperty("from").EnumerateArray(), source => Assert.NotEmpty(Text(source, "source")));
        });
    }

    [Fact]
    public void Shows_watts_where_they_were_measured_and_cools_racks_with_liquid()
    {
        var wide = Program.Run("price", "--gpu", "gb200", "--tokens-per-second-per-gpu", "6000", "--usd-per-gpu-hour", "4", "--watts-per-gpu", "2000", "--power-boundary", "facility");
        Assert.Contains("J/tok at the facility", wide.Out, StringComparison.Ordinal);
        var racks = Program.Run("price", "--gpu", "gb200", "--tokens-per-second-per-gpu", "6000", "--usd-per-gpu-hour", "4");
        Assert.Contains("PUE 1.10 and", racks.Out, StringComparison.Ordinal);
        var both = Program.Run("price", "--gpu", "gb200", "--gpu", "b200", "--model", "deepseek-r1");
        Assert.Contains("PUE 1.10 or 1.30", both.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_a_price_of_a_file_by_the_date_that_the_file_gives()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("p.yaml", "source: our contract\ndate: 2026-04-13\nkind: measured\npoints:\n  - {gpu: h100, tokens_per_second_per_gpu: 5, usd_per_gpu_hour: 2}\n");
        Assert.Contains("$2.00*", Program.Run("price", path).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("$2.00*", Program.Run("price", path, "--as-of", "2026-05-01").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Colours_words_on_a_terminal_and_nothing_else()
    {
        using var output = new StringWriter();
        App.Run(["factory", "--mw", "1", "--gpu", "gb200"], new Terminal(output, TextWriter.Null, 100, Colour: true, Program.Day, Program.NoCatalog));
        var plain = Program.RunIn(100, Program.NoCatalog, "factory", "--mw", "1", "--gpu", "gb200").Out;
        var codes = new[] { "\u001b[1m", "\u001b[1;36m", "\u001b[0m" };
        Assert.All(codes, code => Assert.Contains(code, output.ToString(), StringComparison.Ordinal));
        Assert.Equal(plain, codes.Aggregate(output.ToString(), (text, code) => text.Replace(code, "", StringComparison.Ordinal)));
    }

    [Fact]
    public void Estimates_are_marked_and_do_not_make_the_headline_where_there_is_an_offer()
    {
        var run = Program.Run("price", "--gpu", "b200", "--model", "llama-3.1-70b", "--billing", "owned", "--billing", "on-demand");
        Assert.Contains("~", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("SemiAnalysis", run.Out.Split("\n\n")[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Stamps_a_file_s_source_on_what_it_describes_and_not_on_what_it_assumes()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("p.yaml", """
            source: our meter
            date: 2026-11-20
            kind: measured
            sell_usd_per_million: 1
            points:
              - {gpu: h100, tokens_per_second_per_gpu: 2000, prices: [{usd_per_gpu_hour: 2, source: our contract, kind: datasheet}]}
            """);
        var sources = Program.Run("price", path, "--json").Json.GetProperty("points")[0].GetProperty("sources");
        Assert.Equal("measured", Text(sources.GetProperty("tokens_per_second_per_gpu"), "kind"));
        Assert.Equal("datasheet", Text(sources.GetProperty("usd_per_gpu_hour"), "kind"));
        Assert.Equal("estimated", Text(sources.GetProperty("gross_margin"), "kind"));
    }

    [Fact]
    public void Prices_an_owned_gpu_beside_a_rented_one()
    {
        var run = Program.Run("price", "--gpu", "h100", "--tokens-per-second-per-gpu", "2000", "--usd-per-gpu-hour", "2.9", "--capital-usd", "40000", "--sell-usd-per-million", "1");
        Assert.Contains("Owning costs $", run.Out, StringComparison.Ordinal);
        Assert.Contains("they are equal at a purchase price of $", run.Out, StringComparison.Ordinal);
        Assert.Contains("a GPU pays for itself in", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(400)]
    public void Fits_the_terminal_or_says_what_it_left_out(int width)
    {
        var run = Program.RunIn(width, Program.NoCatalog, "price", "--model", "llama-3.1-70b");
        var table = run.Out.Split('\n').Where(line => line.StartsWith(' ')).ToList();
        Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= width, $"{line.Length} columns: {line}"));
        Assert.Equal(width < 400, run.Out.Contains("Left out for want of width", StringComparison.Ordinal));
        Assert.Contains(table, line => line.Contains("$/M tok", StringComparison.Ordinal));
    }

    private static string Text(JsonElement element, string key) => element.GetProperty(key).GetString()!;

    private static double Number(JsonElement element, string key) => element.GetProperty(key).GetDouble();

    private static double Cost(JsonElement point) => Number(point, "usd_per_million_tokens");
}
