using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>A scenario as read: the plan and what was assumed where the file says nothing.</summary>
/// <param name="Plan">The fleet, its traffic and its policies.</param>
/// <param name="Seed">The seed that the file names.</param>
/// <param name="Assumed">What was assumed.</param>
/// <param name="Prices">Where prices come from, a line per pool.</param>
/// <param name="Orders">The pools as the file asks for them, in its order: what variants of the fleet are made from.</param>
/// <param name="Routers">Routing policies by name, with the scenario's limits.</param>
/// <param name="Remarks">What is to be told of what the file says, a sentence each.</param>
/// <param name="File">What was read.</param>
internal sealed record SimulateScenario(
    FleetPlan Plan,
    ulong Seed,
    IReadOnlyList<string> Assumed,
    IReadOnlyList<SimulatePrice> Prices,
    IReadOnlyList<PoolOrder> Orders,
    Func<string, Func<IRouter>> Routers,
    IReadOnlyList<string> Remarks,
    Settings File);

/// <summary>Reads a scenario; every mistake is noted with its line before time starts.</summary>
internal sealed class SimulateInput(Settings file, CatalogContents catalog, CalibrationInput calibration, DateOnly today)
{
    private static readonly string[] Routers =
        ["marginal-cost", "round-robin", "least-outstanding", "power-of-two", "prefix-affinity"];

    /// <summary>The scenario.</summary>
    /// <exception cref="Refusal">Something is wrong; all mistakes at once.</exception>
    public SimulateScenario Read()
    {
        var name = file.Text("name") ?? Path.GetFileNameWithoutExtension(file.Name);
        var seed = (ulong)(file.Whole("seed", 0) ?? 1);
        var pools = new SimulatePools(catalog, calibration, today);
        file.Require("pools", "Give one pool of replicas or more; see docs/guide/simulate.md");
        IReadOnlyList<PoolOrder> orders = [.. file.Items("pools").Select(pools.Read).OfType<PoolOrder>()];
        IReadOnlyList<PoolPlan> plans = [.. orders.Select(order => order.Plan())];
        CheckPools(file.Items("pools"));
        file.Require("workload", "Say what is sent; see docs/guide/workload.md");
        var sent = file.Item("workload");
        sent?.Has(SimulateContext.Key);
        var workload = sent is not null ? WorkloadInput.Read(sent) : null;
        var classes = Classes(workload);
        var policies = file.Item("policies");
        var eligibility = Eligible(policies);
        var (routing, routers) = Router(policies, eligibility);
        var recovery = Recover(policies);
        var faults = new SimulateFaults(
            [.. file.Items("pools").Select(pool => pool.Text("name") ?? "")],
            Roles(file.Items("pools"))).Read(file);
        var stop = file.Number("stop_s", double.Epsilon, 1e9);
        var report = file.Number("report_s", 0, 1e6) ?? 5;
        var scale = file.Number("scale_s", 0.1, 1e6) ?? 15;
        if (workload is not null)
            SimulateContext.Check(workload, plans, sent!);
        file.Has(AuditInput.Key);
        file.RefuseUnknownKeys();
        Refusal.IfAny(file.Mistakes);
        var plan = new FleetPlan
        {
            Name = name,
            Pools = plans,
            Classes = classes,
            Traffic = workload!.Traffic,
            Router = routers(routing),
            Routing = routing,
            Fill = new BatchFill(eligibility),
            Recovery = recovery,
            Faults = faults,
            StopSeconds = stop,
            ReportSeconds = report,
            ScaleSeconds = scale,
        };
        return new SimulateScenario(plan, seed, pools.Assumed, pools.Prices, orders, routers, pools.Remarks, file);
    }

    /// <summary>What pools are among each other, also where one of them is wrong in itself.</summary>
    private void CheckPools(IReadOnlyList<Settings> pools)
    {
        foreach (var twin in pools.GroupBy(pool => pool.Text("name") ?? "", StringComparer.Ordinal).Where(same => same.Key.Length > 0))
        {
            foreach (var pool in twin.Skip(1))
                pool.Note("name", $"is '{twin.Key}' a second time", "Give each pool its own name");
        }

        var roles = Roles(pools);
        if (roles.Contains(ReplicaRole.Prefill) != roles.Contains(ReplicaRole.Decode))
        {
            var (has, lacks) = roles.Contains(ReplicaRole.Prefill) ? ("prefill", "decode") : ("decode", "prefill");
            file.Note("pools", $"has a pool of role {has} and none of role {lacks}", $"Add a pool with 'role: {lacks}'");
        }
    }

