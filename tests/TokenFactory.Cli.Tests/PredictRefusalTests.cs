namespace TokenFactory.Cli.Tests;

/// <summary>predict refuses what means nothing: the setting, its value and the remedy, all mistakes at once, nothing written.</summary>
public sealed class PredictRefusalTests
{
    [Theory]
    [InlineData("--model is missing", "--gpu", "h100")]
    [InlineData("--gpu is missing", "--model", "llama-3.1-70b")]
    [InlineData("--model names 'lama-3.1-70b', which the catalog lacks. Did you mean llama-3.1-70b", "--model", "lama-3.1-70b", "--gpu", "h100")]
    [InlineData("--engine is 'llama.cpp'. Write one of vllm, sglang, tensorrt-llm, atom", "--engine", "llama.cpp")]
    [InlineData("--precision is 'q4'. Write one of fp32, bf16", "--precision", "q4")]
    [InlineData("--kv-precision is 'nvfp4'. Write bf16, fp8, int8 or fp32", "--kv-precision", "nvfp4")]
    [InlineData("--tp is 3, which does not divide the 64 heads of llama-3.1-70b. Give one of 1, 2, 4", "--model", "llama-3.1-70b", "--gpu", "h100", "--tp", "3")]
    [InlineData("--tp is 1.5. Give a whole number", "--tp", "1.5")]
    [InlineData("--tp is 9999999", "--tp", "9999999")]
    [InlineData("--pp is 81, more than the 80 layers", "--model", "llama-3.1-70b", "--gpu", "h100", "--pp", "81")]
    [InlineData("--ep is 2, and llama-3.1-70b has no experts", "--model", "llama-3.1-70b", "--gpu", "h100", "--ep", "2")]
    [InlineData("--attention-dp is 2, and llama-3.1-70b has no experts", "--model", "llama-3.1-70b", "--gpu", "h100", "--attention-dp", "2")]
    [InlineData("--ep is 3, which does not divide the 8 GPUs of tp x attention_dp", "--model", "deepseek-r1", "--gpu", "b200", "--tp", "1", "--attention-dp", "8", "--ep", "3")]
    [InlineData("--ep is 8 of an unknown number of GPUs", "--model", "deepseek-r1", "--gpu", "b200", "--ep", "8")]
    [InlineData("--prefill-ep is 3, which does not divide", "--model", "deepseek-r1", "--gpu", "b200", "--prefill-tp", "8", "--prefill-ep", "3")]
    [InlineData("--concurrency contradicts requests_per_second", "--concurrency", "5", "--requests-per-second", "1")]
    [InlineData("--concurrency is 0", "--concurrency", "0")]
    [InlineData("--requests-per-second is 0", "--requests-per-second", "0")]
    [InlineData("--arrival-cv says how evenly absent requests arrive", "--arrival-cv", "1")]
    [InlineData("--input-tokens is 1e300", "--input-tokens", "1e300")]
    [InlineData("--output-tokens is 0", "--output-tokens", "0")]
    [InlineData("--cached-share is 1.2", "--cached-share", "1.2")]
    [InlineData("--memory-utilisation is 90", "--memory-utilisation", "90")]
    [InlineData("--token-budget is 0", "--token-budget", "0")]
    [InlineData("--max-sequences is -1", "--max-sequences", "-1")]
    [InlineData("--acceptance describes a draft that is not given", "--acceptance", "0.5")]
    [InlineData("--acceptance is 2", "--draft-tokens", "3", "--acceptance", "2")]
    [InlineData("--power-cap-w is 0", "--power-cap-w", "0")]
    [InlineData("--clock-lock is 0.01", "--clock-lock", "0.01")]
    [InlineData("--sweep is 'concurrency', which names no values", "--sweep", "concurrency")]
    [InlineData("--sweep is 'gpu=1..2', which is no setting of a curve", "--sweep", "gpu=1..2")]
    [InlineData("--sweep is 'concurrency=8..1', which holds no ascending numbers", "--sweep", "concurrency=8..1")]
    [InlineData("--sweep is 'concurrency=0..8', which holds no ascending numbers", "--sweep", "concurrency=0..8")]
    [InlineData("--sweep is 'tp=1,3', where 3 does not divide the 64 heads", "--model", "llama-3.1-70b", "--gpu", "h100", "--sweep", "tp=1,3")]
    [InlineData("where power_cap_w is 30 W, less than h100-sxm can be held to", "--model", "llama-3.1-70b", "--gpu", "h100", "--sweep", "power_cap_w=30,400")]
    [InlineData("--power-cap-w contradicts --sweep power_cap_w", "--power-cap-w", "400", "--sweep", "power_cap_w=300,400")]
    [InlineData("--concurrency contradicts --sweep concurrency", "--concurrency", "5", "--sweep", "concurrency=1..8")]
    [InlineData("--svg is 'a.svg', and there is no curve to draw", "--svg", "a.svg")]
    [InlineData("--out is 'a.csv', and there is no table to answer", "--out", "a.csv")]
    [InlineData("--model contradicts --from", "--from", "examples/predict-points.csv", "--model", "llama-3.1-70b")]
    [InlineData("--sweep contradicts --from", "--from", "examples/predict-points.csv", "--sweep", "tp=1,2")]
    [InlineData("--json contradicts --from without --out", "--from", "examples/predict-points.csv", "--json")]
    [InlineData("--out is 'examples/predict-points.csv', which is read", "--from", "examples/predict-points.csv", "--out", "examples/predict-points.csv")]
    [InlineData("no-such-file.csv: does not exist", "--from", "no-such-file.csv")]
    [InlineData("of which the catalog lacks", "--model", "llama-3.1-70b", "--gpu", "jalapeno")]
    public void Names_the_setting_its_value_and_the_remedy(string message, params string[] arguments)
    {
        var run = Program.Run(["predict", .. arguments]);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_all_mistakes_of_a_file_at_once_with_their_lines()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.yaml", """
            model: llama-3.1-70b
            gpu: h1000
            tp: 3
            precision: q4
            power: 300
            acceptance: 0.5
            input_tokens: many
            """);
        var svg = Path.Combine(folder.Root, "curve.svg");
        var run = Program.Run("predict", path, "--sweep", "foo=1", "--svg", svg);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.All(
            new[]
            {
                ":2: 'gpu' names 'h1000'", ":3: 'tp' is 3", ":4: 'precision' is 'q4'", ":5: unknown key 'power'. Did you mean 'power_cap_w'",
                ":6: 'acceptance' describes a draft", ":7: 'input_tokens' is 'many'", "--sweep is 'foo=1'",
            },
            message => Assert.Contains(message, run.Err, StringComparison.Ordinal));
        Assert.False(File.Exists(svg));
    }
}
