using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>predict of one deployment and of a curve, as the user meets it.</summary>
public sealed class PredictTests
{
    private static readonly string[] Usual = ["predict", "--model", "llama-3.1-70b", "--gpu", "h100"];

    [Fact]
    public void Answers_from_model_and_gpu_alone_and_says_what_it_assumed()
    {
        var run = Program.Run(Usual);
        Assert.Equal(0, run.Code);
        Assert.Equal("", run.Err);
        Assert.StartsWith("llama-3.1-70b in bf16 on 4 h100-sxm (vllm, TP4), 32 users at once with 1,024 tokens in and 1,024 out", run.Out, StringComparison.Ordinal);
        Assert.Contains("Assumed, as you did not say: precision bf16, the checkpoint's own, kv_precision bf16, the engines' default, token_budget 8192, memory_utilisation 0.9, input_tokens 1024, output_tokens 1024, concurrency 32.", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Gives_every_figure_its_band_and_its_parts_to_machines()
    {
        var json = Program.Run([.. Usual, "--concurrency", "32", "--json"]).Json;
        var figures = Rows(json, "figures", "figure");
        var tpot = figures["tpot_ms"];
        var value = tpot.GetProperty("value").GetDouble();
        Assert.InRange(value, 5, 100);
        Assert.True(tpot.GetProperty("low").GetDouble() < value && value < tpot.GetProperty("high").GetDouble());
        Assert.InRange(tpot.GetProperty("median_error").GetDouble(), 0, 1);
        Assert.True(tpot.GetProperty("unseen_cells").GetInt32() >= 1);
        Assert.Matches("vllm NVIDIA|h100-sxm", tpot.GetProperty("scope").GetString()!);
        Assert.Equal(1000 / value, figures["tokens_per_second_per_user"].GetProperty("value").GetDouble(), 6);
        Assert.Equal(value, Sum(json, "token_time", "ms"), 6);
        Assert.Equal(figures["ttft_ms"].GetProperty("value").GetDouble(), Sum(json, "first_token", "ms"), 6);
        var memory = json.GetProperty("memory").EnumerateArray().ToList();
        var all = memory.Single(row => row.GetProperty("part").GetString() == "all").GetProperty("gib").GetDouble();
        Assert.Equal(2 * all, memory.Sum(row => row.GetProperty("gib").GetDouble()), 6);
        Assert.Contains(json.GetProperty("constants").EnumerateArray(), row => row.GetProperty("kind").GetString() == "measured");
        Assert.True(json.GetProperty("room")[0].GetProperty("kv_blocks").GetInt64() > 0);
    }

    [Fact]
    public void Percentiles_rise_from_half_to_ninety_nine()
    {
        var rows = Rows(Program.Run([.. Usual, "--concurrency", "64", "--json"]).Json, "percentiles", "figure");
        Assert.All(rows.Values, row => Assert.True(
            row.GetProperty("p50").GetDouble() <= row.GetProperty("p90").GetDouble() && row.GetProperty("p90").GetDouble() <= row.GetProperty("p99").GetDouble()));
    }

    [Fact]
    public void Says_no_with_what_is_missing_and_the_nearest_thing_that_fits()
    {
        var run = Program.Run([.. Usual, "--tp", "1"]);
        Assert.Equal(1, run.Code);
        Assert.Matches(@"^No: llama-3\.1-70b in bf16 on 1 h100-sxm \(vllm, TP1\) does not fit with one request of 2,048 tokens; 6\d\.\d GiB are missing on each GPU\.", run.Out);
        Assert.Contains("It fits on 2 GPUs, or in fp8 on one, or in int4 (AWQ, GPTQ) on one", run.Out, StringComparison.Ordinal);
        Assert.Equal(0, Program.Run([.. Usual, "--tp", "2"]).Code);
        Assert.Equal(0, Program.Run([.. Usual, "--tp", "1", "--precision", "awq"]).Code);
        var json = Program.Run([.. Usual, "--tp", "1", "--json"]).Json;
        Assert.False(json.GetProperty("room")[0].GetProperty("fits").GetBoolean());
        Assert.Contains(json.GetProperty("nearest").EnumerateArray(), row => row.GetProperty("precision").GetString() == "int4" && row.GetProperty("gpus").GetDouble() == 1);
    }

    [Fact]
    public void Says_no_to_more_requests_than_it_serves()
    {
        var run = Program.Run([.. Usual, "--tp", "4", "--requests-per-second", "1000"]);
        Assert.Equal(1, run.Code);
        Assert.Contains("It cannot serve 1,000 requests/s", run.Out, StringComparison.Ordinal);
        Assert.Equal(0, Program.Run([.. Usual, "--tp", "4", "--requests-per-second", "0.5", "--arrival-cv", "0"]).Code);
    }

    [Fact]
    public void A_file_means_what_its_flags_mean_and_flags_win()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("one.yaml", "model: llama-3.1-70b\ngpu: h100\nprecision: fp8\ntp: 4\nconcurrency: 64\n");
        var flags = Program.Run([.. Usual, "--precision", "fp8", "--tp", "4", "--concurrency", "64"]);
        Assert.Equal(flags.Out, Program.Run("predict", path).Out);
        Assert.Contains("TP8", Program.Run("predict", path, "--tp", "8").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Pools_of_their_own_count_all_their_gpus()
    {
        var json = Program.Run("predict", "examples/predict-disaggregated.yaml", "--json").Json;
        Assert.Equal(["prefill", "decode"], json.GetProperty("room").EnumerateArray().Select(row => row.GetProperty("pool").GetString()!));
        var figures = Rows(json, "figures", "figure");
        double Of(string key) => figures[key].GetProperty("value").GetDouble();
        Assert.Equal(Of("requests_per_second") * (8192 + 1024) / 16, Of("tokens_per_second_per_gpu"), 6);
        Assert.NotEmpty(json.GetProperty("prefill_memory").EnumerateArray());
    }

    [Fact]
    public void A_price_per_hour_becomes_dollars_per_million_tokens()
    {
        var figures = Rows(Program.Run([.. Usual, "--usd-per-gpu-hour", "2.5", "--json"]).Json, "figures", "figure");
        var expected = 2.5 / 3600 / figures["tokens_per_second_per_gpu"].GetProperty("value").GetDouble() * 1e6;
        Assert.Equal(expected, figures["usd_per_million_tokens"].GetProperty("value").GetDouble(), 9);
    }

    [Fact]
    public void A_lower_power_cap_draws_less_and_a_draft_speeds_up()
    {
        double Figure(string key, params string[] more) =>
            Rows(Program.Run([.. Usual, "--tp", "8", .. more, "--json"]).Json, "figures", "figure")[key].GetProperty("value").GetDouble();
        Assert.True(Figure("watts_per_gpu", "--power-cap-w", "300") <= 300);
        Assert.True(Figure("tpot_ms", "--draft-tokens", "3", "--acceptance", "0.8", "--concurrency", "1") < Figure("tpot_ms", "--concurrency", "1"));
        Assert.True(Figure("ttft_ms", "--cached-share", "0.9") < Figure("ttft_ms"));
    }

    [Fact]
    public void A_curve_trades_speed_per_user_for_tokens_per_gpu()
    {
        using var folder = new TemporaryFolder();
        var svg = Path.Combine(folder.Root, "curve.svg");
        var json = Program.Run([.. Usual, "--precision", "fp8", "--sweep", "concurrency=1..100", "--svg", svg, "--json"]).Json;
        var rows = json.GetProperty("curve").EnumerateArray().ToList();
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 100], rows.Select(row => row.GetProperty("concurrency").GetDouble()));
        Assert.All(rows.Zip(rows.Skip(1)), pair =>
        {
            Assert.True(pair.First.GetProperty("tokens_per_second_per_user").GetDouble() > pair.Second.GetProperty("tokens_per_second_per_user").GetDouble());
            Assert.True(pair.First.GetProperty("tokens_per_second_per_gpu").GetDouble() < pair.Second.GetProperty("tokens_per_second_per_gpu").GetDouble());
        });
        var drawn = XDocument.Load(svg);
        XNamespace space = "http://www.w3.org/2000/svg";
        Assert.Equal(8, drawn.Descendants(space + "circle").Count());
        Assert.Contains("prefers-color-scheme: dark", File.ReadAllText(svg), StringComparison.Ordinal);
        Assert.Contains(drawn.Descendants(space + "text"), text => text.Value == "tokens/s per user");
    }

    [Theory]
    [InlineData("--concurrency", "1000", "replicas have room for all")]
    [InlineData("--requests-per-second", "20", "replicas would serve it")]
    public void A_load_too_large_for_any_layout_runs_on_the_one_that_serves_most_and_says_how_many_would_do(string flag, string value, string words)
    {
        var run = Program.Run([.. Usual, flag, value]);
        Assert.Contains("(vllm, TP8)", run.Out, StringComparison.Ordinal);
        Assert.Contains(words, string.Join(' ', run.Out.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_lone_user_meets_nobodys_prompts()
    {
        var json = Program.Run([.. Usual, "--concurrency", "1", "--json"]).Json;
        Assert.DoesNotContain(json.GetProperty("token_time").EnumerateArray(), part => part.GetProperty("part").GetString() == "prompts");
        var first = json.GetProperty("percentiles").EnumerateArray().Single(row => row.GetProperty("figure").GetString() == "ttft_ms");
        Assert.Equal(first.GetProperty("mean").GetDouble(), first.GetProperty("p99").GetDouble(), 6);
    }

    [Theory]
    [InlineData("Nobody measured tensorrt-llm on GPUs of AMD", "--gpu", "mi300x", "--engine", "tensorrt-llm")]
    [InlineData("Next to nothing was measured on GPUs of AWS", "--gpu", "trainium2", "--tp", "8")]
    [InlineData("has no units for fp8", "--gpu", "a100-sxm-80gb", "--precision", "fp8")]
    public void Says_what_stands_on_less_than_measurements(string words, params string[] flags)
    {
        var run = Program.Run(["predict", "--model", "llama-3.1-70b", .. flags]);
        Assert.Contains(words, string.Join(' ', run.Out.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_rate_near_the_most_is_served_with_a_warning()
    {
        string[] flags = [.. Usual, "--tp", "2", "--requests-per-second"];
        var json = Program.Run([.. flags, "1e4", "--json"]).Json;
        var most = json.GetProperty("figures").EnumerateArray()
            .Single(row => row.GetProperty("figure").GetString() == "requests_per_second").GetProperty("value").GetDouble();
        var run = Program.Run([.. flags, (0.97 * most).ToString("R", CultureInfo.InvariantCulture)]);
        Assert.Equal(0, run.Code);
        Assert.Contains("The rate is over 95 %", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_curve_of_power_caps_keeps_each_and_gets_no_slower_with_more_watts()
    {
        var curve = Program.Run([.. Usual, "--sweep", "power_cap_w=250,400,700", "--json"]).Json.GetProperty("curve").EnumerateArray().ToList();
        double[] watts = [.. curve.Select(row => row.GetProperty("watts_per_gpu").GetDouble())];
        double[] tpot = [.. curve.Select(row => row.GetProperty("tpot_ms").GetDouble())];
        Assert.Equal([250, 400, 700], curve.Select(row => row.GetProperty("power_cap_w").GetDouble()));
        Assert.InRange(watts[0], 245, 250);
        Assert.InRange(watts[1], 390, 400);
        Assert.True(watts[2] > watts[1] && watts[2] < 700);
        Assert.True(tpot[0] > tpot[1] && tpot[1] > tpot[2]);
    }

    [Fact]
    public void A_curve_over_gpus_marks_what_does_not_fit()
    {
        var run = Program.Run([.. Usual, "--sweep", "tp=1,2,4", "--json"]);
        Assert.Equal(0, run.Code);
        Assert.Equal([false, true, true], run.Json.GetProperty("curve").EnumerateArray().Select(row => row.GetProperty("fits").GetBoolean()));
        Assert.Equal(1, Program.Run([.. Usual, "--sweep", "tp=1"]).Code);
    }

    [Fact]
    public void The_guide_shows_a_picture_of_a_real_curve()
    {
        using var folder = new TemporaryFolder();
        var svg = Path.Combine(folder.Root, "curve.svg");
        Program.Run([.. Usual, "--precision", "fp8", "--sweep", "concurrency=1..512", "--svg", svg]);
        var picture = Repository.Path("docs", "images", "predict-sweep.svg");
        if (Environment.GetEnvironmentVariable("TOKENFACTORY_WRITE_DOCS") is { Length: > 0 })
            File.Copy(svg, picture, overwrite: true);
        Assert.Equal(File.ReadAllText(picture), File.ReadAllText(svg));
    }

    private static Dictionary<string, JsonElement> Rows(JsonElement json, string section, string key) =>
        json.GetProperty(section).EnumerateArray().ToDictionary(row => row.GetProperty(key).GetString()!, StringComparer.Ordinal);

    private static double Sum(JsonElement json, string section, string key) =>
        json.GetProperty(section).EnumerateArray().Sum(row => row.GetProperty(key).GetDouble());
}
