using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Every figure of a run for machines, unrounded and in base units: seconds, joules, watts, dollars, shares of one.</summary>
internal static class SimulateFigures
{
    /// <summary>The tables.</summary>
    public static IEnumerable<Section> Of(RunReport run)
    {
        yield return Table("run", [run], Run());
        yield return Table("requests", [run.Requests], Requests(run));
        yield return Table("classes", run.Classes, Requests(run));
        yield return Table("tenants", run.Tenants, Requests(run));
        yield return Table("pool_requests", run.PoolRequests, Requests(run));
        yield return Table("replica_requests", run.ReplicaRequests, Requests(run));
        yield return Table("machines", [run.Machines], Machines(run, [run.Requests with { Name = run.Machines.Name }]));
        yield return Table("pools", run.Pools, Machines(run, run.PoolRequests));
        yield return Table("replicas", run.Replicas, Machines(run, run.ReplicaRequests));
        yield return Table("intervals", run.Intervals, [.. Stretch(), .. OfPool<IntervalReport>(one => one.All, one => one.Seconds)]);
        yield return Table("interval_pools", [.. PoolRows(run)], OfPools());
        yield return Histogram("ttft_histogram", run, one => one.TtftHistogram);
        yield return Histogram("tpot_histogram", run, one => one.TpotHistogram);
        yield return Table<(string Why, long Count)>(
            "reasons", run.Reasons, [new(Key("why"), one => Plain(SimulateSpell.Why(one.Why))), new(Key("requests"), one => Plain(one.Count))]);
        yield return Table<(double At, string What)>(
            "happenings", run.Happenings, [new(Key("at_s"), one => Plain(one.At)), new(Key("what"), one => Plain(one.What))]);
    }

    /// <summary>What an interval says of all requests.</summary>
    public static IReadOnlyList<Figure<IntervalReport>> Stretch() =>
    [
        Say<IntervalReport>("from_s", one => one.FromSeconds),
        Say<IntervalReport>("seconds", one => one.Seconds),
        Say<IntervalReport>("arrived", one => one.Arrived),
        Say<IntervalReport>("completed", one => one.Completed),
        Say<IntervalReport>("kept", one => one.Kept),
        Say<IntervalReport>("gateway_waiting", one => one.GatewayWaiting),
        Say<IntervalReport>("ttft_mean_s", one => one.MeanTtft),
        Say<IntervalReport>("tpot_mean_s", one => one.MeanTpot),
    ];

    /// <summary>What an interval says of machines.</summary>
    /// <param name="of">The machines of a row.</param>
    /// <param name="seconds">How long the row's interval lasted.</param>
    public static IReadOnlyList<Figure<T>> OfPool<T>(Func<T, IntervalPool> of, Func<T, double> seconds) =>
    [
        Say<T>("replicas", row => of(row).Replicas),
        Say<T>("running", row => of(row).Running),
        Say<T>("engine_waiting", row => of(row).EngineWaiting),
        Say<T>("kv_held_share", row => of(row).KvHeld),
        Say<T>("prompt_tokens_per_second", row => of(row).PromptTokensPerSecond),
        Say<T>("output_tokens_per_second", row => of(row).OutputTokensPerSecond),
        Say<T>("board_watts", row => of(row).BoardWatts),
        Say<T>("facility_watts", row => of(row).FacilityWatts),
        Say<T>("paid_usd", row => of(row).PaidUsd),
        Say<T>("usd_per_million_output_tokens_allocation", row => SimulateRates.UsdPerMillion(of(row), seconds(row))),
    ];

    /// <summary>What an interval says of one pool.</summary>
    private static IReadOnlyList<Figure<PoolStretch>> OfPools() =>
    [
        Say<PoolStretch>("from_s", row => row.Of.FromSeconds),
        Say<PoolStretch>("seconds", row => row.Of.Seconds),
        Say<PoolStretch>("pool", row => row.Pool),
        .. OfPool<PoolStretch>(row => row.In, row => row.Of.Seconds),
    ];

    private static IEnumerable<PoolStretch> PoolRows(RunReport run) =>
        run.Intervals.SelectMany(stretch => stretch.Pools.Select((pool, i) =>
            new PoolStretch(SimulateRates.PoolName(run, i), stretch, pool)));

