using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Laws;
using TokenFactory.Tests.Performance;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Simulation;

/// <summary>Fleets for tests: plain ones, and ones with everything that may happen, drawn.</summary>
internal static class Fleets
{
    public static PoolOrder Order(Deployment deployment, string name = "pool") => new()
    {
        Name = name,
        Model = new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped),
        Site = CatalogFiles.Shipped.Site,
        UsdPerGpuHour = 2,
    };

    public static Deployment Small { get; } = Serving.Deploy("llama-3.1-8b", "h100-sxm");

    public static FleetPlan Plan(Func<ulong, ITraffic> traffic, params PoolPlan[] pools) => new()
    {
        Name = "test",
        Pools = pools,
        Classes = [new ServiceClass("default")],
        Traffic = traffic,
        Router = () => new LeastOutstandingRouter(),
    };

    public static Func<ulong, ITraffic> Poisson(double perSecond, long requests, int input, int output) => seed => new OpenPlan
    {
        Name = "all",
        Arrivals = ArrivalPlan.Poisson(perSecond),
        Lengths = new PairedLengths(new Constant(input), new Constant(output)),
        Requests = requests,
    }.Traffic(seed);

    /// <summary>A fleet of any shape under any traffic, with faults.</summary>
    public static FleetPlan Draw(Dice dice)
    {
        var split = dice.Chance(0.25);
        PoolPlan[] pools = split
            ? [Pool(dice, "prompts", ReplicaRole.Prefill), Pool(dice, "answers", ReplicaRole.Decode)]
            : [.. dice.Many(1, 3, () => 0).Select((_, i) => Pool(dice, $"pool{i}", ReplicaRole.Aggregated))];
        return new FleetPlan
        {
            Name = "drawn",
            Pools = pools,
            Classes =
            [
                new ServiceClass("chat") { TtftSeconds = 1, TpotSeconds = 0.05, MaxWaitSeconds = dice.Chance(0.3) ? 5 : null },
                new ServiceClass("batch") { Priority = 1, FillsSlack = dice.Chance(0.5), DeadlineSeconds = dice.Chance(0.5) ? dice.Real(2, 60) : null },
            ],
            Traffic = Traffic(dice),
            Router = Router(dice),
            Recovery = new Recovery { ContinueAnswers = dice.Chance(0.7), MaxAttempts = dice.Whole(1, 4) },
            Faults = [.. Faults(dice, split)],
            ReportSeconds = dice.Chance(0.5) ? dice.Real(0.5, 5) : 0,
            ScaleSeconds = dice.Real(2, 10),
            StopSeconds = dice.Chance(0.2) ? dice.Real(1, 30) : null,
        };
    }

    private static PoolPlan Pool(Dice dice, string name, ReplicaRole role)
    {
        var deployment = dice.Chance(0.7)
            ? Small with { Engine = Serving.Of(dice, (string[])["vllm", "sglang", "tensorrt-llm"]) }
            : Serving.Deploy("qwen3-30b-a3b", "h200-sxm", NumberFormat.Fp8, dp: 2, ep: 2);
        deployment = deployment with
        {
            TokenBudget = 1 << dice.Whole(8, 13),
            Speculation = dice.Chance(0.15) ? new SpeculativeDecoding(2, dice.Real(0, 1)) : null,
        };
        var engine = EngineSettings.Of(deployment) with
        {
            MaxSequences = dice.Whole(2, 60),
            PrefixCaching = dice.Chance(0.8),
            HostBytes = dice.Chance(0.2) ? 5e9 : 0,
            StaticBatches = dice.Chance(0.05),
        };
        var replicas = dice.Whole(1, 3);
        return (Order(deployment, name) with
        {
            Role = role,
            Replicas = replicas,
            Engine = engine with { Blocks = dice.Whole(2500, 9000) / engine.BlockTokens },
            ProvisionSeconds = dice.Real(0.5, 10),
            WarmSeconds = 1,
            LoadBytesPerSecond = 1e10,
            Scaler = dice.Chance(0.2) ? () => new TargetUtilisationScaler() : null,
            Least = 1,
            Most = replicas + 2,
        }).Plan();
    }

    private static Func<ulong, ITraffic> Traffic(Dice dice)
    {
        var (rate, requests) = (dice.Scale(1, 60), dice.Whole(10, 120));
        var (input, output) = (new Uniform(dice.Whole(1, 200), dice.Whole(300, 1500)), new Uniform(1, dice.Whole(2, 200)));
        var (turns, sessions) = (dice.Whole(1, 5), dice.Chance(0.5));
        StreamPlan chat = sessions
            ? new SessionPlan
            {
                Name = "chat",
                Class = "chat",
                Tenant = "a",
                Arrivals = ArrivalPlan.Poisson(rate / turns),
                Turns = new Constant(turns),
                Lengths = new PairedLengths(input, output),
                Think = new Uniform(0, 2),
                SystemPromptTokens = 100,
                Sessions = requests / turns,
            }
            : new OpenPlan
            {
                Name = "chat",
                Class = "chat",
                Tenant = "a",
                Arrivals = ArrivalPlan.Poisson(rate),
                Lengths = new PairedLengths(input, output),
                Requests = requests,
                SystemPromptTokens = 64,
            };
        var batch = new ClosedPlan
        {
            Name = "batch",
            Class = "batch",
            Tenant = "b",
            Clients = dice.Whole(1, 20),
            Lengths = new PairedLengths(input, output),
            RequestsPerClient = dice.Whole(1, 4),
            MaxTokens = 100,
        };
        return seed => new MergedTraffic([chat.Traffic(seed), batch.Traffic(seed)], null, null);
    }

    private static Func<IRouter> Router(Dice dice) => dice.Whole(0, 4) switch
    {
        0 => () => new RoundRobinRouter(),
        1 => () => new LeastOutstandingRouter(),
        2 => () => new PowerOfTwoRouter(),
        3 => () => new PrefixAffinityRouter(),
        _ => () => new MarginalCostRouter(),
    };

    private static IEnumerable<Fault> Faults(Dice dice, bool split)
    {
        if (dice.Chance(0.3))
            yield return new Crashes { MeanHours = dice.Scale(0.0005, 0.05), AtSeconds = [dice.Real(0, 10)] };
        if (dice.Chance(0.3))
            yield return new Slowdown { AtSeconds = dice.Real(0, 5), ForSeconds = dice.Real(0.1, 10), Factor = dice.Real(1, 5) };
        if (dice.Chance(0.2))
            yield return new StaleReports { AtSeconds = dice.Real(0, 5), ForSeconds = dice.Real(0.1, 10) };
        if (dice.Chance(0.3))
            yield return new LostAnswers { Share = dice.Real(0, 0.3) };
        if (dice.Chance(0.3))
        {
            yield return new SpotPreemptions
            {
                UpHours = dice.Scale(0.0005, 0.02),
                DownHours = dice.Scale(0.0002, 0.005),
                NoticeSeconds = dice.Real(0, 3),
                RunsSeconds = dice.Chance(0.3) ? [3, 1, 8, 2] : [],
            };
        }

        if (split && dice.Chance(0.5))
            yield return new LinkLoss { AtSeconds = dice.Real(0, 5), ForSeconds = dice.Real(0.1, 3) };
    }
}
