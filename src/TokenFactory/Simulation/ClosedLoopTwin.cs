using TokenFactory.Catalog;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Policies;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <summary>
/// A measured closed loop, simulated as it was measured: all clients begin at once, lengths are even over a range, and every request
/// counts. What comes out stands beside the closed form's prediction.
/// </summary>
public static class ClosedLoopTwin
{
    private const double UsualRequestsPerClient = 10;
    private const double MostRequests = 20_000;
    private const double Shortest = 0.8;

    /// <summary>Simulates a closed loop on replicas that do both prompts and answers.</summary>
    /// <param name="prepared">The deployment and its load.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="site">Assumptions about sites; watts at the board do not depend on them.</param>
    public static Prediction Predict(Prepared prepared, CalibrationSet calibration, SiteDefaults site)
    {
        var (load, pool) = (prepared.Scenario.Load, prepared.Scenario.Decode);
        var clients = Math.Max(1, (int)Math.Round(load.Concurrency ?? 1));
        var each = double.IsFinite(load.RequestsPerClient) ? load.RequestsPerClient : UsualRequestsPerClient;
        var plan = new ClosedPlan
        {
            Name = "clients",
            Clients = clients,
            Lengths = new PairedLengths(Range(load.InputTokens), Range(load.OutputTokens)),
            Requests = (long)Math.Max(clients, Math.Min(MostRequests, clients * each)),
            MaxTokens = (int)Math.Ceiling(load.OutputTokens / (1 + Shortest) * 2),
        };
        var model = new ReplicaModel(prepared.Decode, calibration);
        var replicas = Math.Max(1, (int)Math.Round(pool.Replicas));
        var report = Simulator.Run(
            new FleetPlan
            {
                Name = "measured",
                Pools = [new PoolOrder { Name = "replicas", Model = model, Site = site, Replicas = replicas }.Plan()],
                Classes = [new ServiceClass("default")],
                Traffic = plan.Traffic,
                Router = () => new LeastOutstandingRouter(new Eligibility { QueueShare = 1e6, KvShare = double.PositiveInfinity }),
                ReportSeconds = 0,
            },
            1);
        return Answer(report, prepared);
    }

    private static Prediction Answer(RunReport report, Prepared prepared)
    {
        var (requests, seconds) = (report.Requests, Math.Max(report.Seconds, 1e-9));
        var fits = requests.Requests.Completed > 0;
        return new Prediction
        {
            Fits = fits,
            Ttft = requests.Ttft.Mean,
            Tpot = requests.Tpot.Mean,
            EndToEnd = requests.EndToEnd.Mean,
            RequestsPerSecond = requests.Requests.Completed / seconds,
            OutputTokensPerSecond = requests.OutputTokens / seconds,
            TotalTokensPerSecond = (requests.PromptTokens + requests.OutputTokens) / seconds,
            WattsPerGpu = report.Machines.BoardJoules / seconds / prepared.Scenario.Gpus,
            Gpus = prepared.Scenario.Gpus,
        };
    }

    /// <summary>
    /// Lengths of a mean, evenly between 0.8 and 1 times the longest, as InferenceX draws them; also where a table says only a length:
    /// were all answers equally long, clients would go on in the step in which they began, and their prompts meet again and again.
    /// </summary>
    private static Uniform Range(double mean)
    {
        var longest = Math.Max(1, mean * 2 / (1 + Shortest));
        return new Uniform(Math.Max(1, Math.Round(Shortest * longest)), Math.Round(longest));
    }
}
