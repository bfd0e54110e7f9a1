using System.Globalization;
using System.Text;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes the README of a fleet's files: what is what, how to start it, what to change, what is not covered.</summary>
internal sealed partial class ReadmeFile(DeployedFleet fleet)
{
    private readonly StringBuilder _text = new();

    public static string Of(DeployedFleet fleet)
    {
        var file = new ReadmeFile(fleet);
        file.Head();
        file.Files();
        file.Start();
        file.Gateway();
        file.Change();
        file.Notes();
        file.NotCovered();
        return file._text.ToString();
    }

    private void Line(string line = "") => _text.Append(line).Append('\n');

    private void Code(params IEnumerable<string> lines)
    {
        Line("```sh");
        foreach (var line in lines)
            Line(line);
        Line("```");
        Line();
    }

    private static string Count(int number, string one, string many) =>
        $"{number.ToString(CultureInfo.InvariantCulture)} {(number == 1 ? one : many)}";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private bool InSky(PoolSite pool) => SkyPilotTask.Refusal(pool, fleet.Launch(pool)) is null;

    private void Head()
    {
        var cost = fleet.Design.PerHour.Value.ToString("0.00", CultureInfo.InvariantCulture);
        Line($"# {fleet.Name}");
        Line();
        Line($"{Count(fleet.Design.Gpus, "GPU", "GPUs")} in {Count(fleet.Pools.Count, "pool", "pools")}, ${cost} per hour as planned.");
        Line("Written by `tokenfactory plan --emit`.");
        Line();
        Line("| pool | replicas | GPUs of a replica | model | engine | checkpoint | billing |");
        Line("|---|---|---|---|---|---|---|");
        foreach (var pool in fleet.Pools)
        {
            string[] cells =
            [
                pool.Name,
                pool.Replicas.ToString(CultureInfo.InvariantCulture),
                pool.Nodes == 1 ? pool.Gpus : $"{pool.Gpus} on {pool.Nodes} machines",
                $"{pool.Deployment.Model.Key} {pool.Deployment.Parallelism}",
                $"{pool.Engine.Name} {pool.Release.Version}",
                $"`{pool.Checkpoint.Name}`",
                string.Join(", ", new[] { pool.Order.Billing, pool.Site.Provider, pool.Site.Region }.Where(part => part.Length > 0)),
            ];
            Line($"| {string.Join(" | ", cells.Select(Cell))} |");
        }

        Line();
    }

    private void Files()
    {
        Line("## What is what");
        Line();
        Line("| file | what it is |");
        Line("|---|---|");
        Row(true, "engines/*.sh", "the command line of each pool's engine, as the other files use it");
        Row(fleet.Pools.Any(pool => fleet.Launch(pool).Configuration is not null), "engines/*.yaml", "configuration files of TensorRT-LLM");
        Row(fleet.HasCompose, "compose/host-*.yaml", "Docker Compose, a file per machine");
        Row(fleet.HasCompose, "compose/with-gateway.yaml", "Docker Compose, the gateway");
        Row(fleet.HasCompose, "compose/gateway.yaml", "the gateway's configuration with the addresses of Docker Compose");
        foreach (var site in fleet.Clusters)
        {
            var cluster = fleet.Clusters.Count == 1 ? "" : $", the cluster {fleet.ClusterNames[site]}";
            Row(true, $"{fleet.Folder(site)}/*.yaml", $"Kubernetes{cluster}");
        }

        Row(true, $"{fleet.Folder(fleet.Clusters[0])}/gateway/", "the gateway for Kubernetes");
        Row(fleet.Pools.Any(pool => pool.Most is not null), DeployedFleet.AdapterPath, "what autoscalers ask the Prometheus adapter for");
        Row(fleet.Pools.Any(InSky), "skypilot/*.yaml", "SkyPilot services, one per pool");
        Row(true, "gateway.yaml", "the gateway's configuration: models, pools, where replicas are, promises, routing, store");
        foreach (var path in fleet.ScenarioPaths())
            Row(true, path, "the plan as `tokenfactory simulate` replays it");
        Line();

        void Row(bool there, string file, string what)
        {
            if (there)
                Line($"| {file} | {what} |");
        }
    }

