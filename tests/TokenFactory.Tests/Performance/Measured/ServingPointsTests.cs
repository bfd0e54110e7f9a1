using TokenFactory.Catalog;
using TokenFactory.Performance.Measured;

namespace TokenFactory.Tests.Performance.Measured;

/// <summary>Tables of measurements as people and programs write them.</summary>
public sealed class ServingPointsTests
{
    [Fact]
    public void Byte_order_marks_line_ends_and_quotes_are_taken_as_they_come()
    {
        var points = Read("\uFEFFrow_id,model_key,notes,tpot_mean_ms\r\na,llama-3.1-8b,\"one, \"\"two\"\"\",12.5\r\nb,qwen3-8b,,\r\n", out var mistakes);
        Assert.Empty(mistakes);
        Assert.Equal(["a", "b"], points.Select(point => point.RowId));
        Assert.Equal(("llama-3.1-8b", "one, \"two\"", 12.5), (points[0].ModelKey, points[0].Notes, points[0].MeasuredTpot));
        Assert.Null(points[1].MeasuredTpot);
    }

    [Fact]
    public void Columns_that_nothing_reads_are_passed_over()
    {
        var points = Read("row_id,colour,model_key,gpu_key,lengths\na,blue,llama-3.1-8b,h100-sxm,7\n", out var mistakes);
        Assert.Empty(mistakes);
        Assert.Equal("llama-3.1-8b|h100-sxm", points[0].Cell);
        Assert.Equal(7, points[0]["lengths"]);
        Assert.Null(points[0]["colour"]);
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("nan")]
    [InlineData("inf")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("1e999")]
    [InlineData("fast")]
    [InlineData("")]
    public void What_is_no_number_is_absent(string text)
    {
        var point = Assert.Single(Read($"row_id,concurrency\na,{text}\n", out var mistakes));
        Assert.Null(point["concurrency"]);
        Assert.Empty(mistakes);
    }

    [Theory]
    [InlineData("request_rate_rps", "inf", false)]
    [InlineData("concurrency", "Infinity", false)]
    [InlineData("tp", "inf", true)]
    [InlineData("request_rate_rps", "-inf", true)]
    public void A_limit_without_end_is_no_limit(string column, string text, bool unreadable) =>
        Assert.Equal(unreadable, Assert.Single(Read($"row_id,{column}\na,{text}\n", out _)).Unreadable is not null);

    [Fact]
    public void Numbers_are_read_the_same_everywhere()
    {
        var point = Assert.Single(Read("row_id,a,b,c\nx,1e3,-0.5,  7 \n", out _));
        Assert.Equal((1000, -0.5, 7), (point["a"], point["b"], point["c"]));
    }

    [Fact]
    public void Measured_figures_prefer_the_mean()
    {
        var both = Assert.Single(Read("row_id,tpot_mean_ms,tpot_p50_ms\na,10,9\n", out _));
        var median = Assert.Single(Read("row_id,tpot_mean_ms,tpot_p50_ms\na,,9\n", out _));
        Assert.Equal((10, 9), (both.MeasuredTpot, median.MeasuredTpot));
    }

    [Theory]
    [InlineData("mtp", true)]
    [InlineData("MTP 3", true)]
    [InlineData("none", false)]
    [InlineData("none (mtp available)", false)]
    [InlineData("mixes mtp and none", false)]
    [InlineData("", false)]
    public void Speculation_as_tables_say_it(string words, bool speculates) =>
        Assert.Equal(speculates, Assert.Single(Read($"row_id,spec_decode\na,{words}\n", out _)).Speculates);

    [Fact]
    public void A_name_given_twice_is_a_mistake_on_its_line()
    {
        Read("row_id,tp\na,1\nb,1\na,2\n", out var mistakes);
        var mistake = Assert.Single(mistakes);
        Assert.Equal("points.csv:4", mistake.Where);
        Assert.Contains("'a' a second time", mistake.What);
    }

    [Fact]
    public void A_missing_name_column_and_an_empty_name_are_mistakes()
    {
        Read("model_key,tp\nllama-3.1-8b,1\n", out var mistakes);
        Assert.Contains(mistakes, mistake => mistake.What.Contains("'row_id' is missing"));
        Read("row_id,tp\n,1\n", out mistakes);
        Assert.Contains("is empty", Assert.Single(mistakes).What);
    }

    [Fact]
    public void Rows_of_another_length_and_columns_given_twice_are_mistakes()
    {
        Assert.Single(Read("row_id,tp\na,1\nb\n", out var mistakes));
        Assert.Equal("points.csv:3", Assert.Single(mistakes).Where);
        Read("row_id,tp,tp\na,1,2\n", out mistakes);
        Assert.Contains("'tp' stands twice", Assert.Single(mistakes).What);
    }

    [Fact]
    public void Nothing_is_a_mistake_not_a_crash()
    {
        Assert.Empty(Read("", out var mistakes));
        Assert.NotEmpty(mistakes);
        Assert.Empty(Read("row_id,tp\n", out mistakes));
        Assert.NotEmpty(mistakes);
    }

    [Fact]
    public void A_comment_may_stand_above_the_header()
    {
        var point = Assert.Single(Read("# measured by me, in November\nrow_id,tp\na,8\n", out var mistakes));
        Assert.Empty(mistakes);
        Assert.Equal(8, point["tp"]);
    }

    private static IReadOnlyList<ServingPoint> Read(string text, out List<Mistake> mistakes)
    {
        mistakes = [];
        return ServingPoints.Read(text, "points.csv", mistakes);
    }
}
