using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <content>Replicas that answer, but much slower than their like, are put aside for a while.</content>
public sealed partial class LiveFleet
{
    private const int MostAsideShare = 3;
    private const double MostAsideFactor = 10;

    private readonly List<double> _paces = [];

    private void LookForOutlier(LiveReplica replica, Instant now)
    {
        if (replica.Aside is { } aside && aside.Until <= now)
            (replica.Aside, replica.AsideUntil) = (null, aside.Until);
        if (_setup.Health.OutlierFactor <= 0 || replica.Known.Phase != ReplicaPhase.Ready || replica.Circuit.HalfOpen)
            return;
        var pool = View.Pools[replica.Known.Pool];
        if (Aside(pool) + 1 > pool.Live.Length / MostAsideShare)
            return;
        var (pace, usual) = (replica.Known.Slowness, UsualPace(pool));
        if (pace <= usual * _setup.Health.OutlierFactor)
            return;
        if ((now - replica.AsideUntil).Seconds > _setup.Health.OpenSeconds * MostAsideFactor)
            replica.Asides = 0;
        var seconds = _setup.Health.OpenSeconds * Math.Min(Math.Pow(2, replica.Asides++), MostAsideFactor);
        var words = $"its tokens take {pace / usual:0.#} times as long as those of its pool; put aside for {seconds:0.#} s";
        replica.Aside = (now + Duration.OfSeconds(seconds), words);
    }

    private int Aside(PoolState pool)
    {
        var count = 0;
        foreach (var index in pool.Live)
            count += _all[index].Aside is null ? 0 : 1;
        return count;
    }

    /// <summary>The median of a pool's replicas in use.</summary>
    private double UsualPace(PoolState pool)
    {
        _paces.Clear();
        foreach (var index in pool.Ready)
            _paces.Add(_all[index].Known.Slowness);
        _paces.Sort();
        var middle = _paces.Count / 2;
        return _paces.Count % 2 == 1 ? _paces[middle] : (_paces[middle - 1] + _paces[middle]) / 2;
    }
}
