using System.Text.Json.Nodes;
using TokenFactory.Performance;
using TokenFactory.Planning;
using TokenFactory.Planning.Deploy;

namespace TokenFactory.Tests.Planning.Deploy;

/// <summary>The files of three fleets are kept in tests/data/deploy; TOKENFACTORY_WRITE_DOCS rewrites them.</summary>
public sealed class ManifestTests
{
    private static readonly bool Write = Environment.GetEnvironmentVariable("TOKENFACTORY_WRITE_DOCS") is { Length: > 0 };

    public static TheoryData<string> Kept => [.. Designs.Kept.Keys];

    [Theory]
    [MemberData(nameof(Kept))]
    public void The_files_of_a_kept_fleet_stay_as_they_are(string name)
    {
        var folder = Repository.Path("tests", "data", "deploy", name);
        var files = Files(Designs.Kept[name]);
        if (Write)
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            foreach (var file in files)
            {
                var path = Path.Combine(folder, file.Path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllText(path, file.Text);
            }
        }

        var kept = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Order(StringComparer.Ordinal);
        Assert.Equal(kept, files.Select(file => file.Path));
        Assert.All(files, file => Assert.Equal(File.ReadAllText(Path.Combine(folder, file.Path)), file.Text));
    }

    [Fact]
    public void A_dense_model_starts_with_every_flag_that_the_plan_decides()
    {
        var args = Container(Designs.Dense, "kubernetes/h100.yaml")["args"];
        string[] expected =
        [
            "nvidia/Llama-3.1-70B-Instruct-FP8", "--served-model-name", "llama-3.1-70b", "--host", "0.0.0.0", "--port", "8000",
            "--tensor-parallel-size", "4", "--max-num-seqs", "192", "--max-num-batched-tokens", "8192", "--enable-chunked-prefill",
            "--max-model-len", "131072", "--gpu-memory-utilization", "0.9", "--kv-cache-dtype", "fp8", "--enable-prefix-caching",
            "--enable-prompt-tokens-details", "--shutdown-timeout", "120",
        ];
        Assert.Equal(expected, YamlText.Texts(args));
    }

    [Fact]
    public void A_power_cap_is_set_by_a_privileged_container_before_the_engine()
    {
        var pod = Objects(Designs.Dense, "kubernetes/h100.yaml").Single(o => Kind(o) == "Deployment")["spec"]!["template"]!["spec"]!;
        var limits = Assert.Single(pod["initContainers"]!.AsArray())!;
        Assert.True(limits["securityContext"]!["privileged"]!.GetValue<bool>());
        Assert.Contains("nvidia-smi -pl 500", limits["command"]![2]!.GetValue<string>());
        Assert.Contains("privileged", Text(Designs.Dense, "README.md"));
    }

    [Fact]
    public void Replicas_of_several_machines_are_leader_worker_sets_whose_engines_find_each_other()
    {
        var set = Objects(Designs.Split, "kubernetes/answers.yaml").Single(o => Kind(o) == "LeaderWorkerSet")["spec"]!;
        Assert.Equal((1, 2), (Number(set["replicas"]), Number(set["leaderWorkerTemplate"]!["size"])));
        foreach (var role in (string[])["leaderTemplate", "workerTemplate"])
        {
            var script = set["leaderWorkerTemplate"]![role]!["spec"]!["containers"]![0]!["command"]![2]!.GetValue<string>();
            Assert.Contains("LEADER_ADDRESS=\"$LWS_LEADER_ADDRESS\" NODE_RANK=\"$LWS_WORKER_INDEX\"", script);
            Assert.Contains("--nnodes 2", script);
        }

        var single = Objects(Designs.Split, "kubernetes/prompts.yaml").Single(o => Kind(o) == "Deployment");
        Assert.Equal(2, Number(single["spec"]!["replicas"]));
    }