    private static IReadOnlyList<Figure<RunReport>> Run() =>
    [
        Say<RunReport>("scenario", run => run.Name),
        Say<RunReport>("seed", run => run.Seed),
        Say<RunReport>("routing", run => run.Routing),
        Say<RunReport>("partial", run => run.Partial),
        Say<RunReport>("seconds", run => run.Seconds),
        Say<RunReport>("kept_share", run => run.Requests.KeptShare),
        Say<RunReport>("goodput_requests_per_second", run => run.Goodput),
        Say<RunReport>("output_tokens_per_second", run => run.OutputTokensPerSecond),
        Say<RunReport>("usd_per_million_output_tokens_allocation", run => run.UsdPerMillionOutput),
        Say<RunReport>("usd_per_million_output_tokens_usage", run => run.UsageUsdPerMillionOutput),
        Say<RunReport>("usd_per_million_tokens_allocation", run => run.UsdPerMillionTokens),
        Say<RunReport>("joules_per_output_token_board", run => run.BoardJoulesPerOutput),
        Say<RunReport>("joules_per_output_token_facility", run => run.FacilityJoulesPerOutput),
    ];

    private static IReadOnlyList<Figure<RequestReport>> Requests(RunReport run) =>
    [
        Say<RequestReport>("name", one => one.Name),
        Say<RequestReport>("priority", one => one.Class?.Priority),
        Say<RequestReport>("ttft_promise_s", one => one.Class?.TtftSeconds),
        Say<RequestReport>("tpot_promise_s", one => one.Class?.TpotSeconds),
        Say<RequestReport>("end_to_end_promise_s", one => one.Class?.EndToEndSeconds),
        Say<RequestReport>("deadline_s", one => one.Class?.DeadlineSeconds),
        Say<RequestReport>("max_wait_s", one => one.Class?.MaxWaitSeconds),
        Say<RequestReport>("max_waiting", one => one.Class?.MaxWaiting),
        Say<RequestReport>("fills_slack", one => one.Class?.FillsSlack),
        Say<RequestReport>("arrived", one => one.Requests.Arrived),
        Say<RequestReport>("completed", one => one.Requests.Completed),
        Say<RequestReport>("rejected", one => one.Requests.Rejected),
        Say<RequestReport>("shed", one => one.Requests.Shed),
        Say<RequestReport>("expired", one => one.Requests.Expired),
        Say<RequestReport>("failed", one => one.Requests.Failed),
        Say<RequestReport>("waiting", one => one.Requests.Waiting),
        Say<RequestReport>("running", one => one.Requests.Running),
        Say<RequestReport>("accounted", one => one.Requests.Accounted),
        Say<RequestReport>("kept", one => one.Kept),
        Say<RequestReport>("kept_share", one => one.KeptShare),
        Say<RequestReport>("goodput_requests_per_second", one => SimulateRates.Per(one.Kept, run.Seconds)),
        Say<RequestReport>("prompt_tokens", one => one.PromptTokens),
        Say<RequestReport>("cached_tokens", one => one.CachedTokens),
        Say<RequestReport>("prefix_hit_share", one => one.HitShare),
        Say<RequestReport>("output_tokens", one => one.OutputTokens),
        .. Times<RequestReport>("ttft", one => one.Ttft),
        .. Times<RequestReport>("tpot", one => one.Tpot),
        .. Times<RequestReport>("end_to_end", one => one.EndToEnd),
        .. Times<RequestReport>("gateway_wait", one => one.GatewayWait),
        Say<RequestReport>("preemptions", one => one.Preemptions),
        Say<RequestReport>("retries", one => one.Retries),
        Say<RequestReport>("usd_usage", one => one.UsageUsd),
        Say<RequestReport>("step_joules_board", one => one.StepJoules),
    ];

