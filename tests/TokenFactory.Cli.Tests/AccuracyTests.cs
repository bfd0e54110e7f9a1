using TokenFactory.Cli.Verbs;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>docs/accuracy.md and the shipped calibration are what the program makes; ./check --docs writes the page anew.</summary>
public sealed class AccuracyTests
{
    private const string NoMeasurements = "the public measurements are not beside this checkout: only a place that has them can tell";
    private static readonly bool Write = Environment.GetEnvironmentVariable("TOKENFACTORY_WRITE_DOCS") is { Length: > 0 };
    private static readonly string Page = Repository.Path("docs", "accuracy.md");
    private static readonly string Measured = Repository.Path("..", "shared", "data", "measured");
    private static readonly string Kernels = Repository.Path("..", "shared", "data", "kernels");

    [Fact]
    public void The_claims_are_what_the_model_says()
    {
        using var folder = new TemporaryFolder();
        var copy = folder.Write("accuracy.md", File.ReadAllText(Page));
        var run = Program.Run("calibrate", "--report", copy);
        Assert.True(run.Code == 0, run.Err);
        Compare(copy, AccuracyPage.Claims);
    }

    [Fact]
    public void The_errors_and_the_shipped_factors_are_what_the_measurements_give()
    {
        Assert.SkipUnless(Directory.Exists(Measured), NoMeasurements);
        using var folder = new TemporaryFolder();
        var shipped = Repository.Text("catalog", "calibration", "serving.csv");
        var source = shipped.Split('\n')[1].Split('"')[1];
        var copy = folder.Write("accuracy.md", File.ReadAllText(Page));
        var run = Program.Run(
            "calibrate", "--from", Path.Combine(Measured, "serving.csv"), "--from", Path.Combine(Measured, "power.csv"),
            "--out", folder.Root, "--source", source, "--report", copy);
        Assert.True(run.Code == 0, run.Err);
        Assert.Equal(shipped, File.ReadAllText(Path.Combine(folder.Root, "serving.csv")));
        Assert.Equal(Repository.Text("catalog", "calibration", "errors.csv"), File.ReadAllText(Path.Combine(folder.Root, "errors.csv")));
        Compare(copy, AccuracyPage.Errors);
        Compare(copy, AccuracyPage.Choice);
        Compare(copy, AccuracyPage.Twin);
    }

    [Fact]
    public void Choosing_by_prediction_loses_less_than_the_floor()
    {
        var rows = AccuracyPage.Part(File.ReadAllText(Page), AccuracyPage.Choice)!.Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split(" | ").Select(cell => cell.Trim()).ToArray())
            .ToLookup(cells => cells[0]);
        foreach (var measure in new[] { "regret, median", "loss, median" })
        {
            var row = Assert.Single(rows[measure]);
            Assert.Contains(row[4], new[] { "aim", "floor" });
            Assert.Contains(row[6], new[] { "aim", "floor" });
        }
    }

    [Fact]
    public void The_readme_says_how_wrong_predictions_are()
    {
        const string summary = "summary";
        var readme = Repository.Text("README.md");
        var rows = File.ReadLines(Page)
            .SkipWhile(line => !line.StartsWith("| metric |", StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split(" | "));
        var table = string.Join('\n', rows.Select(cells => cells[0].Contains("---", StringComparison.Ordinal)
            ? "| --- | ---: |"
            : $"{cells[0]} | {cells[4].Replace("ours", "on unseen cells", StringComparison.Ordinal)} |"));
        if (Write && AccuracyPage.Part(readme, summary) != table)
            File.WriteAllText(Repository.Path("README.md"), AccuracyPage.With(readme, [(summary, table)]));
        Assert.Equal(AccuracyPage.Part(Repository.Text("README.md"), summary), table);
    }

    [Fact]
    public void The_shipped_kernel_constants_are_what_the_measurements_give()
    {
        Assert.SkipUnless(Directory.Exists(Kernels), NoMeasurements);
        using var folder = new TemporaryFolder();
        var run = Program.Run("calibrate", "--kernels", Kernels, "--out", folder.Root);
        Assert.True(run.Code == 0, run.Err);
        Assert.All(["kernels.csv", "collectives.csv"], name =>
            Assert.Equal(Repository.Text("catalog", "calibration", name), File.ReadAllText(Path.Combine(folder.Root, name))));
    }

    [Fact]
    public void A_page_keeps_what_people_wrote_around_the_parts()
    {
        const string before = "# Mine\n\nwords\n\n<!-- begin: errors -->\nold\n<!-- end: errors -->\n\nmore words\n";
        var after = AccuracyPage.With(before, [(AccuracyPage.Errors, "new"), (AccuracyPage.Claims, "claims")]);
        Assert.Equal(
            "# Mine\n\nwords\n\n<!-- begin: errors -->\n\nnew\n\n<!-- end: errors -->\n\nmore words\n\n<!-- begin: claims -->\n\nclaims\n\n<!-- end: claims -->\n",
            after);
        Assert.Equal("new", AccuracyPage.Part(after, AccuracyPage.Errors));
        Assert.Equal(after, AccuracyPage.With(after, [(AccuracyPage.Errors, "new"), (AccuracyPage.Claims, "claims")]));
    }

    private static void Compare(string made, string part)
    {
        var text = AccuracyPage.Part(File.ReadAllText(made), part);
        Assert.NotNull(text);
        if (Write)
            File.WriteAllText(Page, AccuracyPage.With(File.ReadAllText(Page), [(part, text)]));
        Assert.Equal(AccuracyPage.Part(File.ReadAllText(Page), part), text);
    }
}
