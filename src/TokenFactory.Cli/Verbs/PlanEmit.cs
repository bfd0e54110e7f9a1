using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Planning;
using TokenFactory.Planning.Deploy;

namespace TokenFactory.Cli.Verbs;

/// <summary>plan --emit: the files that run a plan.</summary>
internal static class PlanEmit
{
    /// <summary>Writes them, all or none.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="Refusal">Something stands in the way.</exception>
    public static int Write(PlanRequest request, Finalist best, CatalogContents catalog, string folder)
    {
        var options = new DeployOptions
        {
            Engines = catalog.Engines,
            Services = request.Ask.Services.ToDictionary(service => service.Name, service => new DeployService
            {
                Workload = request.Workloads.GetValueOrDefault(service.Name),
                Classes = [.. service.Promises.Select(promise => promise.Class)],
            }),
            Concurrency = best.Design.Pools.Zip(best.Units.SelectMany(chosen => chosen.Unit.Pools))
                .ToDictionary(
                    pair => pair.First.Order.Name,
                    pair => Math.Max(1, pair.Second.Candidate.Limits.Max(limit => limit.At.Running))),
        };
        var mistakes = Manifests.Check(best.Design, options);
        Refusal.IfAny([.. mistakes]);
        var files = Manifests.Of(best.Design, options);
        FileSet.Replace(
            [.. files.Select(file => (Path.Combine([folder, .. file.Path.Split('/')]), file.Text))],
            "Name a folder that can be written with --emit",
            newFolders: true);
        return files.Count;
    }

    /// <summary>A workload block as it goes into a scenario elsewhere: traces by their whole path.</summary>
    public static DocMap? Workload(Settings? settings)
    {
        if (settings?.Copy("workload") is not DocMap block)
            return null;
        var folder = Path.GetDirectoryName(Path.GetFullPath(settings.Name)) ?? "";
        return Rooted(block);

        DocMap Rooted(DocMap map)
        {
            var copy = new DocMap();
            foreach (var entry in map)
            {
                copy.Add(entry.Key, entry.Value switch
                {
                    DocText trace when entry.Key == "trace" => Path.GetFullPath(Path.Combine(folder, trace.Text)),
                    DocList streams when entry.Key == "streams" => Streams(streams),
                    _ => entry.Value,
                });
            }

            return copy;
        }

        DocList Streams(DocList streams)
        {
            var copy = new DocList();
            foreach (var stream in streams)
                copy.Add(stream is DocMap map ? Rooted(map) : stream);
            return copy;
        }
    }
}
