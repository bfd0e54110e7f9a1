using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Verbs;
using TokenFactory.Performance.Calibration;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>
/// Choosing configurations by prediction, judged by everything that was measured: anew under ./check --long, as it fits some hundred and
/// fifty times and draws the cells a thousand times; else as docs/accuracy.md has it, which AccuracyTests hold to the measurements.
/// </summary>
public sealed class ChoiceTests
{
    private static readonly string Measured = Repository.Path("..", "shared", "data", "measured");

    /// <summary>The published medians are below the floor.</summary>
    private static void Published()
    {
        var part = AccuracyPage.Part(Repository.Text("docs", "accuracy.md"), AccuracyPage.Choice)!;
        foreach (var measure in (string[])["regret, median", "loss, median"])
        {
            var row = part.Split('\n').First(line => line.StartsWith($"| {measure} |", StringComparison.Ordinal)).Split('|');
            Assert.InRange(double.Parse(row[4].Replace("%", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / 100, 0, AccuracyChoiceTables.RegretFloor);
        }
    }

    [Fact]
    public void Choosing_by_prediction_loses_little_whichever_cells_are_looked_at()
    {
        if (Environment.GetEnvironmentVariable("TOKENFACTORY_LONG") != "1")
        {
            Published();
            return;
        }

        Assert.SkipUnless(Directory.Exists(Measured), "the public measurements are not beside this checkout");
        var choice = AccuracyChoice.Of(Run())!;
        foreach (var sets in new[] { choice.Sets, choice.Narrow })
        {
            var grade = ChoiceGrade.Of(sets, ChoiceRules.Predicted)!;
            Assert.True(Math.Max(grade.MedianRegret, grade.MedianLoss) <= AccuracyChoiceTables.RegretAim, $"{grade}");
            Assert.True(Upper(sets, each => each.MedianRegret) <= AccuracyChoiceTables.RegretFloor);
            foreach (var rule in new[] { ChoiceRules.Fullest, ChoiceRules.TestedUsual, ChoiceRules.AtRandom })
            {
                var other = ChoiceGrade.Of(sets, rule)!;
                Assert.True(grade.MeanLoss < other.MeanLoss / 2 || grade.MeanLoss < other.MeanLoss - 0.1, $"{grade} against {other}");
                Assert.True(grade.TopThree > other.TopThree, $"{grade} against {other}");
            }
        }

        // What nobody measured is chosen nearly as well: the rules of thumb lose more, and the median stays below the floor.
        foreach (var chooser in choice.Choosers().Where(chooser => chooser.Title.Contains("nothing seen", StringComparison.Ordinal)))
            Assert.True(chooser.Grade!.MedianLoss <= AccuracyChoiceTables.RegretFloor, $"{chooser.Title}: {chooser.Grade}");

        // Promises with a margin are kept about as often as was said.
        foreach (var confidence in AccuracyChoice.Confidences)
        {
            Assert.InRange(choice.Coverage(Metric.Tpot, confidence)!.Value.Kept, confidence - 0.06, confidence + 0.06);
            Assert.InRange(choice.Coverage(Metric.Ttft, confidence)!.Value.Kept, confidence - 0.06, confidence + 0.06);
        }
    }

    /// <summary>What nineteen in twenty draws of as many cells, with repetition, stay below.</summary>
    private static double Upper(IReadOnlyList<ChoiceSet> sets, Func<ChoiceGrade, double> of)
    {
        var dice = new Random(20261121);
        var cells = sets.GroupBy(set => set.Cell, StringComparer.Ordinal).Select(cell => cell.ToList()).ToList();
        return Enumerable.Range(0, 1000)
            .Select(_ => Enumerable.Range(0, cells.Count).SelectMany(_ => cells[dice.Next(cells.Count)]).ToList())
            .Select(drawn => of(ChoiceGrade.Of(drawn, ChoiceRules.Predicted)!))
            .Order()
            .ElementAt(950);
    }

    private static CalibrateRun Run()
    {
        var mistakes = new List<Mistake>();
        string[] unread = ["calibration", "prices", "points", "tiers", "api-prices"];
        var files = Files.Layer(Files.BuiltInCatalog, path => !unread.Contains(path.Split('/')[0]));
        var catalog = CatalogReader.Read([files], mistakes);
        var calibration = CalibrationInput.Read([Files.BuiltInCatalog], catalog.Accelerators, mistakes);
        Assert.Empty(mistakes);
        var input = CalibrateInput.Read([Path.Combine(Measured, "serving.csv"), Path.Combine(Measured, "power.csv")], catalog, calibration);
        var quiet = new Terminal(TextWriter.Null, TextWriter.Null, null, Colour: false, Program.Day, Program.NoCatalog);
        return CalibrateRun.Of(input, null, quiet);
    }
}
