using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.Calibration;

/// <summary>Points made by the model itself under known factors: fitting them gives the factors' predictions back, within bounds.</summary>
public sealed class CalibratorTests
{
    private static readonly string[] Models = ["llama-3.1-8b", "llama-3.1-70b", "qwen3-32b", "qwen3-30b-a3b", "gpt-oss-120b", "mistral-7b"];
    private static readonly string[] Gpus = ["h100-sxm", "h200-sxm", "b200"];

    private static readonly Lazy<CalibrationSet> Truth = new(KnownFactors);
    private static readonly Lazy<IReadOnlyList<Sample>> Points = new(() => Synthetic(Truth.Value, 7, 700));
    private static readonly Lazy<CalibrationSet> Fitted = new(() => new Calibrator(Points.Value).Fit());

    [Fact]
    public void Known_factors_come_back_as_predictions_of_points_not_seen()
    {
        var (truth, fitted) = (new Predictor(Truth.Value), new Predictor(Fitted.Value));
        var fresh = Synthetic(Truth.Value, 8, 150);
        Assert.InRange(Median(fresh, p => p.Tpot), 0, 0.03);
        Assert.InRange(Median(fresh, p => p.Ttft), 0, 0.06);
        Assert.InRange(Median(fresh, p => p.OutputTokensPerSecond), 0, 0.04);
        Assert.InRange(Median(fresh, p => p.WattsPerGpu), 0, 0.04);

        double Median(IReadOnlyList<Sample> samples, Func<Prediction, double> of)
        {
            double[] errors = [.. samples.Select(s => Math.Abs((of(fitted.Predict(s.Prepared)) / of(truth.Predict(s.Prepared))) - 1)).Order()];
            return errors[errors.Length / 2];
        }
    }

    [Fact]
    public void Factors_that_decide_most_of_the_time_come_back_themselves()
    {
        var fit = Fitted.Value.Steps["vllm|NVIDIA"];
        foreach (var term in new[] { StepTerm.DecodeGemm, StepTerm.DecodeAttention, StepTerm.PrefillGemm })
            Nearly.Equal(Truth.Value.Steps[CalibrationSet.AnyStack][term], fit[term], 0.15);
    }

    [Fact]
    public void Corrections_of_a_perfect_model_are_small()
    {
        foreach (var sample in Points.Value.Take(200))
            Assert.InRange(Fitted.Value.Times.Factor(sample.Traits), 0.95, 1.05);
    }

    [Fact]
    public void Absurd_measurements_drive_no_factor_out_of_its_bounds()
    {
        foreach (var by in new[] { 1e-3, 1e3 })
        {
            var set = new Calibrator(Synthetic(CalibrationSet.Prior, 9, 80, by)).Fit();
            foreach (var steps in set.Steps.Values)
            {
                foreach (var term in Enum.GetValues<StepTerm>())
                    Assert.InRange(steps[term], 0, 10);
                Assert.InRange(steps[StepTerm.DecodeGemm], 0, 2.5);
            }

            foreach (var factors in set.FirstTokens.Values)
                Assert.All(Enum.GetValues<FirstTokenTerm>(), term => Assert.InRange(factors[term], 0, 5));
            foreach (var factors in set.Power.Values)
                Assert.All(Enum.GetValues<PowerTerm>(), term => Assert.InRange(factors[term], 0, 2));
        }
    }

    [Fact]
    public void Nothing_measured_leaves_what_is_known_before()
    {
        var set = new Calibrator([]).Fit();
        foreach (var term in Enum.GetValues<StepTerm>())
            Assert.Equal(CalibrationSet.Prior.Steps[CalibrationSet.AnyStack][term], set.Steps[CalibrationSet.AnyStack][term]);
        Assert.Empty(set.Rates);
        Assert.Empty(set.Times.LogFactors);
    }

    [Fact]
    public void The_same_run_reported_twice_counts_once_and_open_divisions_not_at_all()
    {
        var one = Points.Value[0];
        var again = one with { Point = one.Point with { RowId = "again", Dataset = "another" } };
        var open = one with { Point = one.Point with { RowId = "open", Notes = "MLPerf Open Division" } };
        var distinct = Sample.Distinct([one with { Point = NoWatts(one.Point) }, again with { Point = NoWatts(again.Point) }]);
        Assert.Equal(one.Point.RowId, Assert.Single(distinct).Point.RowId);
        Assert.Equal(2, Sample.Distinct([one, again]).Count); // watts are kept
        Assert.True(one.Counts);
        Assert.False(new Sample(open.Point, open.Prepared).Counts);

        static ServingPoint NoWatts(ServingPoint point) =>
            point with { Numbers = point.Numbers.Where(pair => pair.Key != "avg_power_w_per_gpu").ToDictionary(pair => pair.Key, pair => pair.Value) };
    }