    private static IReadOnlyList<Figure<MachineReport>> Machines(RunReport run, IReadOnlyList<RequestReport> answered)
    {
        return
        [
            Say<MachineReport>("name", one => one.Name),
            Say<MachineReport>("what", one => one.What),
            Say<MachineReport>("billing", one => one.Billing),
            Say<MachineReport>("gpus", one => one.Gpus),
            Say<MachineReport>("mean_replicas", one => one.MeanReplicas),
            Say<MachineReport>("paid_gpu_hours", one => one.PaidGpuHours),
            Say<MachineReport>("paid_replica_seconds", one => one.PaidSeconds),
            Say<MachineReport>("ready_replica_seconds", one => one.ReadySeconds),
            Say<MachineReport>("busy_replica_seconds", one => one.BusySeconds),
            Say<MachineReport>("utilisation_share", one => one.Utilisation),
            Say<MachineReport>("usd_allocation", one => one.PaidUsd),
            Say<MachineReport>("usd_usage", one => one.UsageUsd),
            Say<MachineReport>("usd_per_million_output_tokens_allocation", one => SimulateRates.PerMillion(one.PaidUsd, Delivered(one))),
            Say<MachineReport>("usd_per_million_output_tokens_usage", one => SimulateRates.PerMillion(one.UsageUsd, Delivered(one))),
            Say<MachineReport>("step_joules_board", one => one.StepJoules),
            Say<MachineReport>("idle_joules_board", one => one.IdleJoules),
            Say<MachineReport>("joules_board", one => one.BoardJoules),
            Say<MachineReport>("joules_it", one => one.ItJoules),
            Say<MachineReport>("joules_facility", one => one.FacilityJoules),
            Say<MachineReport>("joules_per_output_token_board", one => SimulateRates.Per(one.BoardJoules, Delivered(one))),
            Say<MachineReport>("joules_per_output_token_it", one => SimulateRates.Per(one.ItJoules, Delivered(one))),
            Say<MachineReport>("joules_per_output_token_facility", one => SimulateRates.Per(one.FacilityJoules, Delivered(one))),
            Say<MachineReport>("mean_watts_per_gpu_board", one => SimulateRates.BoardWattsPerGpu(one)),
            Say<MachineReport>("mean_watts_facility", one => SimulateRates.Per(one.FacilityJoules, run.Seconds)),
            Say<MachineReport>("prompt_tokens_computed", one => one.PromptTokens),
            Say<MachineReport>("output_tokens_generated", one => one.OutputTokens),
            Say<MachineReport>("mean_kv_held_share", one => one.KvHeld),
            Say<MachineReport>("mean_batch_sequences", one => one.MeanBatch),
            .. Times<MachineReport>("token_gap", one => one.TokenGap),
            Say<MachineReport>("started", one => one.Started),
            Say<MachineReport>("lost", one => one.Lost),
        ];

        double Delivered(MachineReport one) => SimulateRates.Answered(answered, one.Name)?.OutputTokens ?? 0;
    }

    private static IEnumerable<Figure<T>> Times<T>(string of, Func<T, Spread> spread) =>
    [
        Say<T>($"{of}_count", one => spread(one).Count),
        Say<T>($"{of}_mean_s", one => spread(one).Mean),
        Say<T>($"{of}_p50_s", one => spread(one).P50),
        Say<T>($"{of}_p90_s", one => spread(one).P90),
        Say<T>($"{of}_p95_s", one => spread(one).P95),
        Say<T>($"{of}_p99_s", one => spread(one).P99),
        Say<T>($"{of}_max_s", one => spread(one).Max),
    ];

    private static Section Histogram(string key, RunReport run, Func<RequestReport, IReadOnlyList<(double UpTo, long Count)>> of)
    {
        (string By, IReadOnlyList<RequestReport> Of)[] groups =
        [
            ("all", [run.Requests]), ("class", run.Classes), ("tenant", run.Tenants),
            ("pool", run.PoolRequests), ("replica", run.ReplicaRequests),
        ];
        return Table<(string By, string Name, double UpTo, long Count)>(
            key,
            [.. groups.SelectMany(group => group.Of.SelectMany(one => of(one).Select(bar => (group.By, one.Name, bar.UpTo, bar.Count))))],
            [
                new(Key("by"), bar => Plain(bar.By)),
                new(Key("name"), bar => Plain(bar.Name)),
                new(Key("up_to_s"), bar => Plain(bar.UpTo)),
                new(Key("requests"), bar => Plain(bar.Count)),
            ]);
    }

    private static Figure<T> Say<T>(string key, Func<T, object?> value) => new(Key(key), one => Plain(value(one)));

    private static Column Key(string key) => new(key, key);

    /// <summary>A value for machines; one that is not finite has no figure.</summary>
    private static Cell Plain(object? value) => new(value is double number && !double.IsFinite(number) ? null : value, "");

    private static Section Table<T>(string key, IReadOnlyList<T> rows, IReadOnlyList<Figure<T>> figures) =>
        Figure<T>.Table(key, "", rows, figures, Audience.Machines);

    private readonly record struct PoolStretch(string Pool, IntervalReport Of, IntervalPool In);
}
