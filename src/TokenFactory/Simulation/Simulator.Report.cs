using TokenFactory.Engine;
using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <content>What the run came to.</content>
public sealed partial class Simulator
{
    private Sums PoolSums(int pool, Instant now)
    {
        var sums = default(Sums);
        foreach (var host in _poolHosts[pool])
            sums += Sums.Of(host, now);
        return sums;
    }

    private RunReport Report()
    {
        var pools = Enumerable.Range(0, _plan.Pools.Count).Select(Machines).ToList();
        var tenants = _fleet.Snapshot.Tenants;
        return new RunReport
        {
            Name = _plan.Name,
            Seed = _seed,
            Routing = _plan.Routing,
            Partial = _stopped,
            Seconds = _lastEvent.Seconds,
            Requests = _books.All(_backlog.Count),
            Classes = _books.Classes(index => _backlog.CountOf(index)),
            Tenants = _books.Tenants(tenant => tenant < tenants.Count ? tenants[tenant].Waiting : 0),
            PoolRequests = _books.Pools(),
            ReplicaRequests = [.. _hosts.Select(host => host.Tally.Report(0, 0))],
            Machines = Sum(pools),
            Pools = pools,
            Replicas = [.. _hosts.Select(host => Machine(host, pools[host.Pool]))],
            Intervals = _book.Report(),
            Happenings = _happenings,
            Reasons = _books.Reasons,
        };
    }

    private MachineReport Machines(int pool)
    {
        var plan = _plan.Pools[pool];
        var gaps = new TimeHistogram();
        foreach (var host in _poolHosts[pool])
            gaps.Add(host.Gaps(_lastEvent));

        var (it, facility) = _book.Joules[pool];
        return Of(plan, plan.Facts.Name, PoolSums(pool, _lastEvent), gaps) with
        {
            ReadySeconds = _poolHosts[pool].Sum(host => host.ReadySeconds(_lastEvent)),
            ItJoules = it,
            FacilityJoules = facility,
            KvHeld = _book.KvHeld(pool),
            Started = _poolHosts[pool].Count - plan.Replicas,
            Lost = _books.LostOf[pool],
        };
    }

    private MachineReport Machine(Host host, MachineReport pool)
    {
        // Hosts, network and cooling of a pool are shared by what boards draw.
        var sums = Sums.Of(host, _lastEvent);
        var share = pool.BoardJoules > 0 ? (sums.StepJoules + sums.IdleJoules) / pool.BoardJoules : 0;
        return Of(host.Plan, host.Name, sums, host.Gaps(_lastEvent)) with
        {
            ReadySeconds = host.ReadySeconds(_lastEvent),
            ItJoules = pool.ItJoules * share,
            FacilityJoules = pool.FacilityJoules * share,
            KvHeld = host.ReadySeconds(_lastEvent) is > 0 and var ready ? host.KvHeldSeconds / ready : 0,
        };
    }

    private MachineReport Of(PoolPlan plan, string name, Sums sums, TimeHistogram gaps)
    {
        var gpus = plan.Facts.Model.Deployment.Gpus;
        return new MachineReport
        {
            Name = name,
            What = plan.What,
            Billing = plan.Billing,
            Gpus = gpus,
            MeanReplicas = _lastEvent > Instant.Start ? sums.PaidSeconds / _lastEvent.Seconds : 0,
            PaidSeconds = sums.PaidSeconds,
            PaidGpuHours = sums.PaidSeconds / 3600 * gpus,
            BusySeconds = sums.BusySeconds,
            PaidUsd = sums.PaidSeconds / 3600 * plan.Facts.UsdPerHour,
            UsageUsd = sums.BusySeconds / 3600 * plan.Facts.UsdPerHour,
            StepJoules = sums.StepJoules,
            IdleJoules = sums.IdleJoules,
            PromptTokens = sums.PromptTokens,
            OutputTokens = sums.OutputTokens,
            MeanBatch = sums.BusySeconds > 0 ? sums.SequenceSeconds / sums.BusySeconds : 0,
            TokenGap = Tally.Of(gaps),
        };
    }

    private static MachineReport Sum(IReadOnlyList<MachineReport> pools)
    {
        var paid = pools.Sum(pool => pool.PaidSeconds);
        return new MachineReport
        {
            Name = "all",
            Gpus = (int)Math.Round(pools.Sum(pool => pool.MeanReplicas * pool.Gpus)),
            MeanReplicas = pools.Sum(pool => pool.MeanReplicas),
            PaidSeconds = paid,
            PaidGpuHours = pools.Sum(pool => pool.PaidGpuHours),
            ReadySeconds = pools.Sum(pool => pool.ReadySeconds),
            BusySeconds = pools.Sum(pool => pool.BusySeconds),
            PaidUsd = pools.Sum(pool => pool.PaidUsd),
            UsageUsd = pools.Sum(pool => pool.UsageUsd),
            StepJoules = pools.Sum(pool => pool.StepJoules),
            IdleJoules = pools.Sum(pool => pool.IdleJoules),
            ItJoules = pools.Sum(pool => pool.ItJoules),
            FacilityJoules = pools.Sum(pool => pool.FacilityJoules),
            PromptTokens = pools.Sum(pool => pool.PromptTokens),
            OutputTokens = pools.Sum(pool => pool.OutputTokens),
            KvHeld = paid > 0 ? pools.Sum(pool => pool.KvHeld * pool.PaidSeconds) / paid : 0,
            MeanBatch = pools.Sum(pool => pool.BusySeconds) is > 0 and var busy ? pools.Sum(pool => pool.MeanBatch * pool.BusySeconds) / busy : 0,
            TokenGap = pools.Count == 1 ? pools[0].TokenGap : default,
            Started = pools.Sum(pool => pool.Started),
            Lost = pools.Sum(pool => pool.Lost),
        };
    }
}
