namespace TokenFactory.Cli.Tests;

/// <summary>Wrong input: one clear message each, all of a file together, exit code 2, nothing on standard output, nothing written.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("names 'h1000', which the catalog lacks. Did you mean", "price", "--gpu", "h1000")]
    [InlineData("names 'lama-3.1-70b', which the catalog lacks. Did you mean llama-3.1-70b", "price", "--model", "lama-3.1-70b")]
    [InlineData("names 'spheronn', which offers nothing in the catalog. Did you mean 'Spheron'?", "price", "--gpu", "h100", "--provider", "spheronn")]
    [InlineData("--billing is 'sport'. Write one of on-demand", "price", "--billing", "sport", "--gpu", "h100")]
    [InlineData("--tokens-per-second-per-gpu is -5. Give a number above zero", "price", "--gpu", "h100", "--tokens-per-second-per-gpu", "-5")]
    [InlineData("--usd-per-gpu-hour is 0. Give a number above zero", "price", "--gpu", "h100", "--tokens-per-second-per-gpu", "5", "--usd-per-gpu-hour", "0")]
    [InlineData("--tokens-per-second-per-gpu is '2k'. Give a plain number", "price", "--gpu", "h100", "--tokens-per-second-per-gpu", "2k")]
    [InlineData("--utilisation is 1.4", "price", "--utilisation", "1.4")]
    [InlineData("--pue is 0.9", "price", "--pue", "0.9")]
    [InlineData("--tokens-per-second contradicts --tokens-per-second-per-gpu", "price", "--gpu", "h100", "--tokens-per-second", "5", "--tokens-per-second-per-gpu", "5")]
    [InlineData("--tokens-per-second does not say of how many GPUs", "price", "--gpu", "h100", "--tokens-per-second", "5")]
    [InlineData("--decode-gpus stands alone", "price", "--gpu", "h100", "--tokens-per-second", "5", "--decode-gpus", "4")]
    [InlineData("--watts-per-gpu describes a throughput that is not given", "price", "--watts-per-gpu", "300")]
    [InlineData("--power-boundary says where absent watts are measured", "price", "--gpu", "h100", "--tokens-per-second-per-gpu", "5", "--power-boundary", "it")]
    [InlineData("--power-at is '3'", "price", "--power-at", "3")]
    [InlineData("--usd-per-gpu-hour is 1e300", "price", "--gpu", "h100", "--tokens-per-second-per-gpu", "5", "--usd-per-gpu-hour", "1e300")]
    [InlineData("--capital-usd needs the power of tpu-v6e", "price", "--gpu", "tpu-v6e", "--tokens-per-second-per-gpu", "5", "--watts-per-gpu", "300", "--capital-usd", "9000")]
    [InlineData("--gpus is 1.9. Give a whole number", "price", "--gpu", "h100", "--tokens-per-second", "5", "--gpus", "1.9")]
    [InlineData("--gpus contradicts --tokens-per-second-per-gpu", "price", "--gpu", "h100", "--tokens-per-second-per-gpu", "5", "--gpus", "2")]
    [InlineData("--hours is 1e12", "billing", "--gpu", "h100", "--gpus", "1", "--hours", "1e12")]
    [InlineData("--mean-hours-to-preemption is 1e12", "billing", "--gpu", "h100", "--gpus", "1", "--mean-hours-to-preemption", "1e12")]
    [InlineData("--utilisation is 0.05, flatter than a daily wave", "billing", "--gpu", "h100", "--workload", "bursty", "--utilisation", "0.05")]
    [InlineData("--vs is 'nobody'", "price", "--vs", "nobody")]
    [InlineData("--as-of is 'yesterday'", "price", "--as-of", "yesterday")]
    [InlineData("unknown flag '--gppu'. Did you mean '--gpu'?", "price", "--gppu", "h100")]
    [InlineData("'prise' is not expected here. Did you mean 'price'?", "prise")]
    [InlineData("nowhere.yaml: does not exist", "price", "nowhere.yaml")]
    [InlineData("docs: is a folder", "price", "docs")]
    [InlineData("--catalog is '/no/such/folder', which is no folder", "price", "--catalog", "/no/such/folder")]
    [InlineData("has no offer for h100-nvl spot", "price", "--gpu", "h100-nvl", "--tokens-per-second-per-gpu", "5", "--billing", "spot")]
    [InlineData("--demand is missing, and so is a flat load", "billing", "--gpu", "h100")]
    [InlineData("--on-demand-usd is unknown", "billing", "--gpus", "4")]
    [InlineData("--workload is 'chaotic'. Write one of development, stable, bursty, batch", "billing", "--gpu", "h100", "--workload", "chaotic")]
    [InlineData("--demand contradicts --gpus", "billing", "--gpu", "h100", "--demand", "d.csv", "--gpus", "4")]
    [InlineData("--mw is missing", "factory", "--gpu", "gb200")]
    [InlineData("--gpu is missing", "factory", "--mw", "10")]
    [InlineData("--mw is -1. Give a number above zero", "factory", "--mw", "-1", "--gpu", "gb200")]
    [InlineData("--tiers names 'gold', which the catalog lacks. Known: gtc-2026", "factory", "--mw", "1", "--gpu", "gb200", "--tiers", "gold")]
    [InlineData("has no point of llama-3.1-8b", "factory", "--mw", "1", "--gpu", "gb200", "--model", "llama-3.1-8b")]
    [InlineData("holds nothing called 'h10o'. Did you mean", "catalog", "show", "h10o")]
    [InlineData("'cars' is no kind of entry", "catalog", "list", "cars")]
    public void Names_the_setting_its_value_and_the_remedy(string message, params string[] arguments)
    {
        var run = Program.Run(arguments);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.All(run.Err.TrimEnd('\n').Split('\n'), line => Assert.StartsWith("error: ", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a: [1\nb: 2\n")]
    [InlineData("a: [1,\n")]
    [InlineData("a: b: c\n")]
    [InlineData("a: \"x\n")]
    public void A_file_that_is_no_yaml_is_refused_in_one_sentence_and_a_remedy(string text)
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("simulate", folder.Write("x.yaml", text));
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("x.yaml", run.Err, StringComparison.Ordinal);
        Assert.Contains(": not YAML", run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("..", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Reports_all_mistakes_of_a_file_together_with_their_lines()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.yaml", """
            utilisation: 140%
            electricity: 0.08
            points:
              - gpu: h1000
                throughput: 2000
              - gpu: h100
                tokens_per_second_per_gpu: -5
                price: 2.9
                power_boundary: wall
              - gpu: b200
                tokens_per_second: 100
                gpus: 8
                prefill_gpus: 2
                usd_per_gpu_hour: abc
            """);
        var run = Program.Run("price", path);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        (int Line, string Message)[] expected =
        [
            (1, "'utilisation' is 140%"), (2, "unknown key 'electricity'. Did you mean 'usd_per_kwh'? Keys carry their unit"),
            (4, "'gpu' names 'h1000'"), (5, "unknown key 'throughput'. Did you mean 'tokens_per_second_per_gpu'?"),
            (7, "'tokens_per_second_per_gpu' is -5"), (8, "unknown key 'price'. Did you mean 'usd_per_gpu_hour'?"), (9, "'power_boundary' is 'wall'"),
            (12, "'gpus' contradicts 'prefill_gpus'"), (14, "'usd_per_gpu_hour' is 'abc'"),
        ];
        Assert.All(expected, mistake => Assert.Contains($"error: {path}:{mistake.Line}: {mistake.Message}", run.Err, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("not YAML", "points: [")]
    [InlineData("is not one YAML mapping", "- 1\n- 2\n")]
    [InlineData("'points' is missing", "model: llama-3.1-70b\n")]
    [InlineData("'points' is not a list of settings", "points: 5\n")]
    public void Refuses_a_file_that_is_no_list_of_points(string message, string text)
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("price", folder.Write("bad.yaml", text));
        Assert.Equal(2, run.Code);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_flags_that_describe_points_beside_a_file_that_does()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("points.yaml", "points:\n  - {gpu: h100, tokens_per_second_per_gpu: 5, usd_per_gpu_hour: 2}\n");
        Assert.Equal(0, Program.Run("price", path, "--utilisation", "0.5").Code);
        var run = Program.Run("price", path, "--gpu", "h200");
        Assert.Equal(2, run.Code);
        Assert.Contains("--gpu contradicts", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "holds no rows")]
    [InlineData("time,gpus\n", "holds no rows")]
    [InlineData("time,gpu\n0,5\n", "unknown column 'gpu'. Did you mean 'gpus'?")]
    [InlineData("hour,gpus\n0,5\n", "column 'time' is missing")]
    [InlineData("time,gpus\n0,5\n1,x\n", ":3: column 'gpus' is 'x'")]
    [InlineData("time,gpus\n0,5\n1,-2\n", ":3: column 'gpus' is '-2'")]
    [InlineData("time,gpus\n0,5\n1,2,3\n", ":3: 3 fields where the header has 2")]
    [InlineData("time,gpus\n5,5\n4,2\n", ":3: column 'time' is '4', not after the row before")]
    [InlineData("time,gpus\nnoon,5\n", "column 'time' is 'noon'")]
    [InlineData("time,gpus\n0,0\n1,0\n", "asks for nothing")]
    [InlineData("time,gpus,interruptible_gpus\n0,5,6\n", "more than gpus")]
    [InlineData("time,gpus\n0,\"5\n", "malformed CSV")]
    [InlineData("time,tokens_per_second\n0,5\n", "--tokens-per-second-per-gpu is missing, and the demand is in tokens/s")]
    public void Refuses_a_demand_that_is_no_curve(string text, string message)
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("billing", "--gpu", "h100", "--demand", folder.Write("demand.csv", text));
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
    }
}
