using TokenFactory.Catalog;
using TokenFactory.Performance.Calibration;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.Calibration;

/// <summary>How much room a promise needs: what a band says of past errors, as a factor.</summary>
public sealed class PlanMarginTests
{
    private static readonly ErrorBand Skewed = new(Metric.Ttft, "*", 100, 9, 0.2, 0.3, 1.5) { Low = 0.8, Middle = 1.1, High = 1.65 };

    [Fact]
    public void At_what_a_band_says_the_factor_is_what_it_says()
    {
        Nearly.Equal(0.8, PlanMargin.Factor(Skewed, 0.1), 1e-12);
        Nearly.Equal(1.1, PlanMargin.Factor(Skewed, 0.5), 1e-12);
        Nearly.Equal(1.65, PlanMargin.Factor(Skewed, 0.9), 1e-12);
        Nearly.Equal(20 / 1.65, PlanMargin.Tightened(20, Skewed, 0.9), 1e-12);
    }

    [Fact]
    public void A_band_that_tells_no_sides_lies_evenly_on_both()
    {
        var even = new ErrorBand(Metric.Tpot, "*", 100, 9, 0.1, 0.15, 1.3);
        Assert.Equal((1 / 1.3, 1, 1.3), (even.Low, even.Middle, even.High));
        Nearly.Equal(1.3, PlanMargin.Factor(even, 0.9), 1e-12);
        Nearly.Equal(1 / 1.3, PlanMargin.Factor(even, 0.1), 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.005)]
    [InlineData(0.995)]
    [InlineData(1)]
    [InlineData(double.NaN)]
    public void A_confidence_that_no_band_gives_is_refused(double confidence) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PlanMargin.Factor(Skewed, confidence));

    [Fact]
    public void More_confidence_asks_for_more_room_and_room_tells_its_confidence() => Cases.Check(300, dice =>
    {
        var middle = dice.Scale(0.5, 2);
        var band = Skewed with { Middle = middle, Low = middle / dice.Scale(1.001, 4), High = middle * dice.Scale(1.001, 4) };
        var (less, more) = (dice.Real(0.01, 0.98), 0.0);
        more = dice.Real(less + 0.001, 0.99);
        var (narrow, wide) = (PlanMargin.Factor(band, less), PlanMargin.Factor(band, more));
        Assert.True(narrow < wide, $"{less}: {narrow}, {more}: {wide}");
        var predicted = dice.Scale(1, 1000);
        Nearly.Equal(less, PlanMargin.Confidence(band, predicted, predicted * narrow), 1e-6);
        Assert.InRange(PlanMargin.Confidence(band, predicted, predicted * dice.Scale(1e-6, 1e6)), 0.0099, 0.9901);
    });

    [Fact]
    public void Where_errors_thin_out_exponentially_promises_are_kept_as_often_as_was_said()
    {
        // Logarithms below the middle thin out at 0.1, above it at 0.3: measured over predicted, one value per thousandth.
        double[] measured = [.. Enumerable.Range(0, 1000).Select(i => (i + 0.5) / 1000).Select(share => 1.05 * Math.Exp(
            share < 0.5 ? 0.1 * Math.Log(2 * share) : -0.3 * Math.Log(2 * (1 - share))))];
        var band = Skewed with { Low = measured[99], Middle = (measured[499] + measured[500]) / 2, High = measured[899] };
        foreach (var confidence in new[] { 0.05, 0.2, 0.4, 0.6, 0.75, 0.8, 0.95, 0.98 })
        {
            var kept = measured.Count(value => value <= PlanMargin.Factor(band, confidence)) / 1000.0;
            Assert.True(Math.Abs(kept - confidence) < 0.004, $"{confidence}: {kept}");
        }
    }

    [Fact]
    public void Every_shipped_band_gives_a_margin()
    {
        var mistakes = new List<Mistake>();
        var bands = CalibrationTables.ReadErrors(Repository.Text("catalog", "calibration", "errors.csv"), "errors.csv", mistakes);
        Assert.Empty(mistakes);
        Assert.All(bands, band =>
        {
            Assert.True(band.Low <= band.Middle && band.Middle <= band.High, $"{band}");
            Assert.InRange(PlanMargin.Factor(band, 0.9) / PlanMargin.Factor(band, 0.5), 1, 40);
        });
        Assert.Contains(bands, band => band is { Metric: Metric.Ttft, Scope: ErrorBands.Everything, Middle: > 1 });
    }
}
