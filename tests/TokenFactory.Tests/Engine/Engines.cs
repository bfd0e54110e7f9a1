using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Tests.Performance;
using TokenFactory.Tests.Simulation;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Engine;

/// <summary>Small engines whose every block can be counted by hand, and what goes into them.</summary>
internal static class Engines
{
    /// <summary>Bytes of a token in the cache of the model that <see cref="Of"/> serves: key and value, layers, heads, elements, bytes each.</summary>
    public const double TokenBytes = 2.0 * 32 * 8 * 128 * 2;

    public static Replica Of(
        Func<EngineSettings, EngineSettings>? change = null, Deployment? deployment = null, bool stepByStep = false)
    {
        var d = deployment ?? Fleets.Small;
        var settings = EngineSettings.Of(d);
        return new Replica(Model(d), change?.Invoke(settings) ?? settings, stepByStep);
    }

    /// <summary>The shipped step times; nothing stands before the engine unless steps are given that pass until its scheduler looks.</summary>
    public static ReplicaModel Model(Deployment d, double receiveSteps = 0)
    {
        var front = default(FrontTerms);
        front[FrontTerm.Steps] = receiveSteps;
        var fronts = new Dictionary<string, FrontTerms> { [CalibrationSet.AnyStack] = front };
        return new(d, Serving.Kernels(d.Gpu), Serving.Shipped with { Fronts = fronts });
    }

    public static Deployment With(string engine) => Fleets.Small with { Engine = engine };

    public static EngineRequest Ask(
        long id, int prompt, int output, int priority = 0, Leg leg = Leg.Whole, int most = 0, ulong answer = 0, params PromptSegment[] pieces) =>
        new(id, prompt, new Script(output, answer)) { Priority = priority, Leg = leg, MaxTokens = most, Prompt = pieces };

    /// <summary>Runs requests that come at once, and returns when each told something first.</summary>
    public static ReplicaRun Run(Replica replica, params EngineRequest[] requests)
    {
        var run = new ReplicaRun(replica);
        foreach (var request in requests)
            run.Submit(request, 0);
        run.Run();
        return run;
    }

    public static Instant When(this ReplicaRun run, EngineEventKind kind, long id) =>
        run.Log.Single(told => told.Kind == kind && told.Id == id).At;

    public static long[] Ids(this ReplicaRun run, EngineEventKind kind) => [.. run.Log.Where(told => told.Kind == kind).Select(told => told.Id)];

    /// <summary>Calls of <see cref="Replica.Advance"/> of one request that comes alone, beside the one that lets it in: its steps.</summary>
    public static int Steps(Replica replica, EngineRequest request)
    {
        var looks = 0;
        var run = new ReplicaRun(replica) { Look = _ => looks++ };
        run.Submit(request, 0);
        run.Run();
        return looks - 2;
    }
}
