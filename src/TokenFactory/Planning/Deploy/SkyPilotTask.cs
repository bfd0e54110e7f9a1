using System.Text.RegularExpressions;
using TokenFactory.Catalog;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes a pool as a service of SkyPilot, which finds machines, and others for those that are taken away.</summary>
internal static partial class SkyPilotTask
{
    /// <summary>SkyPilot's names of clouds, by ours of providers.</summary>
    private static readonly (string Ours, string Theirs)[] Clouds =
    [
        ("aws", "aws"), ("gcp", "gcp"), ("azure", "azure"), ("lambda", "lambda"), ("nebius", "nebius"), ("runpod", "runpod"),
        ("vastai", "vast"), ("hyperstack", "hyperstack"), ("verda", "verda"),
    ];

    /// <summary>SkyPilot's names of accelerators, by ours.</summary>
    private static readonly (string Ours, string Theirs)[] Accelerators =
    [
        ("a100-sxm-40gb", "A100"), ("a100-pcie-40gb", "A100"), ("a100-sxm-80gb", "A100-80GB"), ("a100-pcie-80gb", "A100-80GB"),
        ("h100-sxm", "H100"), ("h100-pcie", "H100"), ("h200-sxm", "H200"), ("h200-nvl", "H200"), ("b200", "B200"), ("b300", "B300"),
        ("gb200-nvl72", "GB200"), ("gh200-96gb", "GH200"), ("l4", "L4"), ("l40", "L40"), ("l40s", "L40S"), ("t4", "T4"),
        ("v100", "V100"), ("a40", "A40"), ("rtx-a6000", "A6000"), ("rtx-4090", "RTX4090"), ("rtx-5090", "RTX5090"),
        ("rtx-6000-ada", "RTX6000-Ada"), ("rtx-pro-6000", "RTXPRO6000"), ("mi300x", "MI300X"),
    ];

    /// <summary>Why a pool is not written; null where it is.</summary>
    public static string? Refusal(PoolSite pool, EngineLaunch launch)
    {
        if (pool.IsSplit)
            return "SkyPilot's balancer does not pair prefill with decode";
        if (launch.WorkerScript is not null)
            return "its machines start each other's processes by MPI";
        return Theirs(Accelerators, pool.Deployment.Gpu.Key) is null ? $"SkyPilot's name for {pool.Deployment.Gpu.Key} is not known" : null;
    }

    /// <summary>A pool that is not refused.</summary>
    public static DocMap Of(PoolSite pool, EngineLaunch launch, DeployOptions options, string design)
    {
        var files = launch.Configuration is null
            ? null
            : new DocMap { { $"{TensorRtCommand.Folder}/{pool.Name}.yaml", $"./engines/{pool.Name}.yaml" } };
        var envs = new DocMap { { "HF_TOKEN", DocWord.Null, "Hand it in: sky serve up --env HF_TOKEN ..." } };
        envs.Add("HF_HOME", $"{Checkpoint.Folder}/huggingface");
        foreach (var (name, value) in launch.Environment)
            envs.Add(name, value);
        return new DocMap
        {
            { "name", $"{design}-{pool.Name}" },
            { "service", Service(pool, launch) },
            { "resources", Resources(pool, options) },
            { "num_nodes", pool.Nodes > 1 ? pool.Nodes : (Doc?)null },
            { "envs", envs },
            { "file_mounts", files },
            { "run", Run(pool, launch) },
        };
    }

    private static string? Theirs((string Ours, string Theirs)[] names, string ours) => Array.Find(names, name => name.Ours == ours).Theirs;

    private static DocMap Service(PoolSite pool, EngineLaunch launch) => new()
    {
        {
            "readiness_probe",
            new DocMap { { "path", launch.HealthPath }, { "initial_delay_seconds", pool.StartLimitSeconds }, { "timeout_seconds", 15 } }
        },
        {
            "replica_policy",
            new DocMap
            {
                { "min_replicas", pool.Replicas },
                { "dynamic_ondemand_fallback", pool.IsSpot ? (Doc)true : null, "On demand while spot cannot be had." },
            }
        },
    };

    private static DocMap Resources(PoolSite pool, DeployOptions options)
    {
        var cloud = Theirs(Clouds, Names.Fold(pool.Site.Provider));
        var region = pool.Site.Region.Split('/')[0];
        return new DocMap
        {
            { "cloud", cloud },
            { "region", cloud is not null && RegionName().IsMatch(region) ? region : null },
            { "accelerators", new DocMap { { Theirs(Accelerators, pool.Deployment.Gpu.Key)!, pool.NodeGpus } } },
            { "use_spot", pool.IsSpot },
            { "image_id", $"docker:{KubernetesPod.Image(pool, options)}" },
            { "disk_size", (int)Math.Min(int.MaxValue, KubernetesShared.WeightsGib([pool]) + 100) },
            { "ports", EngineLaunch.Port },
        };
    }

    private static string Run(PoolSite pool, EngineLaunch launch)
    {
        var commands = string.Join("; ", BoardLimits.Script(pool).TrimEnd('\n').Split('\n'));
        var limits = pool.IsLimited ? $"( {commands} ) || echo 'limits were not set'\n" : "";
        var nodes = pool.Nodes > 1
            ? "export LEADER_ADDRESS=\"$(echo \"$SKYPILOT_NODE_IPS\" | head -n 1)\" NODE_RANK=\"$SKYPILOT_NODE_RANK\"\n"
            : "";
        return limits + nodes + LaunchScript.Of(pool, launch);
    }

    [GeneratedRegex("^[A-Za-z0-9-]+\\z", RegexOptions.CultureInvariant, 5000)]
    private static partial Regex RegionName();
}
