using TokenFactory.Catalog;
using TokenFactory.Performance.Calibration;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.Calibration;

/// <summary>What is written is read again, and what is wrong is said with its remedy.</summary>
public sealed class CalibrationTablesTests
{
    private const string Head = "table,group,term,value,source,date,kind\n";
    private const string From = ",\"me, \"\"here\"\"\",2026-11,measured\n";

    private static readonly Source Me = new(SourceKind.Measured, "me, \"here\"", SourceDate.Parse("2026-11")!);

    [Fact]
    public void Written_and_read_factors_predict_the_same() => Cases.Check(60, dice =>
    {
        var load = Serving.Closed(dice.Scale(1, 500), dice.Scale(32, 8000), dice.Scale(8, 1000));
        var d = Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens);
        foreach (var set in Serving.Both)
        {
            var (before, after) = (Serving.Predict(d, load, set), Serving.Predict(d, load, Read(CalibrationTables.Write(set, Me), out _)));
            Nearly.Equal(before.Tpot, after.Tpot, 2e-4);
            Nearly.Equal(before.Ttft, after.Ttft, 2e-4);
            Nearly.Equal(before.OutputTokensPerSecond, after.OutputTokensPerSecond, 2e-4);
            Nearly.Equal(before.WattsPerGpu, after.WattsPerGpu, 2e-4);
        }
    });

    [Fact]
    public void Writing_what_was_read_changes_nothing_and_keeps_the_source()
    {
        var text = CalibrationTables.Write(Serving.Shipped, Me);
        var again = CalibrationTables.Read(text, "serving.csv", []);
        Assert.Equal(Me, again.Source);
        Assert.Equal(text, CalibrationTables.Write(again.Set, Me));
        Assert.DoesNotContain("NaN", text);
    }

    [Fact]
    public void A_table_without_rows_keeps_what_is_known_before()
    {
        var set = Read(Head + "rate,offline,factor,0.9" + From, out var mistakes);
        Assert.Empty(mistakes);
        Assert.Equal(0.9, set.RateOf("offline"));
        Assert.Equal(1, set.RateOf("closed-loop"));
        foreach (var term in Enum.GetValues<TokenFactory.Performance.StepTerm>())
            Assert.Equal(CalibrationSet.Prior.Steps[CalibrationSet.AnyStack][term], set.Steps[CalibrationSet.AnyStack][term]);
    }

    [Theory]
    [InlineData("stepp,*|*,decode-gemm,1", "column 'table' is 'stepp'", "Use one of step, first-token, front, power")]
    [InlineData("step,*|*,decode-gem,1", "column 'term' is 'decode-gem'", "decode-gemm")]
    [InlineData("step,*|*,decode-gemm,-1", "column 'value' is '-1'", "zero or more")]
    [InlineData("step,*|*,decode-gemm,fast", "column 'value' is 'fast'", "zero or more")]
    [InlineData("power,*,awake,NaN", "column 'value' is 'NaN'", "zero or more")]
    [InlineData("rate,offline,factor,x", "column 'value' is 'x'", "zero or more")]
    [InlineData("time-correction,mode=x,log-factor,9", "column 'value' is '9'", "natural logarithm")]
    [InlineData("watt-correction,model=x,log-factor,NaN", "column 'value' is 'NaN'", "natural logarithm")]
    public void Wrong_rows_are_named_with_their_remedy(string row, string what, string remedy)
    {
        Read(Head + "step,*|*,layers,0.2" + From + row + From, out var mistakes);
        var mistake = Assert.Single(mistakes);
        Assert.Equal("serving.csv:3", mistake.Where);
        Assert.Contains(what, mistake.What);
        Assert.Contains(remedy, mistake.Remedy);
    }

    [Fact]
    public void A_factor_that_stands_twice_is_a_mistake()
    {
        Read(Head + "rate,offline,factor,0.9" + From + "rate,offline,factor,0.8" + From, out var mistakes);
        Assert.Contains("offline", Assert.Single(mistakes).ToString());
    }

    [Fact]
    public void Missing_columns_and_empty_files_are_mistakes()
    {
        Read("table,group,term\nstep,*|*,layers\n", out var mistakes);
        Assert.Contains(mistakes, mistake => mistake.What.Contains("'value' is missing"));
        Read("", out mistakes);
        Assert.NotEmpty(mistakes);
    }

    [Fact]
    public void Error_bands_are_read_as_written()
    {
        var bands = new[]
        {
            new ErrorBand(Metric.Ttft, "dense aggregated without speculation closed-loop", 400, 12, 0.1234, 0.25, 1.5)
            {
                Low = 0.75, Middle = 1.0123, High = 1.6,
            },
            new ErrorBand(Metric.Watts, "*", 20, 1, 0, 0.0001, 1),
        };
        var mistakes = new List<Mistake>();
        Assert.Equal(bands, CalibrationTables.ReadErrors(CalibrationTables.Write(bands), "errors.csv", mistakes));
        Assert.Empty(mistakes);
    }

    [Fact]
    public void Error_bands_of_older_tables_lie_evenly_on_both_sides()
    {
        const string Old = "metric,scope,rows,cells,median_error,mean_error,spread_80\n";
        var mistakes = new List<Mistake>();
        Assert.Empty(CalibrationTables.ReadErrors(Old, "errors.csv", mistakes));
        var band = Assert.Single(CalibrationTables.ReadErrors(Old + "tpot,*,30,3,0.1,0.1,1.25\n", "errors.csv", mistakes));
        Assert.Equal((0.8, 1.0, 1.25), (band.Low, band.Middle, band.High));
        Assert.Empty(mistakes);
    }

    [Fact]
    public void Wrong_error_bands_are_mistakes()
    {
        const string Bands = "metric,scope,rows,cells,median_error,mean_error,spread_80\n";
        Assert.Contains("rows", Assert.Single(Mistakes(Bands + "tpot,*,none,3,0.1,0.1,1.2\n")).What);
        Assert.Contains("ratio_90", Assert.Single(Mistakes(Bands.TrimEnd() + ",ratio_90\ntpot,*,30,3,0.1,0.1,1.2,-1\n")).What);
        Assert.Contains("metric", Assert.Single(Mistakes(Bands + "speed,*,30,3,0.1,0.1,1.2\n")).What);

        static List<Mistake> Mistakes(string text)
        {
            var mistakes = new List<Mistake>();
            CalibrationTables.ReadErrors(text, "errors.csv", mistakes);
            return mistakes;
        }
    }

    private static CalibrationSet Read(string text, out List<Mistake> mistakes)
    {
        mistakes = [];
        return CalibrationTables.Read(text, "serving.csv", mistakes).Set;
    }
}
