using System.Text.RegularExpressions;
using TokenFactory.Cli.Input;
using TokenFactory.Planning.Deploy;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>The scenarios among a fleet's files are what simulate reads, and parts of a file copy over as they are.</summary>
public sealed class DeployScenarioTests
{
    [Theory]
    [InlineData("dense/scenario.yaml", "4 x NVIDIA H100 SXM5 80GB, llama-3.1-70b fp8 TP4, vllm")]
    [InlineData("split/scenario.yaml", "16 x NVIDIA H200 SXM5 141GB, deepseek-r1 fp8 TP1 DPA16 EP16, sglang")]
    [InlineData("mixed/scenario-chat.yaml", "1 x NVIDIA L4 24GB, llama-3.1-8b fp8 TP1, vllm")]
    [InlineData("mixed/scenario-summaries.yaml", "2 x NVIDIA H100 SXM5 80GB, qwen3-30b-a3b bf16 TP2, tensorrt-llm")]
    public void A_kept_fleet_runs_in_the_twin_and_nothing_is_left_to_assume(string file, string replica)
    {
        var run = Program.Run("simulate", $"tests/data/deploy/{file}", "--set", "workload.duration_s=10");
        Assert.True(run.Code == 0, run.Err);
        Assert.Contains(replica, run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Assumed, as you did not say", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("examples/simulate-chat.yaml")]
    [InlineData("examples/simulate-autoscaling.yaml")]
    public void A_workload_copies_over_with_its_meaning(string example)
    {
        var settings = Settings.OfFile(Repository.Path(example));
        var folder = Directory.CreateTempSubdirectory("copy-").FullName;
        try
        {
            var copy = Path.Combine(folder, "copy.yaml");
            var whole = new DocMap();
            foreach (var key in (string[])["name", "pools", "classes", "workload", "policies"])
                whole.Add(key, settings.Copy(key));
            File.WriteAllText(copy, Yaml.Write(whole));
            string[] shorter = ["--set", "workload.duration_s=30", "--json"];
            var (original, copied) = (Program.Run(["simulate", example, .. shorter]), Program.Run(["simulate", copy, .. shorter]));
            Assert.True(copied.Code == 0, copied.Err);
            Assert.Equal(Told(original, example), Told(copied, copy));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static string Told(Outcome run, string file) => Regex.Replace(run.Out, $"{Regex.Escape(file)}(?::[0-9]+)?", "FILE");
    }
}
