using TokenFactory.Gateway.Setup;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <content>
/// Other replicas in the same pools. A replica is known by its address: where it stays it keeps its name, and all that is known of it.
/// </content>
public sealed partial class LiveFleet
{
    /// <summary>Whether a changed model can be had by replicas that come and go, in the same pools.</summary>
    /// <param name="model">The model in the changed file, what decides on its pools being the same.</param>
    public bool CanBecome(ModelSetup model) =>
        model.Pools.Select(pool => pool.Facts.Name).SequenceEqual(Model.Pools.Select(pool => pool.Facts.Name), StringComparer.Ordinal)
        && Brain.KeysOf(model) == _brain.PrefixKeys;

    /// <summary>
    /// Replicas that the file names now and did not come, each is looked at once, and then those that it no longer names go, when they have
    /// nothing more to do.
    /// </summary>
    /// <returns>Those that go.</returns>
    public async Task<IReadOnlyList<LiveReplica>> BecomeAsync(ModelSetup model, CancellationToken cancel)
    {
        var given = Enumerable.Range(0, model.Pools.Count).Where(pool => model.Pools[pool].Discover is null).ToList();
        var wanted = given.ConvertAll(pool => (Pool: pool, Replicas: model.Pools[pool].Replicas
            .Select(replica => replica with { Address = AddressOf(model.Pools[pool], replica) }).ToList()));
        List<LiveReplica> added;
        lock (_gate)
        {
            _model = model;
            var now = Step(default);
            added = [.. wanted.SelectMany(one => Admit(one.Pool, one.Replicas, now))];
        }

        await Task.WhenAll(added.Select(Watch)).WaitAsync(cancel).ConfigureAwait(false);
        var gone = new List<LiveReplica>();
        Waiter? answered;
        lock (_gate)
        {
            var now = Step(default);
            foreach (var (pool, replicas) in wanted)
                gone.AddRange(DismissOthers(pool, replicas, now));
            Dispatch(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
        return gone;
    }

    /// <summary>
    /// Another fleet has these replicas too, and pays for them from now on: a replica is paid once. Requests that run here cost what they
    /// took until now.
    /// </summary>
    public void HandOver(IReadOnlyList<LiveReplica> others)
    {
        lock (_gate)
        {
            var now = Step(default);
            foreach (var replica in _present.Where(one => others.Any(other => other.Address == one.Address)))
                replica.Meter?.Close(now);
        }
    }

    /// <summary>Those that are not there come; one that was about to go stays.</summary>
    private List<LiveReplica> Admit(int pool, List<ReplicaSetup> wanted, Instant now)
    {
        var added = new List<LiveReplica>();
        foreach (var replica in _closing ? [] : wanted)
        {
            if (_present.FirstOrDefault(one => one.Known.Pool == pool && one.Address == replica.Address) is not { } there)
            {
                added.Add(Add(pool, FreeName(pool, replica.Name), replica.Address!));
                LiveLog.Found(_logger, added[^1].Name);
            }
            else if (there.GoesBy is not null)
            {
                there.GoesBy = null;
                Settle(there, now);
            }
        }

        return added;
    }

    private List<LiveReplica> DismissOthers(int pool, List<ReplicaSetup> wanted, Instant now)
    {
        var stay = wanted.Select(replica => replica.Address!).ToHashSet();
        var others = _present.Where(one => one.Known.Pool == pool && one.GoesBy is null && !stay.Contains(one.Address)).ToList();
        foreach (var replica in others)
            Dismiss(replica, now);
        return others;
    }

    /// <summary>A name that nobody has who is there: that of the file, or else the pool's with the first number that is free.</summary>
    private string FreeName(int pool, string name)
    {
        for (var number = 0; Array.Exists(_present, one => one.Name == name); number++)
            name = $"{Model.Pools[pool].Facts.Name}-{number}";
        return name;
    }
}
