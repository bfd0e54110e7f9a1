using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>Where a number comes from goes with it through arithmetic.</summary>
public sealed class ProvenanceTests
{
    private static readonly Source Measured = new(SourceKind.Measured, "a bench", SourceDate.Parse("2026-01")!);
    private static readonly Source Datasheet = new(SourceKind.Datasheet, "a vendor", SourceDate.Parse("2025")!);
    private static readonly Source Estimated = new(SourceKind.Estimated, "a guess", SourceDate.Parse("2024")!);

    [Fact]
    public void The_weakest_source_wins()
    {
        Assert.Equal(SourceKind.Measured, Of(Measured).Kind);
        Assert.Equal(SourceKind.Datasheet, Of(Measured).And(Of(Datasheet)).Kind);
        Assert.Equal(SourceKind.Estimated, Of(Measured).And(Of(Estimated)).And(Of(Datasheet)).Kind);
    }

    [Fact]
    public void Each_source_is_kept_once_in_the_order_it_came()
    {
        var both = Of(Datasheet).And(Of(Measured)).And(Of(Datasheet)).And(Of(Estimated).And(Of(Measured)));
        Assert.Equal([Datasheet, Measured, Estimated], both.Sources);
    }

    [Fact]
    public void Arithmetic_carries_both_sources()
    {
        var product = new Sourced<double>(3, Of(Measured)).With(new Sourced<double>(4, Of(Estimated)), (a, b) => a * b);
        Assert.Equal(12, product.Value);
        Assert.Equal([Measured, Estimated], product.From.Sources);
        Assert.Equal(SourceKind.Measured, new Sourced<double>(3, Of(Measured)).Select(a => a + 1).From.Kind);
    }

    [Fact]
    public void An_unknown_number_stays_unknown()
    {
        Sourced<double>? unknown = null;
        Assert.Null(unknown.As(value => value * 2));
        Sourced<double>? known = new Sourced<double>(2, Of(Datasheet), "rounded");
        Assert.Equal("2", known.As(value => $"{value}")!.Value.Value);
        Assert.Equal("rounded", known.As(value => value)!.Value.Note);
        Assert.Equal([Datasheet], known.As(value => value)!.Value.From.Sources);
    }

    private static Provenance Of(Source source) => Provenance.Of(source);
}
