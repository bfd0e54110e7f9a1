using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.Calibration;

/// <summary>How wrong predictions of a kind are: from the most particular kind with enough cells to all.</summary>
public sealed class ErrorBandsTests
{
    [Fact]
    public void Scopes_go_from_the_particular_to_all()
    {
        var dense = Serving.Prepare(Serving.Deploy("llama-3.1-8b", "h100-sxm"), Serving.Closed(8));
        Assert.Equal(
            [
                "dense aggregated without speculation closed-loop vllm NVIDIA",
                "dense aggregated without speculation closed-loop NVIDIA",
                "dense aggregated without speculation closed-loop",
                "aggregated without speculation closed-loop",
                "*",
            ],
            ErrorBands.Scopes(dense));
        var d = Serving.Deploy("deepseek-v3", "mi355x", NumberFormat.Fp8, dp: 8, ep: 8, engine: "sglang") with
        {
            Speculation = new SpeculativeDecoding(3, 0.6),
        };
        var latent = Serving.PreparePools(new Pool(d, 1), new Pool(d, 1), Serving.Closed(8) with { Arrival = Arrival.OpenLoop });
        Assert.Equal("experts-latent disaggregated with speculation open-loop sglang AMD", ErrorBands.Scopes(latent).First());
    }

    [Fact]
    public void The_particular_band_is_preferred_and_each_metric_has_its_own()
    {
        var prepared = Serving.Prepare(Serving.Deploy("llama-3.1-8b", "h100-sxm"), Serving.Closed(8));
        var scopes = ErrorBands.Scopes(prepared).ToList();
        for (var from = 0; from < scopes.Count; from++)
        {
            var bands = scopes.Skip(from).Reverse().Select(scope => new ErrorBand(Metric.Tpot, scope, 30, 3, 0.1, 0.1, 1.2)).ToList();
            Assert.Equal(scopes[from], ErrorBands.Find(bands, Metric.Tpot, prepared)?.Scope);
            Assert.Null(ErrorBands.Find(bands, Metric.Ttft, prepared));
        }

        Assert.Null(ErrorBands.Find([], Metric.Tpot, prepared));
    }

    [Fact]
    public void On_each_side_the_worse_of_kind_and_gpu_counts()
    {
        var prepared = Serving.Prepare(Serving.Deploy("llama-3.1-8b", "h100-sxm"), Serving.Closed(8));
        var kind = new ErrorBand(Metric.Tpot, ErrorBands.Scopes(prepared).First(), 30, 3, 0.1, 0.1, 1.2) { Low = 0.9, Middle = 1.05, High = 1.25 };
        var gpu = new ErrorBand(Metric.Tpot, ErrorBands.GpuScope(prepared), 30, 3, 0.1, 0.1, 1.4) { Low = 0.7, Middle = 0.95, High = 1.1 };
        var found = ErrorBands.Find([kind, gpu], Metric.Tpot, prepared)!;
        Assert.Equal(gpu with { High = 1.25 }, found);
        Assert.Equal(kind, ErrorBands.Find([kind], Metric.Tpot, prepared));
    }

    [Fact]
    public void Every_deployment_has_a_shipped_band_of_every_metric() => Cases.Check(100, dice =>
    {
        var mistakes = new List<Mistake>();
        var bands = CalibrationTables.ReadErrors(Repository.Text("catalog", "calibration", "errors.csv"), "errors.csv", mistakes);
        Assert.Empty(mistakes);
        var prepared = Serving.Prepare(Serving.Draw(dice), Serving.Closed(8) with { Arrival = Serving.Of(dice, Enum.GetValues<Arrival>()) });
        foreach (var metric in Enum.GetValues<Metric>())
        {
            var band = ErrorBands.Find(bands, metric, prepared);
            if (metric == Metric.Tokens && prepared.Scenario.Load.Arrival == Arrival.OpenLoop)
            {
                Assert.Null(band); // the rate is given, not predicted
                continue;
            }

            Assert.NotNull(band);
            Assert.True(band.Rows >= 5 && band.Cells >= 1 && band.Median <= band.Spread && band.Spread >= 1, $"{band}");
        }
    });

    [Fact]
    public void Bands_are_the_middle_the_mean_and_what_holds_four_of_five()
    {
        // Thirty rows of three cells: predicted 1.1 times the measured time, but six rows twice as long as measured.
        var outcomes = Enumerable.Range(0, 30).Select(i => Outcome(Models[i % 3], i < 6 ? 2 : 1.1)).ToList();
        var bands = ErrorBands.Of(outcomes);
        var prepared = outcomes[0].Sample.Prepared;
        var scopes = ErrorBands.Scopes(prepared).Append(ErrorBands.GpuScope(prepared)).Order(StringComparer.Ordinal);
        Assert.Equal(scopes, bands.Select(band => band.Scope));
        foreach (var band in bands)
        {
            Assert.Equal((30, 3, Metric.Tpot), (band.Rows, band.Cells, band.Metric));
            Nearly.Equal(0.1, band.Median, 1e-9);
            Nearly.Equal(((24 * 0.1) + (6 * 1)) / 30, band.Mean, 1e-9);
            Nearly.Equal(1.1, band.Spread, 1e-9);
        }
    }