    private void Start()
    {
        Line("## How to start");
        Line();
        Compose();
        Kubernetes();
        if (fleet.Pools.Any(InSky))
        {
            Line("SkyPilot, from this folder:");
            Line();
            Code(fleet.Pools.Where(InSky).Select(pool => $"sky serve up skypilot/{pool.Name}.yaml --env HF_TOKEN"));
        }
    }

    private void Compose()
    {
        if (!fleet.HasCompose)
            return;
        Line("Docker Compose, on each machine with its own file. Weights go to `./compose/models`, or where `MODELS` points.");
        Line();
        Code(
            [
                "export HF_TOKEN=...   # only for models that ask for one",
                .. fleet.Hosts.Select(host => $"docker compose -f compose/{host.Name}.yaml up -d   # {DeployedFleet.Machine(host.Like)}"),
            ]);
        var others = fleet.Hosts.Skip(1).Select(host => $"{ComposeFile.Variable(host)}=...").ToList();
        var addresses = others.Count > 0 ? ", and is told the addresses of the others" : "";
        Line($"The gateway runs on {fleet.Hosts[0].Name}, beside its engines{addresses}:");
        Line();
        var command = $"docker compose -f compose/{fleet.Hosts[0].Name}.yaml -f compose/with-gateway.yaml up -d";
        Code(string.Join(' ', [.. others.Take(3), .. others.Count > 3 ? ["..."] : (string[])[], command]));
    }

    private void Kubernetes()
    {
        Line("Kubernetes:");
        Line();
        var lines = new List<string>();
        foreach (var site in fleet.Clusters)
        {
            var (kubectl, folder) = (Kubectl(site), fleet.Folder(site));
            lines.Add($"{kubectl} apply -f {folder}/00-base.yaml");
            lines.Add($"{kubectl} -n {fleet.Name} create secret generic {KubernetesPod.Secret} --from-literal=token=\"$HF_TOKEN\"");
            lines.Add($"{kubectl} apply -f {folder}");
        }

        lines.Add($"{Kubectl(fleet.Clusters[0])} apply -f {fleet.Folder(fleet.Clusters[0])}/gateway");
        Code(lines);
        Labels();
        if (fleet.Pools.Any(pool => pool.Nodes > 1))
        {
            Line("Replicas of several machines need the LeaderWorkerSet controller (sigs.k8s.io/lws). Their machines talk over NCCL:");
            Line("without RDMA (a device plugin for it, or the host's network) they are far slower than planned.");
            Line();
        }

        if (fleet.Pools.Any(pool => fleet.Launch(pool).WorkerScript is not null))
        {
            Line("Engines that start by MPI need a key pair, which every machine of a replica holds:");
            Line();
            const string files = "--from-file=id_ed25519 --from-file=authorized_keys=id_ed25519.pub";
            var create = $"kubectl -n {fleet.Name} create secret generic {KubernetesPod.SshSecret}";
            Code("ssh-keygen -t ed25519 -N '' -f id_ed25519", $"{create} {files}");
        }

        if (fleet.Pools.Any(pool => pool.Most is not null))
        {
            Line("Autoscalers need Prometheus, which scrapes the pods, and its adapter with the settings here:");
            Line();
            Code($"helm upgrade --install prometheus-adapter prometheus-community/prometheus-adapter -f {DeployedFleet.AdapterPath}");
        }
    }

    private string Kubectl(Site site) => fleet.Clusters.Count == 1 ? "kubectl" : $"kubectl --context {fleet.ClusterNames[site]}";

    /// <summary>Labels that nodes must be given, where their cloud gives none.</summary>
    private void Labels()
    {
        var gpus = fleet.Pools
            .Where(pool => !Placement.IsMachine(pool, Placement.Kind(pool.Site.Provider)))
            .Select(pool => $"{Placement.GpuLabel}={pool.Deployment.Gpu.Key}");
        var spot = fleet.Pools
            .Where(pool => pool.IsSpot && Placement.Kind(pool.Site.Provider) == ClusterKind.Generic)
            .Select(_ => $"{Placement.SpotLabel}=true");
        var labels = gpus.Concat(spot).Distinct(StringComparer.Ordinal).ToList();
        if (labels.Count == 0)
            return;
        Line("Nodes are chosen by labels, which you must give them where your cloud does not:");
        Line();
        Code(labels.Select(label => $"kubectl label node NODE {label}"));
    }

