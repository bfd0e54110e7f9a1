using TokenFactory.Fleet;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Tests;

/// <summary>Runs made by hand: every figure differs from every other, so that a test sees which one is shown.</summary>
internal static class SimulateRuns
{
    /// <summary>A name that no page and no table may take for mark-up.</summary>
    public const string Awkward = "<b>\"x\"&,\n'y'";

    /// <summary>A run of an hour with two classes, of which chat is late at times, and so many pools.</summary>
    public static RunReport Run(int pools = 1, int stretches = 60, int replicas = 2, string chat = "chat") => new()
    {
        Name = "night shift",
        Seed = 18_446_744_073_709_551_557,
        Routing = "prefix-affinity",
        Seconds = 3600,
        Requests = Requests("all", 48_000, 47_580, 47_100, 0.9),
        Classes =
        [
            Requests(chat, 40_000, 39_700, 39_220, 1) with
            {
                Class = new ServiceClass(chat)
                {
                    Priority = 1, TtftSeconds = 0.5, TpotSeconds = 0.0451, EndToEndSeconds = 61.5, DeadlineSeconds = 121.25,
                    MaxWaitSeconds = 31.125, MaxWaiting = 4099,
                },
            },
            Requests("batch", 8_000, 7_880, 7_880, 2) with { Class = new ServiceClass("batch") { FillsSlack = true, Priority = 7 } },
        ],
        Tenants = [Requests("acme", 30_003, 29_801, 29_700, 3), Requests("umbra", 17_997, 17_779, 17_400, 4)],
        PoolRequests = [.. Enumerable.Range(0, pools).Select(i => Requests($"pool-{i}", 20_011 + i, 20_001 + i, 20_000, 5.01 + (i * 0.37)))],
        ReplicaRequests = [.. Enumerable.Range(0, replicas).Select(i => Requests($"r{i}", 10_007 + i, 10_003 + i, 10_000, 6.07 + (i * 0.41)))],
        Machines = Machines("all", 1),
        Pools = [.. Enumerable.Range(0, pools).Select(i => Machines($"pool-{i}", 1.13 + (i * 0.29)))],
        Replicas = [.. Enumerable.Range(0, replicas).Select(i => Machines($"r{i}", 0.57 + (i * 0.003)))],
        Intervals = [.. Enumerable.Range(0, stretches).Select(i => Stretch(i, stretches, pools))],
        Happenings = [(612.5, "r1 crashed"), (912.25, "r1 takes requests again")],
        Reasons = [("the queue of chat was full", 301), ("lost with r1", 19)],
    };

    /// <summary>Requests with times that grow with a factor.</summary>
    public static RequestReport Requests(string name, long arrived, long completed, long kept, double factor) => new()
    {
        Name = name,
        Requests = new RequestCounts(arrived, completed, 11, arrived - completed - 41, 7, 19, 3, 1),
        PromptTokens = 1000 * arrived,
        CachedTokens = 250 * arrived,
        OutputTokens = 200 * completed,
        Kept = kept,
        Ttft = new Spread(completed, 0.2113 * factor, 0.1507 * factor, 0.4019 * factor, 0.6037 * factor, 1.2401 * factor, 3.1071 * factor),
        Tpot = new Spread(completed, 0.0213 * factor, 0.0207 * factor, 0.0311 * factor, 0.0337 * factor, 0.0401 * factor, 0.0503 * factor),
        EndToEnd = new Spread(completed, 4.51 * factor, 4.01 * factor, 8.03 * factor, 9.07 * factor, 12.09 * factor, 30.011 * factor),
        GatewayWait = new Spread(completed, 0.0103 * factor, 0.0021 * factor, 0.0307 * factor, 0.0407 * factor, 0.1021 * factor, 0.9103 * factor),
        Preemptions = 1204 + (long)(factor * 10),
        Retries = 14 + (long)factor,
        UsageUsd = 1.61803 * factor,
        StepJoules = 2_718_281.8 * factor,
        TtftHistogram = [(0.101 * factor, completed / 4), (0.151 * factor, completed / 4), (0.502 * factor, completed / 3), (3.2 * factor, completed / 6)],
        TpotHistogram = [(0.0205 * factor, completed / 2), (0.031 * factor, completed / 3), (0.0505 * factor, completed / 6)],
    };

    /// <summary>Machines whose figures grow with a factor.</summary>
    public static MachineReport Machines(string name, double factor) => new()
    {
        Name = name,
        What = "8 x H100 SXM, llama-3.1-70b fp8 TP8, vllm",
        Billing = "on-demand",
        Gpus = 16,
        MeanReplicas = 2 * factor,
        PaidGpuHours = 16.03 * factor,
        PaidSeconds = 7201 * factor,
        ReadySeconds = 7103 * factor,
        BusySeconds = 5303 * factor,
        PaidUsd = 7.898 * factor,
        UsageUsd = 5.8047 * factor,
        StepJoules = 3_500_003 * factor,
        IdleJoules = 496_727 * factor,
        ItJoules = 5_000_011 * factor,
        FacilityJoules = 6_000_017 * factor,
        PromptTokens = 36_100_057.5 * factor,
        OutputTokens = 9_600_043.25 * factor,
        KvHeld = 0.4321 / factor,
        MeanBatch = 37.77 * factor,
        TokenGap = new Spread(9_500_001, 0.02171 * factor, 0.02091 * factor, 0.03191 * factor, 0.03491 * factor, 0.04591 * factor, 0.2591 * factor),
        Started = 5,
        Lost = 2,
    };

    private static IntervalReport Stretch(int i, int all, int pools)
    {
        var length = 3600.0 / all;
        var wave = 1 + Math.Sin(i * 6.28 / all);
        return new IntervalReport
        {
            FromSeconds = i * length,
            Seconds = length,
            Arrived = 500 + i,
            Completed = 480 + i,
            Kept = i is >= 14 and < 20 ? 400 + i : 480 + i,
            GatewayWaiting = i == 15 ? 320 : 2,
            MeanTtft = 0.2 + (i / 1009.0),
            MeanTpot = 0.02 + (i / 10_007.0),
            All = Pool(wave, i == 15 ? 0.97 : 0.41, pools),
            Pools = [.. Enumerable.Range(0, pools).Select(p => Pool(wave * (1 + (p / 10.0)), 0.40 + (i / 1013.0), 1))],
        };
    }

    private static IntervalPool Pool(double wave, double held, int factor) => new(
        2 * factor,
        60 + (int)(20 * wave),
        (int)(40 * wave),
        held,
        10_031.5 * wave * factor,
        2_611.25 * wave * factor,
        5003.5 + (wave * 301),
        6007.5 + (wave * 401),
        0.1317 * factor);
}
