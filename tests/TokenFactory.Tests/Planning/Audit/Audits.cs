using TokenFactory.Catalog;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Planning.Audit;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Tests.Performance;
using TokenFactory.Tests.Simulation;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Planning.Audit;

/// <summary>Small fleets to audit, and what an audit is asked.</summary>
internal static class Audits
{
    private static readonly Dictionary<(Deployment, bool), ReplicaModel> Models = [];

    /// <summary>Chat on an 8B model in 16 bits: short prompts after a shared opening, 40 requests a second.</summary>
    public static OpenPlan Chat { get; } = new()
    {
        Name = "chat",
        Class = "chat",
        Arrivals = ArrivalPlan.Poisson(40),
        Lengths = new PairedLengths(new Uniform(100, 900), new Uniform(20, 200)),
        SystemPromptTokens = 1000,
        Requests = 1200,
    };

    public static ServiceClass Promised { get; } = new("chat") { TtftSeconds = 0.4, TpotSeconds = 0.03 };

    public static AuditAsked Asked { get; } = new()
    {
        Models = (deployment, split) =>
        {
            lock (Models)
            {
                if (!Models.TryGetValue((deployment, split), out var model))
                    Models.Add((deployment, split), model = new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped, split));
                return model;
            }
        },
        Prices = (pool, billing) => billing switch
        {
            Billing.Spot => Given(0.8),
            Billing.Reserved1Year => Given(1.4),
            _ => null,
        },
        Routers = name => name == "prefix-affinity" ? () => new PrefixAffinityRouter() : () => new MarginalCostRouter(),
        Seeds = [1, 2],
    };

    /// <summary>Only some levers are looked at.</summary>
    public static AuditAsked Only(params string[] levers) => Asked with { LeftOut = Levers.Keys.Except(levers).ToHashSet() };

    /// <summary>The chat on some replicas, sent to them in turn.</summary>
    public static AuditedFleet Fleet(int replicas = 4, Func<PoolOrder, PoolOrder>? change = null, StreamPlan? stream = null, params ServiceClass[] classes)
    {
        var order = Fleets.Order(Fleets.Small, "pool") with { Replicas = replicas, ProvisionSeconds = 1, WarmSeconds = 1, LoadBytesPerSecond = 1e11 };
        var sent = stream ?? Chat;
        return new AuditedFleet(
            new FleetPlan
            {
                Name = "audited",
                Pools = [],
                Classes = classes.Length > 0 ? classes : [Promised],
                Traffic = seed => new MergedTraffic([sent.Traffic(seed)]),
                Router = () => new RoundRobinRouter(),
                Routing = "round-robin",
            },
            [change?.Invoke(order) ?? order]);
    }

    public static LeverResult Of(this AuditResult audit, string lever) => audit.Levers.Single(one => one.Lever.Key == lever);

    /// <summary>What a single lever comes to, beside fewer replicas.</summary>
    public static LeverResult Judge(AuditedFleet fleet, string lever, AuditAsked? asked = null) =>
        Auditor.Run(fleet, (asked ?? Asked) with { LeftOut = Levers.Keys.Except([lever, Levers.Replicas]).ToHashSet() }).Of(lever);

    private static Sourced<double> Given(double usd) =>
        new(usd, Provenance.Of(new Source(SourceKind.Estimated, "given in a test", SourceDate.On(new DateOnly(2026, 11, 21)))));
}
