using TokenFactory.Catalog;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Performance.Kernels;

namespace TokenFactory.Tests.Performance.Calibration;

/// <summary>Grades say of hand-made predictions what is wrong with them.</summary>
public sealed class GradesTests
{
    private static readonly SampleReader Reader = ReadCatalog();

    [Theory]
    [InlineData(1.0, 1.0, 2.0, 3.0, 4.0)]
    [InlineData(-1.0, 4.0, 3.0, 2.0, 1.0)]
    [InlineData(1.0 / 3, 1.0, 4.0, 2.0, 3.0)]
    public void Tau_counts_pairs_in_order(double tau, params double[] order) =>
        Assert.Equal(tau, OrderingGrade.Kendall([.. order.Select((value, i) => (value, (double)i))])!.Value, 9);

    [Fact]
    public void Tau_is_unknown_where_one_side_is_all_ties_and_falls_with_some()
    {
        Assert.Null(OrderingGrade.Kendall([(1, 1), (1, 2), (1, 3)]));
        Assert.Equal(2 / Math.Sqrt(2 * 3), OrderingGrade.Kendall([(1, 1), (1, 2), (2, 3)])!.Value, 9);
    }

    [Fact]
    public void Errors_are_shares_of_what_was_measured()
    {
        var outcomes = new[] { (Measured: 10.0, Predicted: 11.0), (20, 18), (30, 45) }
            .Select((each, i) => Outcome(i, each.Measured, 100, each.Predicted, 100)).ToList();
        var tpot = Grades.Of(Grades.Figures(outcomes).Where(figure => figure.Metric == Metric.Tpot))!;
        Assert.Equal((3, 1, 0), (tpot.Rows, tpot.Cells, tpot.Misfits));
        Assert.Equal(0.1, tpot.Median, 9);
        Assert.Equal((0.1 + 0.1 + 0.5) / 3, tpot.Mean, 9);
        Assert.Equal(1.1, tpot.Ratio, 9);
        Assert.Null(Grades.Of([]));
    }

    [Fact]
    public void What_does_not_fit_is_missed_by_its_whole_size()
    {
        var misfit = Outcome(1, 10, 100, 0, 0) with { Prediction = new Prediction { Fits = false, Gpus = 1 } };
        var grade = Grades.Of(Grades.Figures([misfit]).Where(figure => figure.Metric == Metric.Tpot))!;
        Assert.Equal((1, 1.0), (grade.Misfits, grade.Median));
    }

    [Fact]
    public void A_run_that_two_collections_report_counts_once()
    {
        var figures = Grades.Figures([Outcome(1, 10, 100, 11, 100), Outcome(1, 10, 100, 11, 100), Outcome(1, 12, 100, 11, 100)]);
        Assert.Equal(2, figures.Count(figure => figure.Metric == Metric.Tpot));
        Assert.Equal(1, figures.Count(figure => figure.Metric == Metric.Tokens));
    }

    [Fact]
    public void Ordering_compares_configurations_of_equal_speed_only()
    {
        // Two bins of four, one in the right order and one in the wrong one.
        var outcomes = new List<Outcome>();
        for (var i = 0; i < 4; i++)
        {
            outcomes.Add(Outcome(i, 10 + (0.1 * i), 100 + i, 10, 50 + i));
            outcomes.Add(Outcome(i + 8, 20 + (0.1 * i), 100 + i, 20, 50 - i));
        }

        var order = OrderingGrade.Of(Grades.Figures(outcomes))!;
        Assert.Equal((0.0, 1, 8), (order.Tau, order.Cells, order.Rows));
        Assert.Null(OrderingGrade.Of(Grades.Figures(outcomes.Take(7))));
    }

