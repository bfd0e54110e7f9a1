using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Planning.Audit;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Tests.Performance;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Planning.Audit;

/// <summary>Each lever on a small fleet where the sign of its effect is known, where it is pulled already, and where it means nothing.</summary>
public sealed class LeverTests
{
    [Fact]
    public void Continuous_batching_saves_where_answers_differ_in_length()
    {
        var batch = new OpenPlan
        {
            Name = "batch",
            Class = "chat",
            Arrivals = new ArrivalPlan(ArrivalKind.AtOnce, new RateCurve { PerSecond = 1 }),
            Lengths = new PairedLengths(new Constant(300), new Uniform(5, 300)),
            Requests = 200,
        };
        var fleet = Audits.Fleet(1, pool => pool with { Engine = Settings(pool) with { StaticBatches = true, MaxSequences = 16 } }, batch, new ServiceClass("chat"));
        var lever = Audits.Judge(fleet, "batching");
        Assert.Equal((LeverState.Off, LeverVerdict.Saves), (lever.State, lever.Verdict));
        Assert.InRange(lever.Saving, 0.3, 0.9);
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(), "batching").State);
    }

    [Fact]
    public void More_places_save_where_there_are_too_few_and_nothing_where_there_are_enough()
    {
        var few = Audits.Judge(Audits.Fleet(8, pool => Redeployed(pool, pool.Deployment with { MaxSequences = 4 })), "max-sequences");
        Assert.Equal((LeverState.Off, LeverVerdict.Saves), (few.State, few.Verdict));
        var enough = Audits.Judge(Audits.Fleet(2, pool => Redeployed(pool, pool.Deployment with { MaxSequences = 512 })), "max-sequences");
        Assert.Equal((LeverState.On, LeverVerdict.NoSaving), (enough.State, enough.Verdict));
        Assert.Contains("no better: max_sequences: 1024", enough.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Prefix_caching_saves_where_prompts_begin_alike_and_means_nothing_where_they_do_not()
    {
        static PoolOrder Without(PoolOrder pool) => pool with { Engine = Settings(pool) with { PrefixCaching = false } };
        var alike = Audits.Judge(Audits.Fleet(6, Without, Audits.Chat with { SystemPromptTokens = 6000 }), "prefix-caching");
        Assert.Equal((LeverState.Off, LeverVerdict.Saves), (alike.State, alike.Verdict));
        Assert.InRange(alike.Best!.Figures[0].HitShare, 0.5, 1);
        var unlike = Audits.Judge(Audits.Fleet(3, Without, Audits.Chat with { SystemPromptTokens = 0 }), "prefix-caching");
        Assert.Equal((LeverState.NotApplicable, "no prompt begins like an earlier one"), (unlike.State, unlike.Reason));
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(), "prefix-caching").State);
    }

    [Fact]
    public void Offload_comes_after_prefix_caching_and_is_on_where_host_memory_is_given()
    {
        var without = Audits.Judge(Audits.Fleet(2, pool => pool with { Engine = Settings(pool) with { PrefixCaching = false } }), "kv-offload");
        Assert.Equal(LeverState.NotApplicable, without.State);
        Assert.Contains("prefix caching comes first", without.Reason, StringComparison.Ordinal);
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(2, pool => pool with { Engine = Settings(pool) with { HostBytes = 1e9 } }), "kv-offload").State);
    }

    [Fact]
    public void Eight_bits_save_on_a_gpu_that_multiplies_them_and_are_on_where_weights_have_them()
    {
        var wide = Audits.Judge(Audits.Fleet(5), "eight-bit-weights");
        Assert.Equal((LeverState.Off, LeverVerdict.Saves), (wide.State, wide.Verdict));
        Assert.StartsWith("precision: fp8", wide.Best!.What, StringComparison.Ordinal);
        var narrow = Serving.Deploy("llama-3.1-8b", "h100-sxm", NumberFormat.Fp8);
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(2, pool => Redeployed(pool, narrow)), "eight-bit-weights").State);
    }

    [Fact]
    public void Four_bits_are_told_and_kept_out_of_the_total_unless_allowed()
    {
        var fleet = Audits.Fleet(4, pool => Redeployed(pool, Serving.Deploy("llama-3.1-8b", "b200", NumberFormat.Bf16)));
        var audit = Auditor.Run(fleet, Audits.Only("four-bit-weights"));
        var lever = audit.Of("four-bit-weights");
        Assert.Equal("precision: nvfp4", lever.Best!.What);
        Assert.Contains("four_bits: true", lever.Barred, StringComparison.Ordinal);
        Assert.Null(audit.Best);
        var allowed = Auditor.Run(fleet, Audits.Only("four-bit-weights") with { FourBits = true });
        Assert.Null(allowed.Of("four-bit-weights").Barred);
    }

    [Fact]
    public void A_cache_in_eight_bits_is_on_off_or_impossible_by_the_gpu()
    {
        Assert.Equal(LeverState.Off, Audits.Judge(Audits.Fleet(2), "kv-precision").State);
        var a100 = Audits.Judge(Audits.Fleet(4, pool => Redeployed(pool, Serving.Deploy("llama-3.1-8b", "a100-sxm-80gb"))), "kv-precision");
        Assert.Equal(LeverState.NotApplicable, a100.State);
        Assert.Contains("does not multiply eight bits", a100.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Drafts_save_where_most_of_them_are_accepted_and_not_where_none_is()
    {
        var slow = new ServiceClass("chat") { TtftSeconds = 2, TpotSeconds = 0.012 };
        var fleet = Audits.Fleet(6, stream: Audits.Chat with { Lengths = new PairedLengths(new Constant(100), new Constant(200)) }, classes: slow);
        Assert.Equal(LeverVerdict.Saves, Audits.Judge(fleet, "speculative-decoding", Audits.Asked with { Acceptance = 0.9 }).Verdict);
        Assert.NotEqual(LeverVerdict.Saves, Audits.Judge(fleet, "speculative-decoding", Audits.Asked with { Acceptance = 0 }).Verdict);
        var on = SmallOne with { Speculation = new SpeculativeDecoding(3, 0.7) };
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(2, pool => Redeployed(pool, on)), "speculative-decoding").State);
    }

    [Fact]
    public void Experts_are_for_models_that_have_them_on_more_than_one_gpu()
    {
        Assert.Contains("has no experts", Audits.Judge(Audits.Fleet(2), "expert-parallelism").Reason, StringComparison.Ordinal);
        var one = Serving.Deploy("qwen3-30b-a3b", "h200-sxm", NumberFormat.Fp8);
        Assert.Contains("one GPU", Audits.Judge(Audits.Fleet(3, pool => Redeployed(pool, one)), "expert-parallelism").Reason, StringComparison.Ordinal);
        var sliced = Audits.Judge(Audits.Fleet(2, pool => Redeployed(pool, Serving.Deploy("qwen3-30b-a3b", "h200-sxm", NumberFormat.Fp8, tp: 2))), "expert-parallelism");
        Assert.Equal(LeverState.Off, sliced.State);
        Assert.Contains("within a domain of 8", sliced.Reason, StringComparison.Ordinal);
        Assert.Equal(2, sliced.Tried.Count);
        var spread = Serving.Deploy("qwen3-30b-a3b", "h200-sxm", NumberFormat.Fp8, dp: 2, ep: 2);
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(2, pool => Redeployed(pool, spread)), "expert-parallelism").State);
    }

    [Fact]
    public void Splitting_saves_where_long_prompts_break_the_promise_per_token()
    {
        var reading = new OpenPlan
        {
            Name = "reading",
            Class = "chat",
            Arrivals = ArrivalPlan.Poisson(12),
            Lengths = new PairedLengths(new Uniform(8000, 16_000), new Uniform(100, 300)),
            Requests = 400,
        };
        var tight = new ServiceClass("chat") { TtftSeconds = 5, TpotSeconds = 0.03 };
        var lever = Audits.Judge(Audits.Fleet(12, stream: reading, classes: tight), "disaggregation");
        Assert.Equal((LeverState.Off, LeverVerdict.Saves), (lever.State, lever.Verdict));
        Assert.Matches("^[0-9]+ prefill \\+ [0-9]+ decode$", lever.Best!.What);
        Assert.Equal([ReplicaRole.Prefill, ReplicaRole.Decode], lever.Best.Fleet.Pools.Select(pool => pool.Role));
        Assert.Contains("two replicas at least", Audits.Judge(Audits.Fleet(1), "disaggregation").Reason, StringComparison.Ordinal);
        Assert.Equal(LeverState.On, Audits.Judge(lever.Best.Fleet with { Policies = Audits.Fleet().Policies }, "disaggregation").State);
    }

    [Fact]
    public void Routing_by_caches_saves_where_tenants_have_prompts_of_their_own()
    {
        var tenants = Enumerable.Range(0, 12).Select(i => Audits.Chat with
        {
            Name = $"tenant {i}",
            Arrivals = ArrivalPlan.Poisson(2),
            SystemPromptTokens = 12_000,
            Requests = 60,
        }).ToList();
        var fleet = Audits.Fleet(8);
        fleet = fleet with { Policies = fleet.Policies with { Traffic = seed => new MergedTraffic([.. tenants.Select(one => one.Traffic(seed))]) } };
        var lever = Audits.Judge(fleet, "routing");
        Assert.Equal((LeverState.Off, LeverVerdict.Saves), (lever.State, lever.Verdict));
        Assert.True(lever.Best!.Figures[0].HitShare > lever.Against[0].HitShare);
        Assert.Equal(LeverState.NotApplicable, Audits.Judge(Audits.Fleet(1), "routing").State);
        var aware = Audits.Fleet() with { Policies = Audits.Fleet().Policies with { Routing = "marginal-cost", Router = () => new MarginalCostRouter() } };
        Assert.Equal((LeverState.On, "marginal-cost"), (Audits.Judge(aware, "routing").State, Audits.Judge(aware, "routing").Reason));
    }

    [Fact]
    public void Batch_work_fills_slack_only_where_some_can_wait_beside_some_who_cannot()
    {
        Assert.Contains("no class can wait", Audits.Judge(Audits.Fleet(), "backfill").Reason, StringComparison.Ordinal);
        Assert.Contains("no class is in a hurry", Audits.Judge(Audits.Fleet(1, classes: new ServiceClass("chat") { DeadlineSeconds = 900 }), "backfill").Reason, StringComparison.Ordinal);
        var batch = new ServiceClass("batch") { DeadlineSeconds = 600 };
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(4, classes: [Audits.Promised, batch with { FillsSlack = true }]), "backfill").State);
        var off = Audits.Judge(Audits.Fleet(4, classes: [Audits.Promised, batch]), "backfill");
        Assert.Equal(LeverState.Off, off.State);
        Assert.Equal("fills_slack: true of batch", off.Best!.What);
        Assert.True(off.Best.Fleet.Policies.Classes[1] is { FillsSlack: true, Priority: 1 });
    }

    [Fact]
    public void A_power_cap_saves_watts_and_no_dollars()
    {
        var lever = Audits.Judge(Audits.Fleet(3), "power-cap");
        Assert.Equal(LeverVerdict.SavesWatts, lever.Verdict);
        Assert.InRange(lever.Gain, 0.01, 0.4);
        Assert.InRange(lever.Saving, -AuditJudgement.SameCost, AuditJudgement.LeastSaving);
        var capped = SmallOne with { PowerCap = new Watts(500) };
        Assert.Equal((LeverState.On, "500 W"), (Audits.Judge(Audits.Fleet(2, pool => Redeployed(pool, capped)), "power-cap") is var on ? (on.State, on.Reason) : default));
    }

    [Fact]
    public void A_commitment_saves_what_its_price_does_and_scaled_pools_have_none()
    {
        var lever = Audits.Judge(Audits.Fleet(3), "commitment");
        Assert.Equal(0.3, lever.Saving, 6); // $1.40 instead of $2
        Assert.Equal("reserved-1y", lever.Best!.Fleet.Pools[0].Billing);
        Assert.Equal(LeverState.NotApplicable, Audits.Judge(Audits.Fleet(3), "long-commitment").State); // nobody offers one
        Assert.Equal(LeverState.On, Audits.Judge(Audits.Fleet(3, pool => pool with { Billing = "owned" }), "commitment").State);
        var scaled = Audits.Fleet(3, pool => pool with { Scaler = () => new TargetUtilisationScaler(), Least = 1, Most = 4 });
        Assert.Contains("scales with the load", Audits.Judge(scaled, "commitment").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Spot_pays_for_spares_and_survives_a_loss()
    {
        var terms = new SpotTerms(4, 1);
        var lever = Audits.Judge(Audits.Fleet(4), "spot", Audits.Asked with { Spot = terms });
        Assert.Equal(LeverVerdict.Saves, lever.Verdict);
        var fleet = lever.Best!.Fleet;
        var needed = fleet.Pools[0].Replicas;
        Assert.Equal(terms.PaidFor(needed, 0.99) * 0.8, fleet.UsdPerHour, 9);
        Assert.True(fleet.UsdPerHour > needed * 0.8);
        var crash = Assert.IsType<Crashes>(Assert.Single(fleet.Policies.Faults));
        Assert.Equal(1, Simulator.Run(fleet.Plan(), 1).Machines.Lost);
        Assert.InRange(crash.AtSeconds[0], 1, 60);
    }

    [Theory]
    [InlineData(1, 0.95, 1.6)] // two asked for: at least one is there 96 % of the time
    [InlineData(1, 0.5, 1)] // one is there 80 % of the time, and one is paid
    [InlineData(4, 0.95, 5.6)] // seven: 96.7 %
    [InlineData(10, 0.5, 10)] // twelve are 9.6 on average, and ten are paid at least
    public void Spares_follow_from_the_binomial_tail(int needed, double share, double paid) =>
        Assert.Equal(paid, new SpotTerms(4, 1).PaidFor(needed, share), 9);

    [Fact]
    public void Scaling_follows_a_day_and_not_ten_minutes()
    {
        Assert.Contains("too short to scale by", Audits.Judge(Audits.Fleet(), "scaling").Reason, StringComparison.Ordinal);
        var day = Audits.Chat with
        {
            Arrivals = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = 3, Daily = new Diurnal(20, 14_400, 3600) }),
            Lengths = new PairedLengths(new Uniform(3000, 6000), new Uniform(200, 600)),
            Requests = 40_000,
        };
        var fleet = Audits.Fleet(6, stream: day, classes: new ServiceClass("chat") { TtftSeconds = 3, TpotSeconds = 0.04 });
        var lever = Audits.Judge(fleet, "scaling", Audits.Asked with { Seeds = [1], KeptShare = 0.95 });
        Assert.Equal(LeverState.Off, lever.State);
        Assert.Equal(LeverVerdict.Saves, lever.Verdict);
        var scaled = Audits.Fleet(2, pool => pool with { Scaler = () => new PredictiveScaler(), Least = 1, Most = 4 });
        Assert.Equal(LeverState.On, Audits.Judge(scaled, "scaling").State);
    }

    [Fact]
    public void Another_gpu_is_tried_only_where_it_is_named()
    {
        Assert.Equal(LeverState.NotApplicable, Audits.Judge(Audits.Fleet(), "gpu").State);
        var asked = Audits.Asked with { Gpus = [Serving.Gpu("l40s")], GpuPrices = (_, billing) => billing == "on-demand" ? 0.4 : null };
        var lever = Audits.Judge(Audits.Fleet(3), "gpu", asked);
        Assert.Equal((LeverState.Off, "gpu: l40s"), (lever.State, lever.Tried[0].What));
        Assert.Equal("l40s", lever.Best!.Fleet.Pools[0].Deployment.Gpu.Key);
        Assert.Equal(0.4, lever.Best.Fleet.Pools[0].UsdPerGpuHour);
    }

    [Fact]
    public void Fewer_gpus_per_replica_are_tried_at_no_more_than_the_cost()
    {
        var two = Serving.Deploy("llama-3.1-8b", "h100-sxm", tp: 2);
        var lever = Audits.Judge(Audits.Fleet(4, pool => Redeployed(pool, two)), "tensor-parallelism");
        Assert.Equal("tp: 1", lever.Tried[0].What);
        Assert.All(lever.Tried, trial => Assert.True(trial.Fleet.Gpus <= 8));
    }

    private static Deployment SmallOne => Tests.Simulation.Fleets.Small;

    private static EngineSettings Settings(PoolOrder pool) => EngineSettings.Of(pool.Deployment);

    private static PoolOrder Redeployed(PoolOrder pool, Deployment deployment) =>
        pool with { Model = Audits.Asked.Models(deployment, false)!, Engine = EngineSettings.Of(deployment) };
}
