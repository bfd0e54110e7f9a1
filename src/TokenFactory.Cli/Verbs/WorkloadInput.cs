using TokenFactory.Cli.Input;
using TokenFactory.Units;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>A class or tenant that a workload names, and where it does so first.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Where">"file:line".</param>
internal sealed record WorkloadName(string Name, string Where);

/// <summary>The workload of a scenario: recorded or made, with its end.</summary>
internal sealed class WorkloadInput
{
    internal const double MostSeconds = 1e9;
    private readonly long? _requests;
    private readonly Instant? _until;

    private WorkloadInput(IReadOnlyList<(StreamPlan Plan, Settings From)> streams, long? requests, Instant? until)
    {
        (Streams, _requests, _until) = ([.. streams.Select(stream => stream.Plan)], requests, until);
        Classes = Names(streams, "class", plan => plan.Class, contents => contents.Classes, contents => contents.HasUnclassed);
        Tenants = Names(streams, "tenant", plan => plan.Tenant, contents => contents.Tenants, contents => contents.HasTenantless);
    }

    /// <summary>What it is made of.</summary>
    public IReadOnlyList<StreamPlan> Streams { get; }

    /// <summary>The service classes that its requests may have.</summary>
    public IReadOnlyList<WorkloadName> Classes { get; }

    /// <summary>The tenants that its requests may have.</summary>
    public IReadOnlyList<WorkloadName> Tenants { get; }

    /// <summary>Its requests from a seed, from the first on at every call.</summary>
    public ITraffic Traffic(ulong seed) => new MergedTraffic([.. Streams.Select(plan => plan.Traffic(seed))], _requests, _until);

    /// <summary>
    /// The workload under a key of a scenario; null after noting every mistake, also those of the traces it names. Whether there are
    /// unknown keys is asked by whoever read the file.
    /// </summary>
    /// <param name="workload">Its mapping: requests, duration_s, and a trace or streams.</param>
    /// <param name="isStream">Whether the mapping is itself the only stream, as flags have no lists.</param>
    public static WorkloadInput? Read(Settings workload, bool isStream = false)
    {
        var before = workload.Mistakes.Count;
        var requests = workload.Whole("requests", 1);
        var duration = workload.Number("duration_s", double.Epsilon, MostSeconds);
        var reader = new WorkloadStreams(Folder(workload));
        var streams = new List<(StreamPlan Plan, Settings From)>();
        foreach (var settings in Entries(workload, isStream))
        {
            if (reader.Read(settings, workload.Has("requests"), workload.Has("duration_s")) is { } plan)
                streams.Add((plan, settings));
        }

        if (streams.Count > MergedTraffic.MostSources)
            workload.Note("streams", $"are {streams.Count}", $"Give at most {MergedTraffic.MostSources}");
        return workload.Mistakes.Count > before || streams.Count == 0
            ? null
            : new WorkloadInput(streams, requests, duration is { } seconds ? Instant.AtSeconds(seconds) : null);
    }

    /// <summary>Paths in a file begin where the file lies; on the command line, where the user stands.</summary>
    private static string Folder(Settings workload) =>
        workload.Name == "command line" ? "" : Path.GetDirectoryName(workload.Name) ?? "";

    private static IReadOnlyList<Settings> Entries(Settings workload, bool isStream)
    {
        if (isStream)
            return [workload];
        workload.Exclude("trace", "streams", "Give one of the two; a stream may be a trace");
        if (workload.Has("trace"))
            return [workload];
        workload.Require("streams", "Give streams, or trace: FILE; see docs/guide/workload.md");
        return workload.Items("streams");
    }

    private static List<WorkloadName> Names(
        IReadOnlyList<(StreamPlan Plan, Settings From)> streams,
        string key,
        Func<StreamPlan, string> own,
        Func<TraceContents, IReadOnlyList<string>> recorded,
        Func<TraceContents, bool> others)
    {
        var names = new List<WorkloadName>();
        foreach (var (plan, from) in streams)
        {
            var trace = plan as TracePlan;
            if (trace is not null)
                names.AddRange(recorded(trace.Contents).Select(name => new WorkloadName(name, from.WhereIs("trace"))));
            if (trace is null || others(trace.Contents))
                names.Add(new WorkloadName(own(plan), from.WhereIs(key)));
        }

        return [.. names.DistinctBy(name => name.Name, StringComparer.Ordinal)];
    }
}
