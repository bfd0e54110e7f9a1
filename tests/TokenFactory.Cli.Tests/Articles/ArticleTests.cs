using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests.Articles;

/// <summary>The tables of the articles this project began from, recomputed by the program from the example files.</summary>
public sealed class ArticleTests
{
    private static readonly IReadOnlyList<PrintedCell> Cells = [.. SpheronArticle.Cells(), .. NvidiaTable.Cells()];

    private static readonly Dictionary<string, KnownDifference> Known = KnownDifferences.All.ToDictionary(known => known.Cell, StringComparer.Ordinal);

    public static TheoryData<string> Names() => [.. Cells.Select(cell => cell.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Recomputes_the_printed_figure_or_knows_why_not(string name)
    {
        var cell = Cells.Single(cell => cell.Name == name);
        if (Known.TryGetValue(name, out var known))
        {
            Assert.False(cell.Agrees, $"{name}: {cell.Printed} is reproduced now; take it off the known differences and out of docs/articles.md");
            Assert.Equal(known.Ours, cell.Ours);
        }
        else
        {
            Assert.Equal(cell.Printed, cell.Ours);
        }
    }

    [Fact]
    public void Knows_differences_only_of_cells_that_exist() =>
        Assert.All(Known.Keys, name => Assert.Contains(Cells, cell => cell.Name == name));

    [Fact]
    public void The_documentation_lists_every_difference_and_no_other()
    {
        var expected = KnownDifferences.All.Select(known => $"| {known.Cell} | {Cells.Single(cell => cell.Name == known.Cell).Printed} | {known.Ours} | {known.Cause} |");
        var rows = Repository.Text("docs", "articles.md").Split('\n').SkipWhile(line => !line.StartsWith("| figure | printed | ours | cause |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'));
        Assert.Equal(expected, rows);
    }

    [Fact]
    public void The_documentation_counts_the_figures() =>
        Assert.Contains($"{Cells.Count} figures: {Cells.Count(cell => cell.Input)} are inputs; of the others {Cells.Count(cell => !cell.Input && cell.Agrees)} are reproduced at the\nprinted precision and {Known.Count} are not", Repository.Text("docs", "articles.md"), StringComparison.Ordinal);

    /// <summary>Two explanations of the cost on Hopper fit; the table proves neither.</summary>
    [Fact]
    public void What_would_explain_the_cost_on_hopper()
    {
        Assert.Equal(4.20, 35 * 0.12, 12);
        var (hopper, blackwell) = (Cost(1.41, 93.25), Cost(2.65, 93.25 * 65));
        Assert.Equal(6061, 93.25 * 65, 0.5);
        Assert.Equal(4.20, hopper, 0.005);
        Assert.Equal(0.12, blackwell, 0.005);
        Assert.Equal(35, hopper / blackwell, 0.5);

        static double Cost(double usdPerHour, double tokensPerSecond) =>
            Examples.Ask(FormattableString.Invariant($"price --gpu h200 --usd-per-gpu-hour {usdPerHour} --tokens-per-second-per-gpu {tokensPerSecond}")).GetProperty("points")[0].Cost();
    }

    [Theory]
    [InlineData("0.69", "on-demand")]
    [InlineData("0.71", "reserved-1y")]
    public void Thirty_percent_off_pays_from_seventy_percent_use(string utilisation, string billing)
    {
        var plan = Examples.Ask($"billing examples/billing-stable.yaml --utilisation {utilisation}").GetProperty("plan").EnumerateArray().Single();
        Assert.Equal(billing, plan.GetProperty("billing").GetString());
    }

    [Fact]
    public void The_watts_of_the_hopper_example_are_those_that_its_tokens_per_megawatt_imply()
    {
        Assert.Equal(90 / 54e3 * 1e6, Watts("h200-sxm"), 0.001);
        Assert.Equal(6000 / 2.8e6 * 1e6, Watts("gb300-nvl72"), 0.001);

        static double Watts(string gpu)
        {
            var point = Examples.Point("hopper-blackwell", gpu);
            return point.Number("joules_per_token_facility") * point.Number("tokens_per_second_per_gpu");
        }
    }
}