    [Fact]
    public void Candidates_are_configurations_and_repeated_runs_of_one_are_one()
    {
        var repeated = new[] { Outcome(1, 10, 100, 11, 90), Outcome(1, 30, 300, 11, 90), Outcome(1, 12, 110, 11, 90), Outcome(2, 20, 150, 19, 160) };
        var candidates = Candidate.Of(repeated);
        Assert.Equal([(2.0, 12.0, 110.0, 11.0, 90.0), (3, 20, 150, 19, 160)], candidates.Select(each =>
            (each.Configuration.Concurrency, each.Tpot, each.Tokens, Math.Round(each.PredictedTpot, 9), each.PredictedTokens)));
        var misfit = Outcome(1, 10, 100, 0, 0) with { Prediction = new Prediction { Fits = false, Gpus = 1 } };
        Assert.Equal((double.PositiveInfinity, 0.0), (Candidate.Of([misfit])[0].PredictedTpot, Candidate.Of([misfit])[0].PredictedTokens));
        Assert.Equal("llama-3.1-8b|h100-sxm", candidates[0].Cell);
        Assert.Equal("512 / 512", candidates[0].Workload);
    }

    [Fact]
    public void Throughput_follows_from_measured_times_where_it_was_not_counted()
    {
        var numbers = new Dictionary<string, double>
        {
            ["gpu_count"] = 2,
            ["tp"] = 2,
            ["input_len_tok"] = 512,
            ["output_len_tok"] = 101,
            ["concurrency"] = 8,
            ["tpot_mean_ms"] = 10,
            ["ttft_mean_ms"] = 1000,
        };
        var timed = new Outcome(Reader.Read(Point(1, numbers)).Sample!, new Prediction { Fits = true, Gpus = 2, Tpot = 0.01, TotalTokensPerSecond = 1000 });
        Assert.Empty(Candidate.Of([timed]));
        var candidate = Assert.Single(Candidate.Of([timed], implied: true)); // 8 clients, an answer every 1 s + 100 x 10 ms
        Assert.Equal((8 / 2.0 * 613 / 2, 500), (candidate.Tokens, candidate.PredictedTokens));
        var open = Point(1, numbers) with { LoadKind = "poisson_open_loop" };
        numbers["request_rate_rps"] = 1;
        numbers["total_tok_s_per_gpu"] = 100;
        Assert.Empty(Candidate.Of([timed with { Sample = Reader.Read(open).Sample! }], implied: true));
    }

    [Fact]
    public void A_fit_on_top_of_what_is_known_learns_a_factor_that_all_rows_share()
    {
        var predictor = new Predictor(CalibrationSet.Prior);
        var samples = Enumerable.Range(0, 30).Select(i => Sample(i, 1e3, 1)).ToList();
        List<Sample> slow =
        [
            .. samples.Select((sample, i) => Sample(i, predictor.Predict(sample.Prepared).Tpot * 1e3 * 1.3, 1)),
        ];
        var calibrator = new Calibrator(slow, CalibrationSet.Prior);
        var blind = new Predictor(calibrator.Fit());
        Assert.All(slow, sample => Assert.InRange(blind.Predict(sample.Prepared).Tpot * 1e3 / sample.Point.MeasuredTpot!.Value, 0.85, 1.05));
        var nothing = new Predictor(calibrator.Fit(_ => false));
        Assert.All(slow, sample => Assert.Equal(predictor.Predict(sample.Prepared).Tpot, nothing.Predict(sample.Prepared).Tpot, 1e-12));
    }

    [Fact]
    public void Where_all_is_given_at_once_a_model_keeps_its_own_pace_on_a_gpu_that_was_not_seen()
    {
        string[] gpus = ["h100-sxm", "h200-sxm", "b200", "a100-sxm-80gb"];
        var prior = new Predictor(CalibrationSet.Prior);
        List<Sample> samples =
        [
            .. gpus.SelectMany(gpu => Enumerable.Range(1, 5).SelectMany(i => new[]
            {
                Offline("llama-3.1-8b", gpu, i, 0.7),
                Offline("mistral-7b", gpu, i, 1.2),
            })),
        ];
        var blind = new Predictor(new Calibrator(samples).Fit(sample => sample.Traits.Gpu != "b200"));
        foreach (var sample in samples.Where(sample => sample.Traits.Gpu == "b200"))
        {
            var (without, with) = (Ratio(prior, sample), Ratio(blind, sample));
            Assert.True(Math.Abs(Math.Log(with)) < 0.6 * Math.Abs(Math.Log(without)), $"{sample.Cell}: {without} and {with}");
        }

        double Ratio(Predictor predictor, Sample sample) =>
            predictor.Predict(sample.Prepared).OutputTokensPerSecond / sample.Point.MeasuredOutput!.Value;

        Sample Offline(string model, string gpu, int i, double pace)
        {
            var numbers = new Dictionary<string, double>
            {
                ["gpu_count"] = 1,
                ["tp"] = 1,
                ["input_len_tok"] = 128 * i,
                ["output_len_tok"] = 256,
                ["output_tok_s_total"] = 1,
            };
            var point = Point(i, numbers) with { ModelKey = model, GpuKey = gpu, LoadKind = "offline_all_at_once" };
            numbers["output_tok_s_total"] = pace * prior.Predict(Reader.Read(point).Sample!.Prepared).OutputTokensPerSecond;
            return Reader.Read(point).Sample!;
        }
    }