    [Fact]
    public void Bands_say_on_which_side_measured_values_lie()
    {
        // Thirty rows: six were measured at half of what was predicted, six at 1.5 times, the others at 1.2 times.
        var outcomes = Enumerable.Range(0, 30).Select(i => Outcome(Models[i % 3], i < 6 ? 2 : i < 12 ? 1 / 1.5 : 1 / 1.2));
        Assert.All(ErrorBands.Of(outcomes), band =>
        {
            Nearly.Equal(0.5, band.Low, 1e-9);
            Nearly.Equal(1.2, band.Middle, 1e-9);
            Nearly.Equal(1.5, band.High, 1e-9);
        });
    }

    [Fact]
    public void Bands_without_a_cell_are_those_of_the_others() => Cases.Check(30, dice =>
    {
        var outcomes = dice.Many(30, 120, () => Outcome(Models[dice.Whole(0, 2)], dice.Scale(0.5, 2), dice.Chance(0.95)));
        var without = ErrorBands.Without(outcomes, 2);
        foreach (var cell in outcomes.Select(outcome => outcome.Sample.Cell).Distinct())
            Assert.Equal(ErrorBands.Of(outcomes.Where(outcome => outcome.Sample.Cell != cell), 2), without(cell));
        Assert.Equal(ErrorBands.Of(outcomes, 2), without("nobody's"));
    });

    [Fact]
    public void What_was_never_measured_is_judged_by_tests_that_had_seen_nothing_of_it()
    {
        var prepared = Serving.Prepare(Serving.Deploy("llama-3.1-8b", "h100-sxm"), Serving.Closed(8));
        var bands = new List<ErrorBand>
        {
            Band(ErrorBands.Scopes(prepared).First(), 1.1),
            Band(ErrorBands.OtherGpuScope(prepared), 1.3),
            Band(ErrorBands.OtherModelScope(prepared), 1.4),
            Band("*", 1.5),
            Band(ErrorBands.OtherVendorScope(prepared), 3),
        };
        Assert.Equal(1.3, Spread()); // nothing on this GPU
        bands.Add(Band(ErrorBands.GpuScope(prepared), 1.2));
        Assert.Equal(1.2, Spread());
        Assert.Equal(1.4, Spread(knownModel: false));
        Assert.Equal(1.5, Spread(knownStack: false));
        Assert.Equal(3, Spread(knownStack: false, knownVendor: false));
        bands.RemoveAll(band => band.Scope == "*");
        bands.Add(Band("*", 1.5) with { Cells = 4 });
        Assert.Null(Spread(knownStack: false)); // four cells say nothing of another stack

        double? Spread(bool knownStack = true, bool knownModel = true, bool knownVendor = true) =>
            ErrorBands.Find(bands, Metric.Tpot, prepared, knownStack, knownModel, knownVendor)?.Spread;

        static ErrorBand Band(string scope, double spread) => new(Metric.Tpot, scope, 30, 30, 0.1, 0.1, spread);
    }

    [Fact]
    public void Bands_of_the_unmeasured_need_enough_rows()
    {
        var outcomes = Enumerable.Range(0, 30).Select(i => Outcome(Models[i % 3], i < 6 ? 2 : 1.1)).ToList();
        var band = Assert.Single(ErrorBands.Of(outcomes, ErrorBands.OtherGpuScope));
        Assert.Equal(("gpu not measured closed-loop", 30, 3), (band.Scope, band.Rows, band.Cells));
        Nearly.Equal(0.1, band.Median, 1e-9);
        Assert.Empty(ErrorBands.Of(outcomes.Take(Calibrator.FewestRows - 1), ErrorBands.OtherModelScope));
    }

    [Fact]
    public void Few_rows_or_cells_make_no_band_of_their_own()
    {
        Assert.Empty(ErrorBands.Of(Enumerable.Range(0, 4).Select(i => Outcome(Models[i % 3], 1.1))));
        var few = ErrorBands.Of(Enumerable.Range(0, Calibrator.FewestRows - 1).Select(i => Outcome(Models[i % 3], 1.1)));
        Assert.Equal("h100-sxm closed-loop", Assert.Single(few).Scope); // a GPU's own errors count from five rows on
        var one = ErrorBands.Of(Enumerable.Range(0, 30).Select(_ => Outcome(Models[0], 1.1)));
        Assert.Equal(["*", "h100-sxm closed-loop"], one.Select(band => band.Scope));
        Assert.Empty(ErrorBands.Of(Enumerable.Range(0, 30).Select(i => Outcome(Models[i % 3], 1.1, fits: false))));
    }

    private static readonly string[] Models = ["llama-3.1-8b", "qwen3-8b", "mistral-7b"];

    private static Outcome Outcome(string model, double ratio, bool fits = true)
    {
        var prepared = Serving.Prepare(Serving.Deploy(model, "h100-sxm"), Serving.Closed(8));
        var point = new ServingPoint
        {
            RowId = "",
            ModelKey = model,
            GpuKey = "h100-sxm",
            Numbers = new Dictionary<string, double> { ["tpot_mean_ms"] = 10 },
        };
        return new Outcome(new Sample(point, prepared), new Prediction { Fits = fits, Tpot = ratio * 10e-3, Gpus = 1 });
    }
}
