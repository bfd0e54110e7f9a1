using TokenFactory.Catalog;

namespace TokenFactory.Planning.Deploy;

/// <summary>A file to write.</summary>
/// <param name="Path">Where, below the folder that the user names; parts are joined by "/".</param>
/// <param name="Text">What it holds.</param>
public sealed record DeployFile(string Path, string Text);

/// <summary>Turns a planned fleet into files that run it: engines, Docker Compose, Kubernetes, SkyPilot, the gateway, a README.</summary>
public static class Manifests
{
    /// <summary>What stands in the way of writing the files: nothing where the list is empty.</summary>
    /// <param name="design">The fleet.</param>
    /// <param name="options">What to write with.</param>
    public static IReadOnlyList<Mistake> Check(FleetDesign design, DeployOptions options)
    {
        var mistakes = new List<Mistake>();
        if (design.Pools.Count == 0)
            mistakes.Add(new Mistake(design.Name, "has no pools", "Plan one first"));
        foreach (var pool in design.Pools)
            CheckPool(pool, options, mistakes);
        var known = design.Services().Select(service => options.Services.GetValueOrDefault(service)).OfType<DeployService>();
        var named = known.SelectMany(service => new[] { service.Checkpoint, service.Draft }).OfType<string>();
        foreach (var name in named.Where(IsNoCheckpoint))
            mistakes.Add(new Mistake("checkpoint", $"is '{name}'", "Name a repository of Hugging Face, or a folder by its whole path"));
        return mistakes;
    }

    /// <summary>Whether an engine would take the name for a flag, or for several words.</summary>
    private static bool IsNoCheckpoint(string name) => name.Length == 0 || name[0] == '-' || name.Any(char.IsControl);

    /// <summary>The files.</summary>
    /// <param name="design">The fleet; <see cref="Check"/> has nothing against it.</param>
    /// <param name="options">What to write with.</param>
    /// <exception cref="ArgumentException">Something stands in the way.</exception>
    public static IReadOnlyList<DeployFile> Of(FleetDesign design, DeployOptions options)
    {
        if (Check(design, options) is [var first, ..])
            throw new ArgumentException(first.ToString(), nameof(design));
        return new DeployedFleet(design, options).Files();
    }

    /// <summary>The services of a design, in the order of its pools.</summary>
    internal static IEnumerable<string> Services(this FleetDesign design) =>
        design.Pools.Select(pool => pool.Service).Distinct(StringComparer.Ordinal);

    private static void CheckPool(PlannedPool pool, DeployOptions options, List<Mistake> mistakes)
    {
        var (name, d) = (pool.Order.Name, pool.Order.Deployment);
        if (pool.Order.Replicas < 1 && pool.Order.Scaler is null)
            mistakes.Add(new Mistake(name, "has no replicas", "Leave the pool out"));
        if (!EngineCommands.Known.Contains(d.Engine) || options.Engines.FirstOrDefault(one => one.Key == d.Engine)?.Release is null)
        {
            var known = string.Join(", ", options.Engines.Where(one => one.Release is not null).Select(one => one.Key));
            mistakes.Add(new Mistake(name, $"runs on {d.Engine}, whose command line is not known", $"Plan with one of {known}"));
        }

        if (d.Gpu.Vendor is not ("NVIDIA" or "AMD"))
            mistakes.Add(new Mistake(name, $"runs on {d.Gpu.Key} of {d.Gpu.Vendor}", "Manifests are written for GPUs of NVIDIA and AMD"));
        var machine = pool.GpusPerMachine ?? 8;
        if (machine < 1)
            mistakes.Add(new Mistake(name, $"stands on machines of {machine} GPUs", "Give at least one"));
        else
            CheckSpread(pool, mistakes);
    }

    private static void CheckSpread(PlannedPool pool, List<Mistake> mistakes)
    {
        var (name, d) = (pool.Order.Name, pool.Order.Deployment);
        var machine = PoolSite.MachineGpusOf(pool);
        var nodes = (d.Gpus + machine - 1) / machine;
        if (d.Gpus % nodes != 0)
        {
            var remedy = $"Plan replicas of a multiple of {nodes} GPUs";
            mistakes.Add(new Mistake(name, $"spreads {d.Gpus} GPUs over {nodes} machines unevenly", remedy));
        }
        else if (nodes > 1 && d.AttentionGroups > 1 && d.AttentionGroups % nodes != 0 && d.Engine == "vllm")
        {
            var what = $"spreads {d.AttentionGroups} attention groups over {nodes} machines, which vLLM cannot";
            mistakes.Add(new Mistake(name, what, "Plan whole groups on each machine, or with sglang"));
        }
    }
}