    [Fact]
    public void Spot_pools_bear_what_marks_spot_nodes_and_scale_within_their_limits()
    {
        const string file = "kubernetes/gcp-europe-west4/chat-l4-spot.yaml";
        var pod = Objects(Designs.Mixed, file).Single(o => Kind(o) == "Deployment")["spec"]!["template"]!["spec"]!;
        Assert.Equal("true", pod["nodeSelector"]!["cloud.google.com/gke-spot"]!.GetValue<string>());
        Assert.Contains(pod["tolerations"]!.AsArray(), one => one!["key"]!.GetValue<string>() == "cloud.google.com/gke-spot");
        var scaler = Objects(Designs.Mixed, file).Single(o => Kind(o) == "HorizontalPodAutoscaler")["spec"]!;
        Assert.Equal((2, 6), (Number(scaler["minReplicas"]), Number(scaler["maxReplicas"])));
        var target = scaler["metrics"]![0]!["pods"]!["target"]!["averageValue"]!.GetValue<string>();
        Assert.Equal("22", target); // 0.7 of 32
    }

    [Fact]
    public void A_gateway_and_a_scenario_say_the_same_of_each_pool()
    {
        var gateway = YamlText.One(Text(Designs.Mixed, "gateway.yaml"));
        foreach (var service in (string[])["chat", "summaries"])
        {
            var scenario = YamlText.One(Text(Designs.Mixed, $"scenario-{service}.yaml"));
            foreach (var pool in scenario["pools"]!.AsArray())
            {
                var name = pool!["name"]!.GetValue<string>();
                var twin = gateway["pools"]!.AsArray().Single(one => one!["name"]!.GetValue<string>() == name)!;
                Assert.Equal(service, twin["service"]!.GetValue<string>());
                Assert.All(pool.AsObject(), pair => Assert.True(JsonNode.DeepEquals(pair.Value, twin[pair.Key]), pair.Key));
            }
        }
    }

    [Fact]
    public void Compose_reaches_replicas_on_its_own_host_by_name_and_others_by_their_hosts_port()
    {
        var urls = YamlText.One(Text(Designs.Mixed, "compose/gateway.yaml"))["pools"]!.AsArray()
            .SelectMany(pool => YamlText.Texts(pool!["endpoints"])).ToList();
        Assert.Equal(
            [
                "http://chat-h100-1:8000", "http://chat-h100-2:8000", "http://host-2:8001", "http://host-2:8002", "http://host-2:8003",
                "http://summaries-1:8000",
            ],
            urls);
        Assert.Contains("HOST_2", Text(Designs.Mixed, "compose/with-gateway.yaml"));
    }

    [Fact]
    public void One_gateway_keeps_its_store_through_restarts_and_tells_no_key_to_logs()
    {
        var objects = Objects(Designs.Mixed, "kubernetes/aws-us-east-1-use1-az4/gateway/gateway.yaml");
        var spec = objects.Single(o => Kind(o) == "Deployment")["spec"]!;
        var (pod, claim) = (spec["template"]!["spec"]!, objects.Single(o => Kind(o) == "PersistentVolumeClaim"));
        var container = pod["containers"]![0]!;
        var (mount, volume) = (container["volumeMounts"]!.AsArray().Last()!, pod["volumes"]!.AsArray().Last()!);
        Assert.Equal(("Recreate", 1), (spec["strategy"]!["type"]!.GetValue<string>(), Number(spec["replicas"])));
        Assert.Equal(claim["metadata"]!["name"]!.GetValue<string>(), volume["persistentVolumeClaim"]!["claimName"]!.GetValue<string>());
        Assert.Equal(volume["name"]!.GetValue<string>(), mount["name"]!.GetValue<string>());
        Assert.Equal(mount["mountPath"]!.GetValue<string>(), container["workingDir"]!.GetValue<string>());
        Assert.Equal(
            ("/healthz", "/readyz", "/healthz"),
            (Path(container["startupProbe"]!), Path(container["readinessProbe"]!), Path(container["livenessProbe"]!)));
        var compose = YamlText.One(Text(Designs.Mixed, "compose/with-gateway.yaml"));
        var service = compose["services"]!["gateway"]!;
        Assert.Contains($"{Assert.Single(compose["volumes"]!.AsObject()).Key}:{service["working_dir"]!.GetValue<string>()}", YamlText.Texts(service["volumes"]));
        foreach (var file in (string[])["gateway.yaml", "compose/gateway.yaml"])
        {
            var gateway = YamlText.One(Text(Designs.Mixed, file));
            Assert.False(gateway["first_key"]!.GetValue<bool>());
            Assert.False(System.IO.Path.IsPathRooted(gateway["store"]!["folder"]!.GetValue<string>()));
            Assert.True(Number(pod["terminationGracePeriodSeconds"]) > Number(gateway["limits"]!["drain_s"]));
        }

        static string Path(JsonNode probe) => probe["httpGet"]!["path"]!.GetValue<string>();
    }

