namespace TokenFactory.Fleet;

/// <summary>What a policy may know: a fleet's state, to read.</summary>
public readonly struct FleetSnapshot
{
    private readonly FleetState _state;

    internal FleetSnapshot(FleetState state) => _state = state;

    /// <summary>Pools by their number.</summary>
    public IReadOnlyList<PoolState> Pools => _state.PoolStates;

    /// <summary>Service classes by their number.</summary>
    public IReadOnlyList<ClassState> Classes => _state.ClassStates;

    /// <summary>Replicas by their number, also those that are gone.</summary>
    public IReadOnlyList<ReplicaState> Replicas => _state.Replicas;

    /// <summary>Tenants by their number.</summary>
    public IReadOnlyList<TenantState> Tenants => _state.Tenants;

    /// <summary>Demand of the last days.</summary>
    public DemandHistory Demand => _state.Demand;

    /// <summary>Counts since the beginning.</summary>
    public FleetTotals Totals => _state.Totals;

    /// <summary>Numbers of the pools that a request may be sent to.</summary>
    /// <param name="role">Decode for a second leg; prefill for pools that only compute prompts; aggregated for all that do.</param>
    public ReadOnlySpan<int> PoolsOf(ReplicaRole role) => _state.PoolsOf(role);

    /// <summary>The replica that a request was last sent to; -1 for none.</summary>
    /// <param name="role">Decode for second legs, otherwise all others.</param>
    public int LastSent(ReplicaRole role) => _state.LastSent(role == ReplicaRole.Decode ? role : ReplicaRole.Aggregated);

    /// <summary>Tokens that a replica has before it: prompts of what it was sent, and the answers expected to them.</summary>
    public double OutstandingTokens(ReplicaState replica) => replica.HeldTokens + ExpectedOutputTokens(replica);

    /// <summary>Tokens of the answers that a replica is expected to give to what it was sent.</summary>
    public double ExpectedOutputTokens(ReplicaState replica)
    {
        double tokens = 0;
        for (var i = 0; i < _state.ClassStates.Count; i++)
            tokens += (replica.UnstartedOf(i) + replica.GeneratingOf(i)) * _state.ClassStates[i].OutputTokens;
        return tokens;
    }

    /// <summary>The ready replicas of a pool with the least outstanding tokens, in that order, as many as fit.</summary>
    /// <param name="pool">Number of the pool.</param>
    /// <param name="into">Where they go; a few, for the time grows with the square of their number.</param>
    /// <returns>How many were written.</returns>
    public int LeastLoaded(int pool, Span<int> into) => _state.PoolStates[pool].Load.Smallest(into);

    /// <summary>Replicas that should hold a leading part of a prompt, the longest first, as many as fit.</summary>
    /// <param name="ask">The request.</param>
    /// <param name="into">Where they go.</param>
    /// <returns>How many were written.</returns>
    public int Matches(Ask ask, Span<PrefixMatch> into) => _state.Prefixes.Match(_state, ask, into);

    /// <summary>Leading tokens of a prompt that a replica should hold.</summary>
    public int MatchedTokens(Ask ask, int replica) => _state.Prefixes.Tokens(_state, ask, replica);
}