    private static HashSet<ReplicaRole> Roles(IReadOnlyList<Settings> pools) =>
        [.. pools.Select(SimulatePools.RoleOf).OfType<ReplicaRole>()];

    private List<ServiceClass> Classes(WorkloadInput? workload)
    {
        var classes = new List<ServiceClass>();
        foreach (var item in file.Items("classes"))
        {
            item.Require("name", "Name the class as streams of the workload do");
            var name = item.Text("name") ?? "";
            if (name.Length > 0 && classes.Exists(one => one.Name == name))
                item.Note("name", $"is '{name}' a second time", "Give every class its own");
            if (name.Length > 0 && workload is not null && !workload.Classes.Any(sent => sent.Name == name))
            {
                var sent = string.Join(", ", workload.Classes.Select(one => one.Name));
                item.Note(
                    "name",
                    $"is '{name}', and no stream of the workload sends that class",
                    $"The workload sends {sent}{Remedy(file.Item("workload")!, name)}");
            }

            classes.Add(Class(item, name));
        }

        foreach (var sent in workload?.Classes ?? [])
        {
            if (!classes.Exists(one => one.Name == sent.Name))
                classes.Add(new ServiceClass(sent.Name));
        }

        if (classes.Count > 64)
            file.Note("classes", $"are {classes.Count} with those of the workload", "Give at most 64");
        return classes;
    }

    /// <summary>A class with its promises.</summary>
    internal static ServiceClass Class(Settings item, string name) => new(name)
    {
        Priority = item.Whole("priority", 0) ?? 0,
        TtftSeconds = item.Number("ttft_s", double.Epsilon, 1e9),
        TpotSeconds = item.Number("tpot_ms", double.Epsilon, 1e9) / 1e3,
        EndToEndSeconds = item.Number("end_to_end_s", double.Epsilon, 1e9),
        DeadlineSeconds = item.Number("deadline_s", double.Epsilon, 1e9),
        MaxWaitSeconds = item.Number("max_wait_s", double.Epsilon, 1e9),
        MaxWaiting = item.Whole("max_waiting", 1),
        FillsSlack = Truth(item, "fills_slack"),
    };

    /// <summary>A trace without classes takes any.</summary>
    private static string Remedy(Settings workload, string name) =>
        workload.Has("trace") && !workload.Has("class")
            ? $". Take the class out, or give all rows of the trace this one with 'class: {name}' (--set workload.class={name})"
            : "";

    internal static Eligibility Eligible(Settings? policies) => new()
    {
        QueueShare = policies?.Number("queue_share", 0, 100) ?? new Eligibility().QueueShare,
        StaleSeconds = policies?.Number("stale_s", double.Epsilon, 1e9) ?? new Eligibility().StaleSeconds,
    };

    /// <summary>The routing that a mapping of policies names, with its settings.</summary>
    internal static (string Name, Func<IRouter> Router) Router(Settings? policies)
    {
        var (name, routers) = Router(policies, Eligible(policies));
        return (name, routers(name));
    }

    private static (string Name, Func<string, Func<IRouter>> Routers) Router(Settings? policies, Eligibility eligibility)
    {
        var name = policies?.Text("routing") ?? Routers[0];
        var margin = policies?.Number("margin", double.Epsilon, 1);
        if (!Routers.Contains(name))
            policies!.Note("routing", $"is '{name}'", $"Write one of {string.Join(", ", Routers)}");
        return (name, called => called switch
        {
            "round-robin" => () => new RoundRobinRouter(eligibility),
            "least-outstanding" => () => new LeastOutstandingRouter(eligibility),
            "power-of-two" => () => new PowerOfTwoRouter(eligibility),
            "prefix-affinity" => () => new PrefixAffinityRouter(eligibility),
            _ => () => margin is { } share ? new MarginalCostRouter(eligibility) { Margin = share } : new MarginalCostRouter(eligibility),
        });
    }

    internal static Recovery Recover(Settings? policies)
    {
        var usual = new Recovery();
        return new Recovery
        {
            MaxAttempts = policies?.Whole("max_attempts", 1) ?? usual.MaxAttempts,
            MaxRetryShare = policies?.Number("max_retry_share", 0, 1) ?? usual.MaxRetryShare,
            ContinueAnswers = policies is null || Truth(policies, "continue_answers", usual.ContinueAnswers),
        };
    }

    /// <summary>A truth value of a file.</summary>
    internal static bool Truth(Settings settings, string key, bool otherwise = false)
    {
        if (settings.Text(key) is not { } text)
            return otherwise;
        if (text is "true" or "yes" or "on")
            return true;
        if (text is not ("false" or "no" or "off"))
            settings.Note(key, $"is '{text}'", "Write true or false");
        return false;
    }
}