    [Fact]
    public void A_row_that_cannot_be_a_sample_says_why()
    {
        Assert.Contains("measures nothing", Reader.Read(Point(1, new Dictionary<string, double> { ["concurrency"] = 4 })).Unused!.Reason, StringComparison.Ordinal);
        Assert.Contains("less time than reading the weights", Read(1, 0.1, 100).Unused!.Reason, StringComparison.Ordinal);
        Assert.Contains("no model 'gpt-9'", Reader.Read(Point(1, new Dictionary<string, double> { ["tpot_mean_ms"] = 4 }) with { ModelKey = "gpt-9" }).Unused!.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Identification_names_terms_that_no_row_has()
    {
        var samples = Enumerable.Range(0, 30).Select(i => Sample(i, 10 + i, 100)).ToList();
        var known = Identification.Of(samples, new Calibrator(samples).Fit());
        Assert.Contains(known.Findings, finding => finding is { Table: "step", Group: CalibrationSet.AnyStack, Term: "decode-dispatch", Standing: Standing.Unseen });
        Assert.Contains(known.Findings, finding => finding is { Table: "power", Standing: Standing.Unseen });
        Assert.Empty(known.SmallGroups);
        Assert.Contains(new SmallGroup("step", "vllm|NVIDIA", 5), Identification.Of(samples.Take(5).ToList(), CalibrationSet.Prior).SmallGroups);
    }

    private static Outcome Outcome(int id, double tpot, double total, double predictedTpot, double predictedTotal) => new(
        Sample(id, tpot, total),
        new Prediction { Fits = true, Gpus = 1, Tpot = predictedTpot / 1e3, TotalTokensPerSecond = predictedTotal });

    private static Sample Sample(int id, double tpot, double total) => Read(id, tpot, total).Sample!;

    private static (Sample? Sample, UnusedRow? Unused) Read(int id, double tpot, double total) => Reader.Read(Point(id, new Dictionary<string, double>
    {
        ["gpu_count"] = 1,
        ["tp"] = 1,
        ["input_len_tok"] = 512,
        ["output_len_tok"] = 512,
        ["concurrency"] = 1 + id,
        ["tpot_mean_ms"] = tpot,
        ["total_tok_s_per_gpu"] = total,
    }));

    private static ServingPoint Point(int id, Dictionary<string, double> numbers) => new()
    {
        RowId = $"r{id}",
        ModelKey = "llama-3.1-8b",
        GpuKey = "h100-sxm",
        Engine = "vLLM",
        PrecisionKey = "fp8",
        LoadKind = "closed_loop_concurrency",
        SpecDecode = "none",
        Mode = "aggregated",
        LenKind = "fixed",
        Numbers = numbers,
    };

    private static SampleReader ReadCatalog()
    {
        var mistakes = new List<Mistake>();
        var root = Repository.Path("catalog");
        var files = new[] { "accelerators", "models", "engines" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(root, folder), "*.json"))
            .Append(Path.Combine(root, "site-defaults.json"))
            .Select(path => new CatalogFile(Path.GetRelativePath(root, path).Replace('\\', '/'), File.ReadAllText(path)))
            .ToList();
        var catalog = CatalogReader.Read([files], mistakes);
        Assert.Empty(mistakes);
        return new SampleReader(catalog, ShippedTables.Table);
    }
}