    private void Change()
    {
        var options = fleet.Options;
        Line("## What to change");
        Line();
        var images = fleet.Pools.Select(pool => KubernetesPod.Image(pool, options)).Append(options.GatewayImage);
        var list = string.Join(", ", images.Distinct(StringComparer.Ordinal).Select(image => $"`{image}`"));
        Line($"- **Images**: {list}. Pin what you have tried by its digest.");
        var missing = fleet.Pools.Where(pool => KubernetesPod.Image(pool, options) == KubernetesPod.MissingImage(pool));
        foreach (var pool in missing.DistinctBy(KubernetesPod.MissingImage))
        {
            var instead = $"put yours in the place of `{KubernetesPod.MissingImage(pool)}`";
            Line($"- **{pool.Engine.Name} on {pool.Deployment.Gpu.Vendor}**: the catalog knows no image; {instead}.");
        }

        Line(options.HostWeights is { } folder
            ? $"- **Weights**: `{folder}` on every node."
            : $"- **Storage**: many nodes read the claim `{KubernetesShared.Claim}`; name a storage class that lets them.");
        Line($"- **Host requests**: {options.CpuPerGpu} cores and {options.MemoryGibPerGpu} GiB per GPU are assumed, not measured.");
        Line($"- **Tokens**: the Secret `{KubernetesPod.Secret}` holds yours; no file here does.");
        Line("- **Ports**: engines take requests without a key; keep their ports inside your network.");
        Line("- **TLS**: the gateway speaks plain HTTP; give it `tls` in `gateway.yaml`, or end TLS before it.");
        Line("- **Charges**: models are not charged for until `gateway.yaml` names their prices; what they cost is metered all the same.");
        if (fleet.Clusters.Count > 1)
            Line("- **Addresses**: the gateway stands in the first cluster; those ending in `.invalid` stand for pools of others.");
        Line();
    }

    private void Notes()
    {
        var notes = fleet.Pools.SelectMany(pool => fleet.Launch(pool).Notes.Select(note => (pool.Name, note))).ToList();
        foreach (var pool in fleet.Pools.Where(pool => pool.IsLimited))
        {
            var what = $"Each board is limited to {BoardLimits.Words(pool)} by a privileged container that runs before the engine";
            const string otherwise = "Where your cluster forbids it, set the limit on the nodes, or plan without one";
            notes.Add((pool.Name, $"{what}: only root on the machine may do that. {otherwise}."));
        }

        if (notes.Count == 0)
            return;
        Line("## What to know of each pool");
        Line();
        foreach (var (pool, note) in notes)
            Line($"- **{pool}**: {note}");
        Line();
    }

    private void NotCovered()
    {
        Line("## What is not covered");
        Line();
        if (!fleet.HasCompose && fleet.Hosts.Count == 0)
            Line("- Docker Compose: every replica has several machines; Kubernetes runs them.");
        else if (!fleet.HasCompose)
            Line($"- Docker Compose: the fleet has {fleet.Hosts.Count} machines, more than one starts by hand; use Kubernetes.");
        foreach (var pool in fleet.Pools.Where(pool => fleet.HasCompose && pool.Nodes > 1))
            Line($"- {pool.Name} in Docker Compose: a replica has {pool.Nodes} machines; Kubernetes runs it.");
        foreach (var pool in fleet.Pools)
        {
            if (SkyPilotTask.Refusal(pool, fleet.Launch(pool)) is { } why)
                Line($"- {pool.Name} in SkyPilot: {why}.");
            else if (pool.Most is not null)
                Line($"- Scaling of {pool.Name} in SkyPilot, which scales by requests per second: it holds {pool.Replicas}.");
        }

        foreach (var pool in fleet.Pools.Where(pool => pool.IsSplit))
            Line($"- {pool.Name} behind this gateway: it does not pair prefill with decode yet, and refuses pools of these roles at its start.");
        if (fleet.Pools.Any(pool => pool.IsSplit))
        {
            Line("  The engines hand KV caches over (NIXL, best over RDMA); let a router that pairs them stand before them, and name its address");
            Line("  in `gateway.yaml` as the endpoint of one pool without a role.");
        }

        Line("- Clusters, drivers, device plugins, networks, storage classes, certificates and monitoring: they must be there.");
    }
}
