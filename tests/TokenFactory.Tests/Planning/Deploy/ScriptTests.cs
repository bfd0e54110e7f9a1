using System.Diagnostics;
using TokenFactory.Catalog;
using TokenFactory.Planning.Deploy;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Planning.Deploy;

/// <summary>Runs the scripts that start engines in a real shell, with programs in the engines' places that tell their words.</summary>
public sealed class ScriptTests : IDisposable
{
    private static readonly string[] Programs = ["vllm", "python3", "trtllm-serve", "mpirun"];

    private static readonly string[] OddCheckpoints =
    [
        "/models/my model", "/models/it's", "/models/$HOME/$(id)/`id`", "/models/a\"b\\c", "/models/*", "/models/ü/🚀",
        "/models/a;b&c|d", "/models/~#!",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("deploy-").FullName;

    public ScriptTests()
    {
        foreach (var program in Programs)
            Put(program, $"#!/bin/sh\nprintf '%s\\0' {program} \"$@\"\n");
        Put("ssh", "#!/bin/sh\nexit 0\n");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Engines_are_given_the_same_words_by_scripts_and_by_Kubernetes_and_every_flag_is_of_their_release() => Cases.Check(8, dice =>
    {
        var design = Designs.Draw(dice);
        var files = ManifestTests.Files(design);
        foreach (var script in files.Where(file => file.Path.EndsWith(".sh", StringComparison.Ordinal)))
        {
            var name = Path.GetFileNameWithoutExtension(script.Path);
            var file = files.Single(file => file.Path.EndsWith($"/{name}.yaml", StringComparison.Ordinal) && IsCluster(file));
            var pods = YamlText.Documents(file.Text);
            var set = pods.Single(one => one["kind"]!.GetValue<string>() is "Deployment" or "LeaderWorkerSet");
            var release = CatalogFiles.Shipped.Engines
                .Single(engine => engine.Key == set["metadata"]!["labels"]!["app.kubernetes.io/name"]!.GetValue<string>()).Release!;
            foreach (var rank in set["kind"]!.GetValue<string>() == "Deployment" ? [0] : (int[])[0, 1])
            {
                var words = Run(script.Text, rank);
                if (words.Count > 0)
                    CheckFlags(words, release);
                if (set["kind"]!.GetValue<string>() != "Deployment")
                    continue;
                var container = set["spec"]!["template"]!["spec"]!["containers"]![0]!;
                IEnumerable<string> given = [.. YamlText.Texts(container["command"]), .. YamlText.Texts(container["args"])];
                Assert.Equal(given.Select(word => word.Replace("$$(", "$(", StringComparison.Ordinal)), words);
            }
        }
    });

    [Theory]
    [InlineData("vllm")]
    [InlineData("sglang")]
    [InlineData("tensorrt-llm")]
    public void Odd_paths_reach_the_engine_as_they_are(string engine)
    {
        var pool = Designs.Dense.Pools[0];
        var design = Designs.Dense with
        {
            Pools =
            [
                pool with
                {
                    Order = pool.Order with { Model = Simulation.Fleets.Order(pool.Order.Deployment with { Engine = engine }).Model },
                },
            ],
        };
        foreach (var checkpoint in OddCheckpoints)
        {
            var services = new Dictionary<string, DeployService> { ["default"] = new() { Checkpoint = checkpoint } };
            var files = Manifests.Of(design, Designs.Options(design) with { Services = services });
            Assert.Contains(checkpoint, Run(files.Single(file => file.Path == "engines/h100.sh").Text, 0));
            var compose = YamlText.One(files.Single(file => file.Path == "compose/host-1.yaml").Text)["services"]!["h100-1"]!["command"];
            Assert.Contains(checkpoint.Replace("$", "$$", StringComparison.Ordinal), YamlText.Texts(compose));
            var sky = YamlText.One(files.Single(file => file.Path == "skypilot/h100.yaml").Text)["run"]!.GetValue<string>();
            Assert.Contains(checkpoint, Run(sky, 0));
        }
    }

    [Fact]
    public void Further_machines_of_a_replica_start_as_workers()
    {
        var answers = ManifestTests.Files(Designs.Wide("vllm")).Single(file => file.Path == "engines/wide.sh").Text;
        Assert.DoesNotContain("--headless", Run(answers, 0));
        var worker = Run(answers, 1);
        Assert.Contains("--headless", worker);
        Assert.Equal("8", worker[worker.ToList().IndexOf("--data-parallel-start-rank") + 1]);
        Assert.Equal("leader.example", worker[worker.ToList().IndexOf("--data-parallel-address") + 1]);
        var sglang = Run(ManifestTests.Files(Designs.Wide("sglang")).Single(file => file.Path == "engines/wide.sh").Text, 1);
        Assert.Equal("1", sglang[sglang.ToList().IndexOf("--node-rank") + 1]);
        Assert.Equal("leader.example:20000", sglang[sglang.ToList().IndexOf("--dist-init-addr") + 1]);
        var mpi = Run(ManifestTests.Files(Designs.Wide("tensorrt-llm")).Single(file => file.Path == "engines/wide.sh").Text, 0);
        Assert.Equal(["mpirun", "--allow-run-as-root", "-n", "16"], mpi.Take(4));
        Assert.Equal("leader.example slots=8\nworker.example slots=8\n", File.ReadAllText(Path.Combine(_folder, "nodes")));
    }

    private static bool IsCluster(DeployFile file) =>
        file.Path.StartsWith("kubernetes/", StringComparison.Ordinal) && !file.Path.Contains("/values/", StringComparison.Ordinal);

    private static void CheckFlags(IReadOnlyList<string> words, EngineRelease release)
    {
        var start = words.ToList().LastIndexOf("trtllm-serve"); // what stands before it belongs to MPI
        for (var i = Math.Max(0, start); i < words.Count; i++)
        {
            var valued = i + 1 < words.Count && !words[i + 1].StartsWith("--", StringComparison.Ordinal);
            if (words[i].StartsWith("--", StringComparison.Ordinal))
                Assert.True(release.Takes(words[i], valued), $"{words[0]} {words[i]}");
        }
    }

    /// <summary>The words that the engine's program was given, itself the first; none where a worker of MPI waits.</summary>
    private IReadOnlyList<string> Run(string script, int rank)
    {
        var path = Path.Combine(_folder, "script");
        File.WriteAllText(path, script.Replace("/usr/sbin/sshd", "true").Replace("/tmp/nodes", Path.Combine(_folder, "nodes")));
        var start = new ProcessStartInfo("/bin/sh", [path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PATH"] = $"{_folder}:/usr/bin:/bin";
        start.Environment["NODE_RANK"] = rank.ToString(System.Globalization.CultureInfo.InvariantCulture);
        start.Environment["LEADER_ADDRESS"] = "leader.example";
        start.Environment["SKYPILOT_NODE_RANK"] = start.Environment["NODE_RANK"];
        start.Environment["SKYPILOT_NODE_IPS"] = "leader.example\nworker.example";
        start.Environment["NODES"] = "leader.example worker.example";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{error.Result}\n{script}");
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries)];
    }

    private void Put(string program, string text)
    {
        var path = Path.Combine(_folder, program);
        File.WriteAllText(path, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
