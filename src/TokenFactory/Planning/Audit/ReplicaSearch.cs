using TokenFactory.Fleet;
using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>A fleet with the fewest replicas that were found to keep the promises, and its runs.</summary>
/// <param name="Fleet">The fleet.</param>
/// <param name="Figures">By seed.</param>
/// <param name="Broken">The promise that it broke, as large as it may be; null where it keeps all.</param>
internal sealed record Found(AuditedFleet Fleet, IReadOnlyList<AuditFigures> Figures, string? Broken);

/// <summary>
/// Finds the fewest replicas with which a fleet keeps its promises, all else equal: bisection, pool by pool from the dearest on, which
/// takes it that more replicas never keep less. What the first seed found is held against the others, with a replica more where one of
/// them breaks.
/// </summary>
/// <param name="ground">Where fleets are tried.</param>
/// <param name="asked">Seeds and spares.</param>
internal sealed class ReplicaSearch(Ground ground, AuditAsked asked)
{
    private const int Rounds = 2;

    /// <summary>The fewest replicas under the first seed; null where it was stopped.</summary>
    /// <param name="most">The fleet with as many as it may have.</param>
    public Found? Fewest(AuditedFleet most)
    {
        var tried = new Dictionary<string, Ran>(StringComparer.Ordinal);
        int[] replicas = [.. most.Pools.Select(Needed)];
        if (Try(replicas) is not { } whole)
            return null;
        if (whole.Broken is not null)
            return new Found(most, [whole.Figures], whole.Broken);
        for (var (round, changed) = (0, true); round < Rounds && changed; round++)
        {
            changed = false;
            foreach (var pool in Dearest(most))
            {
                if (Least(replicas, pool) is not { } least)
                    return null;
                changed |= most.Pools.Count > 1 && least < replicas[pool];
                replicas[pool] = least;
            }
        }

        return Kept(replicas);

        Ran? Try(int[] counts)
        {
            var key = string.Join(',', counts);
            if (!tried.TryGetValue(key, out var ran) && ground.Try(most.With(counts), asked.Seeds[0]) is { } now)
                tried[key] = ran = now;
            return ran;
        }

        int? Least(int[] from, int pool)
        {
            var (counts, kept) = ((int[])[.. from], from[pool]);
            var broken = LeastOf(most, from, pool) - 1;
            while (kept - broken > 1)
            {
                counts[pool] = (kept + broken) / 2;
                if (Try(counts) is not { } ran)
                    return null;
                (kept, broken) = ran.Broken is null ? (counts[pool], broken) : (kept, counts[pool]);
            }

            return kept;
        }

        Found? Kept(int[] counts)
        {
            var fleet = most.With(Spared(most, counts));
            var ran = asked.Spare == 0 ? Try(counts) : ground.Try(fleet, asked.Seeds[0]);
            return ran is null ? null : new Found(fleet, [ran.Figures], null);
        }
    }

    /// <summary>The same under all seeds, with more replicas where one of them breaks; null where it was stopped.</summary>
    /// <param name="found">What the first seed found.</param>
    /// <param name="most">The fleet with as many replicas as it may have.</param>
    public Found? Confirmed(Found found, AuditedFleet most)
    {
        if (found.Broken is not null)
            return found;
        for (var fleet = found.Fleet; ; fleet = More(fleet, most))
        {
            if (AllSeeds(fleet) is not { } now)
                return null;
            if (now.Broken is null || fleet.Gpus >= most.Gpus)
                return now;
        }
    }

    /// <summary>A fleet as it stands under all seeds; null where it was stopped.</summary>
    public Found? AllSeeds(AuditedFleet fleet)
    {
        var figures = new List<AuditFigures>();
        foreach (var seed in asked.Seeds)
        {
            int[] needed = [.. fleet.Pools.Select(Needed)];
            if (ground.Try(fleet.With(needed), seed) is not { } ran)
                return null;
            var whole = asked.Spare == 0 || ran.Broken is not null ? ran : ground.Try(fleet, seed);
            if (whole is null)
                return null;
            figures.Add(whole.Figures);
            if (ran.Broken is not null)
                return new Found(fleet, figures, ran.Broken);
        }

        return new Found(fleet, figures, null);
    }

    /// <summary>A replica more in the pool that has the largest share of its replicas missing, at most as many as it may have.</summary>
    private static AuditedFleet More(AuditedFleet fleet, AuditedFleet most)
    {
        var next = Enumerable.Range(0, fleet.Pools.Count)
            .Where(i => fleet.Pools[i].Replicas < most.Pools[i].Replicas)
            .OrderBy(i => (double)fleet.Pools[i].Replicas / most.Pools[i].Replicas)
            .First();
        return fleet.With([.. fleet.Pools.Select((pool, i) => pool.Replicas + (i == next ? 1 : 0))]);
    }

    /// <summary>Replicas that must do without the spares; those of a scaled pool are the scaler's affair.</summary>
    private int Needed(PoolOrder pool) =>
        pool.Scaler is not null ? pool.Replicas : Math.Max(Math.Min(1, pool.Replicas), pool.Replicas - asked.Spare);

    private IReadOnlyList<int> Spared(AuditedFleet most, int[] counts) => [.. counts.Select((count, i) =>
        count == 0 || most.Pools[i].Scaler is not null ? count : Math.Min(most.Pools[i].Replicas, count + asked.Spare))];

    /// <summary>Pools by what a replica costs, the dearest first; those of a scaler are left to it.</summary>
    private static IEnumerable<int> Dearest(AuditedFleet fleet) => Enumerable.Range(0, fleet.Pools.Count)
        .Where(i => fleet.Pools[i].Scaler is null)
        .OrderByDescending(i => fleet.Pools[i].UsdPerGpuHour * fleet.Pools[i].Deployment.Gpus)
        .ThenByDescending(i => fleet.Pools[i].Deployment.Gpus);

    /// <summary>A pool may go where another of its role stays; of each role one stays.</summary>
    private static int LeastOf(AuditedFleet fleet, int[] replicas, int pool)
    {
        var role = fleet.Pools[pool].Role;
        var others = fleet.Pools.Where((other, i) => i != pool && other.Role == role && replicas[i] > 0);
        return role == ReplicaRole.Aggregated && others.Any() ? 0 : 1;
    }
}
