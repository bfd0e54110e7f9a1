using System.Text.Json;

namespace TokenFactory.Cli.Tests;

/// <summary>billing, as the user meets it.</summary>
public sealed class BillingTests
{
    private static readonly string[] Menu = ["--on-demand-usd", "2.90", "--reserved-1y-usd", "2.03", "--reserved-3y-usd", "none", "--spot-usd", "none"];

    [Theory]
    [InlineData("0.65", 0)]
    [InlineData("0.75", 64)]
    public void A_thirty_percent_discount_pays_from_seventy_percent_use(string utilisation, int committed)
    {
        var plan = Run(["--gpus", "64", "--utilisation", utilisation]).GetProperty("plan").EnumerateArray().ToList();
        var gpus = plan.Where(row => row.GetProperty("billing").GetString() == "reserved-1y").Sum(row => row.GetProperty("gpus_committed").GetDouble());
        Assert.Equal(committed, gpus);
    }

    [Fact]
    public void Reads_tokens_and_dates_and_splits_what_may_be_interrupted()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("demand.csv", "time,tokens_per_second,interruptible_tokens_per_second\n2026-11-01T00:00Z,1000,0\n2026-11-01T12:00Z,4100,2000\n2026-11-02T00:00Z,1000,0\n");
        var json = Program.Run("billing", "--on-demand-usd", "2", "--reserved-1y-usd", "1.2", "--spot-usd", "0.5", "--demand", path, "--tokens-per-second-per-gpu", "1000", "--json").Json;
        var plan = json.GetProperty("plan").EnumerateArray().ToDictionary(row => row.GetProperty("billing").GetString()!);
        Assert.Equal(1, plan["reserved-1y"].GetProperty("gpus_committed").GetDouble());
        Assert.Equal(12 * 2, plan["on-demand"].GetProperty("gpu_hours").GetDouble());
        Assert.Equal(12 * 2, plan["spot"].GetProperty("gpu_hours").GetDouble());
        var split = json.GetProperty("alternatives")[0];
        var millions = ((1000 * 12) + (4100 * 12) + (1000 * 12)) * 3600 / 1e6;
        Assert.Equal(split.GetProperty("usd").GetDouble() / millions, split.GetProperty("usd_per_million_tokens").GetDouble(), 9);
    }

    [Fact]
    public void Firm_work_never_runs_on_spot()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("d.csv", "time,tokens_per_second,interruptible_tokens_per_second\n0,4000,2100\n1,4000,2100\n");
        var plan = Program.Run("billing", "--on-demand-usd", "2", "--reserved-1y-usd", "none", "--spot-usd", "0.5", "--demand", path, "--tokens-per-second-per-gpu", "2000", "--json")
            .Json.GetProperty("plan").EnumerateArray().ToDictionary(row => row.GetProperty("billing").GetString()!);
        Assert.Equal(2, plan["on-demand"].GetProperty("gpu_hours").GetDouble());
        Assert.Equal(2, plan["spot"].GetProperty("gpu_hours").GetDouble());
    }

    [Fact]
    public void Regret_is_nothing_as_forecast_and_grows_with_the_error()
    {
        var regret = Run(["--gpus", "10", "--utilisation", "0.9"]).GetProperty("regret").EnumerateArray()
            .ToDictionary(row => row.GetProperty("demand_error").GetDouble(), row => row.GetProperty("regret_usd").GetDouble());
        Assert.Equal(0, regret[0], 6);
        Assert.All(new[] { 0.1, 0.2, 0.5, -0.1, -0.2, -0.5 }, error => Assert.Contains(error, regret.Keys));
        Assert.True(regret[-0.5] > regret[-0.2] && regret[-0.2] > regret[-0.1] && regret[-0.1] > 0);
    }

    [Theory]
    [InlineData("development", "on-demand")]
    [InlineData("stable", "reserved-3y")]
    [InlineData("batch", "spot")]
    public void Recommends_by_workload_with_its_arithmetic(string workload, string billing)
    {
        var run = Program.Run("billing", "--gpu", "h100", "--provider", "spheron", "--workload", workload);
        var json = Program.Run("billing", "--gpu", "h100", "--provider", "spheron", "--workload", workload, "--json").Json;
        var main = json.GetProperty("plan").EnumerateArray().MaxBy(row => row.GetProperty("usd").GetDouble());
        Assert.Equal(billing, main.GetProperty("billing").GetString());
        Assert.Contains("pays from", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Checkpoints_and_requests_price_spot_differently()
    {
        double Spot(params string[] more) => Program.Run(["billing", "--on-demand-usd", "3", "--spot-usd", "1", "--gpus", "1", "--interruptible", "1", "--mean-hours-to-preemption", "2", "--restart-minutes", "5", "--json", .. more])
            .Json.GetProperty("plan")[0].GetProperty("usd_per_gpu_hour").GetDouble();
        Assert.Equal(1.190, Spot("--checkpoint-seconds", "60"), 3);
        Assert.Equal(1 + ((300 + 30) / 7200.0), Spot("--request-seconds", "60"), 9);
    }

    [Fact]
    public void Takes_the_same_settings_from_a_file()
    {
        using var folder = new TemporaryFolder();
        folder.Write("curve.csv", "time,gpus\n0,4\n1,8\n");
        var path = folder.Write("ask.yaml", "on_demand_usd: 3\nreserved_1y_usd: 2\ndemand: curve.csv\n");
        var run = Program.Run("billing", path, "--json");
        Assert.Equal(0, run.Code);
        Assert.Equal((4 * 2 * 2) + (4 * 3), run.Json.GetProperty("alternatives")[0].GetProperty("usd").GetDouble(), 6);
    }

    private static JsonElement Run(string[] more) => Program.Run(["billing", .. Menu, .. more, "--json"]).Json;
}
