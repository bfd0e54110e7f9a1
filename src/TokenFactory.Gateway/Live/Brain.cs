using System.Numerics;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// What decides for one model: fleet state and policies as a setup makes them. The live fleet and the replay of its log make it the same
/// way, so that equal events lead to equal decisions.
/// </summary>
internal sealed class Brain
{
    private const int KeysPerReplica = 16_384;
    private const int DiscoveredReplicas = 64;

    private readonly IRouter _router;
    private readonly BatchFill _fill;

    public Brain(ModelSetup model, GatewaySetup setup)
    {
        Classes = [.. setup.Classes.Select(kind => Limited(kind, setup.Limits))];
        PrefixKeys = KeysOf(model);
        State = new FleetState([.. model.Pools.Select(pool => pool.Facts)], Classes, 0, PrefixKeys);
        Eligibility = setup.Policies.Eligibility;
        _router = setup.Policies.Router();
        _fill = new BatchFill(Eligibility);
    }

    public IReadOnlyList<ServiceClass> Classes { get; }

    public FleetState State { get; }

    public Eligibility Eligibility { get; }

    public int PrefixKeys { get; }

    public FleetSnapshot View => State.Snapshot;

    public RoutingDecision Decide(Ask ask, Instant now) => Classes[ask.Class].FillsSlack
        ? _fill.Place(View, ask, ReplicaRole.Aggregated, _router, now)
        : _router.Decide(View, ask, ReplicaRole.Aggregated, now);

    /// <summary>
    /// Leading parts of prompts that are remembered for a model's replicas, which may grow to the next power of two without another number.
    /// </summary>
    public static int KeysOf(ModelSetup model)
    {
        var replicas = model.Pools.Sum(pool => Math.Max(pool.Discover is null ? 0 : DiscoveredReplicas, pool.Replicas.Count));
        return Math.Max(FleetState.DefaultPrefixKeys, (int)BitOperations.RoundUpToPowerOf2((uint)replicas) * KeysPerReplica);
    }

    /// <summary>A class that sets no limit to waiting gets the gateway's; work that fills slack waits until its deadline.</summary>
    private static ServiceClass Limited(ServiceClass kind, LimitSetup limits) => kind with
    {
        MaxWaitSeconds = kind.MaxWaitSeconds ?? (kind.FillsSlack && kind.DeadlineSeconds is not null ? null : limits.WaitSeconds),
        MaxWaiting = kind.MaxWaiting ?? limits.Waiting,
    };
}