    [Theory]
    [InlineData(LeftOut.Cell)]
    [InlineData(LeftOut.Gpu)]
    [InlineData(LeftOut.Model)]
    public void A_fold_predicts_its_group_without_having_seen_it(LeftOut what)
    {
        var samples = Points.Value.Take(150).ToList();
        var calibrator = new Calibrator(samples);
        var groups = CrossValidation.Groups(samples, what);
        Assert.Equal(groups.Order(StringComparer.Ordinal).Distinct(), groups);
        var (outcomes, _) = CrossValidation.Fold(samples, calibrator, what, groups[0]);
        Assert.Equal(samples.Where(s => Group(s.Point) == groups[0]).ToList(), outcomes.Select(outcome => outcome.Sample).ToList());
        var blind = new Predictor(calibrator.Fit(sample => Group(sample.Point) != groups[0]));
        string Group(ServingPoint point) => what == LeftOut.Cell ? point.Cell : what == LeftOut.Gpu ? point.GpuKey : point.ModelKey;
        Assert.All(outcomes, outcome => Assert.Equal(blind.Predict(outcome.Sample.Prepared).Tpot, outcome.Prediction.Tpot));
    }

    private static CalibrationSet KnownFactors()
    {
        var steps = CalibrationSet.Prior.Steps[CalibrationSet.AnyStack];
        (steps[StepTerm.DecodeGemm], steps[StepTerm.DecodeAttention], steps[StepTerm.PrefillGemm]) = (1.3, 0.8, 1.2);
        (steps[StepTerm.Layers], steps[StepTerm.Step]) = (0.5, 1.5);
        var first = CalibrationSet.Prior.FirstTokens[CalibrationSet.AnyStack];
        (first[FirstTokenTerm.Own], first[FirstTokenTerm.Crowd]) = (0.9, 0.6);
        var power = CalibrationSet.Prior.Power["*"];
        (power[PowerTerm.Weights], power[PowerTerm.Prompts]) = (0.5, 0.3);
        return CalibrationSet.Prior with
        {
            Steps = new Dictionary<string, StepTerms> { [CalibrationSet.AnyStack] = steps },
            FirstTokens = new Dictionary<string, FirstTokenTerms> { [CalibrationSet.AnyStack] = first },
            Power = new Dictionary<string, PowerTerms> { ["*"] = power },
            Rates = new Dictionary<string, double> { ["closed-loop-benchmark"] = 0.9 },
        };
    }

    private static List<Sample> Synthetic(CalibrationSet truth, int seed, int count, double by = 1)
    {
        var (dice, predictor) = (new Dice(seed), new Predictor(truth));
        var samples = new List<Sample>();
        while (samples.Count < count)
        {
            var d = Serving.Deploy(
                Serving.Of(dice, Models), Serving.Of(dice, Gpus), dice.Chance(0.5) ? NumberFormat.Bf16 : NumberFormat.Fp8, 1 << dice.Whole(0, 3));
            var load = Serving.Closed(1 << dice.Whole(0, 8), dice.Whole(128, 8192), dice.Whole(64, 2048)) with { RequestsPerClient = 10 };
            var prepared = Serving.Prepare(d, load);
            var p = predictor.Predict(prepared);
            if (!p.Fits || p.Running < load.Concurrency)
                continue;
            samples.Add(new Sample(
                new ServingPoint
                {
                    RowId = $"{samples.Count}",
                    ModelKey = d.Model.Key,
                    GpuKey = d.Gpu.Key,
                    Numbers = new Dictionary<string, double>
                    {
                        ["tpot_mean_ms"] = p.Tpot * 1e3 * by,
                        ["ttft_mean_ms"] = p.Ttft * 1e3 * by,
                        ["output_tok_s_total"] = p.OutputTokensPerSecond / by,
                        ["avg_power_w_per_gpu"] = p.WattsPerGpu * by,
                    },
                },
                prepared));
        }

        return samples;
    }
}
