using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TokenFactory.Planning;
using TokenFactory.Planning.Deploy;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Planning.Deploy;

/// <summary>What holds of the files of every fleet, however it is named, bought and spread.</summary>
public sealed partial class ManifestLaws
{
    private static readonly Schema Kubernetes = Schema.Of("kubernetes.json", "leaderworkerset.json");
    private static readonly Schema Compose = Schema.Of("compose.json");
    private static readonly Schema Sky = Schema.Of("skypilot.json");

    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["Namespace"] = "io.k8s.api.core.v1.Namespace",
        ["Service"] = "io.k8s.api.core.v1.Service",
        ["ConfigMap"] = "io.k8s.api.core.v1.ConfigMap",
        ["PersistentVolumeClaim"] = "io.k8s.api.core.v1.PersistentVolumeClaim",
        ["Deployment"] = "io.k8s.api.apps.v1.Deployment",
        ["PodDisruptionBudget"] = "io.k8s.api.policy.v1.PodDisruptionBudget",
        ["HorizontalPodAutoscaler"] = "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
        ["LeaderWorkerSet"] = "x-k8s.leaderworkerset.v1.LeaderWorkerSet",
    };

    [Fact]
    public void Every_object_of_Kubernetes_keeps_its_schema_and_has_names_that_clusters_take() => OfAll((design, files) =>
    {
        foreach (var file in files.Where(IsKubernetes))
        {
            foreach (var one in YamlText.Documents(file.Text))
            {
                Assert.Empty(Kubernetes.Mistakes(Kinds[Text(one["kind"])], one).Select(mistake => $"{file.Path}{mistake}"));
                Assert.Matches(Label(), Text(one["metadata"]!["name"]));
                if (one["metadata"]!["namespace"] is { } space)
                    Assert.Matches(Label(), Text(space));
            }
        }

        var named = Objects(files).GroupBy(one => (one.Folder, Text(one.Node["kind"]), Text(one.Node["metadata"]!["name"])));
        Assert.All(named, same => Assert.Single(same));
        Assert.NotEmpty(design.Pools);
    });

    [Fact]
    public void Every_replica_and_every_GPU_stands_in_Kubernetes_once() => OfAll((design, files) =>
    {
        var sets = Objects(files).Select(one => one.Node)
            .Where(one => one["metadata"]!["labels"]?["token-factory-pool"] is not null).ToList();
        var single = sets.Where(one => Text(one["kind"]) == "Deployment").Select(one => (
            Replicas: Number(one["spec"]!["replicas"]), Gpus: Gpus(one["spec"]!["template"]!))).ToList();
        var several = sets.Where(one => Text(one["kind"]) == "LeaderWorkerSet").Select(one => (
            Replicas: Number(one["spec"]!["replicas"]), Gpus: Several(one["spec"]!["leaderWorkerTemplate"]!))).ToList();
        var found = single.Concat(several).OrderBy(pool => pool).ToList();
        Assert.Equal(design.Pools.Select(pool => (pool.Order.Replicas, pool.Order.Deployment.Gpus)).OrderBy(pool => pool), found);
        Assert.Equal(design.Gpus, found.Sum(pool => pool.Replicas * pool.Gpus));

        static int Several(JsonNode template) =>
            Gpus(template["leaderTemplate"]!) + ((Number(template["size"]) - 1) * Gpus(template["workerTemplate"]!));
    });

    [Fact]
    public void Compose_files_keep_their_schema_and_give_each_GPU_to_one_replica() => OfAll((design, files) =>
    {
        var hosts = files.Where(file => file.Path.StartsWith("compose/host-", StringComparison.Ordinal)).ToList();
        var replicas = 0;
        foreach (var host in hosts)
        {
            var document = YamlText.One(host.Text);
            Assert.Empty(Compose.Mistakes("root", document).Select(mistake => $"{host.Path}{mistake}"));
            var engines = document["services"]!.AsObject().Where(pair => pair.Value!["healthcheck"] is not null).ToList();
            replicas += engines.Count;
            var indices = engines.SelectMany(pair => Indices(pair.Value!)).ToList();
            Assert.Equal(indices.Count, indices.Distinct().Count());
            Assert.All(indices, index => Assert.InRange(int.Parse(index, System.Globalization.CultureInfo.InvariantCulture), 0, 7));
            var ports = engines.Select(pair => Text(pair.Value!["ports"]![0])).ToList();
            Assert.Equal(ports.Count, ports.Distinct().Count());
        }

        if (files.FirstOrDefault(file => file.Path == "compose/with-gateway.yaml") is { } gateway)
            Assert.Empty(Compose.Mistakes("root", YamlText.One(gateway.Text)));
        var alone = design.Pools.Where(pool => pool.Order.Deployment.Gpus <= Machine(pool)).ToList();
        if (hosts.Count > 0)
        {
            Assert.Equal(alone.Sum(pool => pool.Order.Replicas), replicas);
            var urls = YamlText.One(files.Single(file => file.Path == "compose/gateway.yaml").Text)["pools"]!.AsArray()
                .SelectMany(pool => YamlText.Texts(pool!["endpoints"])).ToList();
            Assert.Equal(replicas, urls.Distinct().Count());
            Assert.Equal(replicas, urls.Count);
        }
        else
            Assert.Contains("- Docker Compose: ", files.Single(file => file.Path == "README.md").Text);
    });

    [Fact]
    public void SkyPilot_tasks_keep_their_schema() => OfAll((_, files) =>
    {
        foreach (var file in files.Where(file => file.Path.StartsWith("skypilot/", StringComparison.Ordinal)))
            Assert.Empty(Sky.Mistakes("task", YamlText.One(file.Text)).Select(mistake => $"{file.Path}{mistake}"));
    });

    [Fact]
    public void Every_flag_stands_in_the_release_of_its_engine() => OfAll((design, files) =>
    {
        var releases = CatalogFiles.Shipped.Engines.ToDictionary(engine => engine.Key, engine => engine.Release);
        var checkedFlags = 0;
        foreach (var deployment in Objects(files).Select(one => one.Node).Where(one => Text(one["kind"]) == "Deployment"))
        {
            var labels = deployment["metadata"]!["labels"]!;
            if (labels["token-factory-pool"] is null)
                continue;
            var release = releases[Text(labels["app.kubernetes.io/name"])]!;
            var args = YamlText.Texts(deployment["spec"]!["template"]!["spec"]!["containers"]![0]!["args"]);
            for (var i = 0; i < args.Count; i++)
            {
                if (!args[i].StartsWith("--", StringComparison.Ordinal))
                    continue;
                checkedFlags++;
                var valued = i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal);
                Assert.True(release.Takes(args[i], valued), $"{Text(labels["app.kubernetes.io/name"])} {args[i]}, valued {valued}");
            }
        }

        Assert.DoesNotContain("does not take", files.Single(file => file.Path == "README.md").Text);
        Assert.True(checkedFlags > 0 || design.Pools.All(pool => pool.Order.Deployment.Gpus > Machine(pool)));
    });

    [Fact]
    public void The_same_fleet_gives_the_same_files_and_every_YAML_file_reads_back() => OfAll((design, files) =>
    {
        Assert.Equal(files, ManifestTests.Files(design));
        Assert.Equal(files.Count, files.Select(file => file.Path).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(files, file => Assert.Matches(@"^[A-Za-z0-9][A-Za-z0-9./-]*\z", file.Path));
        foreach (var file in files.Where(file => file.Path.EndsWith(".yaml", StringComparison.Ordinal)))
            Assert.NotEmpty(YamlText.Documents(file.Text));
    });

    private static void OfAll(Action<FleetDesign, IReadOnlyList<DeployFile>> law)
    {
        foreach (var design in Designs.Kept.Values)
            law(design, ManifestTests.Files(design));
        Cases.Check(60, dice =>
        {
            var design = Designs.Draw(dice);
            Assert.Empty(Manifests.Check(design, Designs.Options(design)));
            law(design, ManifestTests.Files(design));
        });
    }

    private static int Machine(PlannedPool pool) =>
        pool.GpusPerMachine ?? (pool.Order.Deployment.Gpu.Key.Contains("nvl72", StringComparison.Ordinal) ? 4 : 8);

    private static bool IsKubernetes(DeployFile file) =>
        file.Path.StartsWith("kubernetes/", StringComparison.Ordinal) && !file.Path.Contains("/values/", StringComparison.Ordinal);

    private static IEnumerable<(string Folder, JsonNode Node)> Objects(IReadOnlyList<DeployFile> files) =>
        from file in files
        where IsKubernetes(file)
        let path = file.Path.Replace("/gateway/", "/", StringComparison.Ordinal)
        from node in YamlText.Documents(file.Text)
        select (Folder: path[..path.LastIndexOf('/')], node);

    private static int Gpus(JsonNode template)
    {
        var limits = template["spec"]!["containers"]![0]!["resources"]!["limits"]!.AsObject();
        return int.Parse(Text(Assert.Single(limits).Value), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> Indices(JsonNode service) =>
        service["deploy"] is { } deploy
            ? YamlText.Texts(deploy["resources"]!["reservations"]!["devices"]![0]!["device_ids"])
            : Text(service["environment"]!["HIP_VISIBLE_DEVICES"]).Split(',');

    private static string Text(JsonNode? node) => node!.GetValue<string>();

    private static int Number(JsonNode? node) => (int)node!.GetValue<long>();

    [GeneratedRegex(@"^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?\z", RegexOptions.None, 5000)]
    private static partial Regex Label();
}
