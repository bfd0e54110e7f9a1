using TokenFactory.Catalog;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Catalog;

/// <summary>When a source spoke, as precisely as anybody knows.</summary>
public sealed class SourceDateTests
{
    [Theory]
    [InlineData("2026-08-21", "2026-08-21", "2026-08-21")]
    [InlineData("2026-08", "2026-08-01", "2026-08-31")]
    [InlineData("2024-02", "2024-02-01", "2024-02-29")]
    [InlineData("2025", "2025-01-01", "2025-12-31")]
    [InlineData("2025-11/2026-09", "2025-11-01", "2026-09-30")]
    [InlineData("2022/2023", "2022-01-01", "2023-12-31")]
    [InlineData("2026/2026-03-05", "2026-01-01", "2026-03-05")]
    public void A_date_spans_what_it_leaves_open(string text, string earliest, string latest)
    {
        var date = SourceDate.Parse(text);
        Assert.NotNull(date);
        Assert.Equal((DateOnly.Parse(earliest), DateOnly.Parse(latest)), (date.Earliest, date.Latest));
        Assert.Equal(text, date.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("2026-13")]
    [InlineData("2026-02-30")]
    [InlineData("21-08-2026")]
    [InlineData("08/2026")]
    [InlineData("2026-8")]
    [InlineData("26")]
    [InlineData("2026-09/2025-11")]
    [InlineData("2026-09/")]
    [InlineData("2025/2026/2027")]
    public void What_is_no_date_is_none(string text) => Assert.Null(SourceDate.Parse(text));

    [Theory]
    [InlineData("2026-11-21", 0)]
    [InlineData("2026-11", 20)]
    [InlineData("2026-09/2026-11", 81)]
    public void An_unknown_day_is_judged_by_its_oldest_reading(string text, int days) =>
        Assert.Equal(days, SourceDate.Parse(text)!.AgeInDays(new DateOnly(2026, 11, 21)));

    [Fact]
    public void Every_day_reads_back() => Cases.Check(300, dice =>
    {
        var day = DateOnly.FromDayNumber(dice.Whole(0, DateOnly.MaxValue.DayNumber));
        Assert.Equal(SourceDate.On(day), SourceDate.Parse(day.ToString("yyyy-MM-dd")));
    });
}
