using TokenFactory.Catalog;
using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>One point in dollars and joules, every figure with its sources.</summary>
public sealed class PointEconomicsTests
{
    private static readonly Sourced<UsdPerHour> Price = Said(new UsdPerHour(3.6), SourceKind.Datasheet, "price");
    private static readonly Sourced<TokensPerSecond> Throughput = Said(new TokensPerSecond(1000), SourceKind.Measured, "throughput");

    private static readonly PowerLadder Power = new(
        Said(new Power(new Watts(500), PowerBoundary.Board), SourceKind.Measured, "board"),
        null,
        Said(new Power(new Watts(1000), PowerBoundary.Facility), SourceKind.Measured, "meter"));

    private static readonly PointTerms Terms = new(
        Said(new Fraction(0.5), SourceKind.Estimated, "utilisation"),
        Said(new Fraction(0.8), SourceKind.Measured, "availability"),
        Said(new Pue(1.3), SourceKind.Measured, "pue"),
        Said(new UsdPerKilowattHour(0.072), SourceKind.Measured, "electricity"),
        Said(new GramsPerKilowattHour(360), SourceKind.Measured, "grid"),
        Said(new UsdPerMillionTokens(5), SourceKind.Measured, "sold"));

    private static readonly PointEconomics Point = PointEconomics.Of(Price, Throughput, Power, Terms);

    [Fact]
    public void Dollars()
    {
        Nearly.Equal(1, Point.Usage.Value.Value);
        Nearly.Equal(2.5, Point.Allocation.Value.Value);
        Nearly.Equal(1000 * 8760 * 3.6, (double)Point.CostPerMegawattYear.Value.Value, 1e-9); // a megawatt at the meter carries 1,000 GPUs
        Nearly.Equal(1000 * 8760 * 18 * 0.4, (double)Point.RevenuePerMegawattYear!.Value.Value.Value, 1e-9);
        Nearly.Equal(1 - (3.6 / 7.2), Point.GrossMargin!.Value.Value);
    }

    [Fact]
    public void Joules()
    {
        Nearly.Equal(1e6, Point.PerFacilityMegawatt.Value.Value);
        Nearly.Equal(0.02, Point.Electricity.Value.Value); // 1 J/tok at the meter: the PUE is in it already
        Nearly.Equal(100, Point.Carbon!.Value.Value.Value);
        Nearly.Equal(2, Point.PerWattAt(PowerBoundary.Board)!.Value.Value.Value);
        Nearly.Equal(0.5, Point.EnergyAt(PowerBoundary.Board)!.Value.Value.Value);
        Assert.Null(Point.PerWattAt(PowerBoundary.It));
        Assert.Null(Point.EnergyAt(PowerBoundary.It));
    }

    [Fact]
    public void Margin_agrees_with_revenue_and_cost_of_a_megawatt()
    {
        var earned = new Earnings(Point.RevenuePerMegawattYear!.Value.Value, Point.CostPerMegawattYear.Value);
        Nearly.Equal(earned.GrossMargin!.Value, Point.GrossMargin!.Value.Value, 1e-9);
        Nearly.Equal(1 - (Point.Allocation.Value / Terms.Sold!.Value.Value), Point.GrossMargin.Value.Value, 1e-9);
    }

    [Fact]
    public void Figures_name_what_went_into_them_and_the_weakest_wins()
    {
        Assert.Equal(["price", "throughput"], Texts(Point.Usage.From));
        Assert.Equal(SourceKind.Datasheet, Point.Usage.From.Kind);
        Assert.Equal(["price", "throughput", "utilisation", "availability"], Texts(Point.Allocation.From));
        Assert.Equal(SourceKind.Estimated, Point.Allocation.From.Kind);
        Assert.Equal(["meter", "throughput", "electricity"], Texts(Point.Electricity.From));
        Assert.Equal(SourceKind.Measured, Point.Electricity.From.Kind);
        Assert.Contains("sold", Texts(Point.GrossMargin!.Value.From));
        Assert.Contains("meter", Texts(Point.RevenuePerMegawattYear!.Value.From));
    }

    [Fact]
    public void What_nobody_said_is_left_out()
    {
        var point = PointEconomics.Of(Price, Throughput, Power, Terms with { Carbon = null, Sold = null });
        Assert.Null(point.Carbon);
        Assert.Null(point.RevenuePerMegawattYear);
        Assert.Null(point.GrossMargin);
        Nearly.Equal(1, point.Usage.Value.Value);
    }

    private static IEnumerable<string> Texts(Provenance from) => from.Sources.Select(source => source.Text);

    private static Sourced<T> Said<T>(T value, SourceKind kind, string who) =>
        new(value, Provenance.Of(new Source(kind, who, SourceDate.Parse("2026-11")!)));
}