    [Fact]
    public void The_gateways_image_starts_as_manifests_expect()
    {
        var image = Repository.Text("Dockerfile").Split('\n');
        var compose = YamlText.One(Text(Designs.Mixed, "compose/with-gateway.yaml"))["services"]!["gateway"]!;
        Assert.Contains($"WORKDIR {compose["working_dir"]!.GetValue<string>()}", image);
        Assert.Contains($"EXPOSE {compose["ports"]![0]!.GetValue<string>().Split(':')[1]}", image);
        Assert.Contains($"CMD [{string.Join(", ", YamlText.Texts(compose["command"]).Select(word => $"\"{word}\""))}]", image);
        Assert.Contains("ENTRYPOINT [\"tokenfactory\"]", image);
        Assert.Contains("USER $APP_UID", image);
    }

    [Fact]
    public void What_cannot_be_written_is_refused_with_its_remedy()
    {
        var pool = Designs.Dense.Pools[0];
        ReplicaModel Running(string engine) =>
            Simulation.Fleets.Order(pool.Order.Deployment with { Engine = engine, Parallelism = new Parallelism(8) }).Model;
        FleetDesign On(string engine, int? machine = null) => Designs.Dense with
        {
            Pools = [pool with { GpusPerMachine = machine, Order = pool.Order with { Model = Running(engine) } }],
        };
        var options = Designs.Options(Designs.Dense);
        Assert.Contains("Plan with one of sglang, tensorrt-llm, vllm", Assert.Single(Manifests.Check(On("atom"), options)).ToString());
        Assert.Contains("unevenly", Assert.Single(Manifests.Check(On("vllm", 3), options)).ToString());
        Assert.Throws<ArgumentException>(() => Manifests.Of(On("atom"), options));
        var odd = options with { Services = new Dictionary<string, DeployService> { ["default"] = new() { Checkpoint = "-rf" } } };
        Assert.Contains("-rf", Assert.Single(Manifests.Check(Designs.Dense, odd)).ToString());
    }

    [Fact]
    public void A_flag_that_a_release_does_not_take_is_left_out_and_said()
    {
        var options = Designs.Options(Designs.Dense);
        var engines = options.Engines.Select(engine => engine.Key != "vllm" ? engine : engine with
        {
            Release = engine.Release! with { Flags = engine.Release.Flags.Where(flag => flag != "--shutdown-timeout").ToHashSet() },
        }).ToList();
        var files = Manifests.Of(Designs.Dense, options with { Engines = engines });
        Assert.DoesNotContain("--shutdown-timeout 120", files.Single(file => file.Path == "engines/h100.sh").Text);
        Assert.Contains("does not take --shutdown-timeout", files.Single(file => file.Path == "README.md").Text);
    }

    internal static IReadOnlyList<DeployFile> Files(FleetDesign design) => Manifests.Of(design, Designs.Options(design));

    private static string Text(FleetDesign design, string path) => Files(design).Single(file => file.Path == path).Text;

    private static IReadOnlyList<JsonNode> Objects(FleetDesign design, string path) => YamlText.Documents(Text(design, path));

    private static JsonNode Container(FleetDesign design, string path) =>
        Objects(design, path).Single(o => Kind(o) == "Deployment")["spec"]!["template"]!["spec"]!["containers"]![0]!;

    private static int Number(JsonNode? node) => (int)node!.GetValue<long>();

    private static string Kind(JsonNode node) => node["kind"]!.GetValue<string>();
}
