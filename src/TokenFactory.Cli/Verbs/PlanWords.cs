using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;

namespace TokenFactory.Cli.Verbs;

/// <summary>Plans in words.</summary>
internal static class PlanWords
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>The plan in sentences.</summary>
    public static IEnumerable<string> Answer(PlanAnswer answer, Finalist best)
    {
        yield return $"{Fleet(best)}: {Spell.Dollars(best.PaidUsdPerHour)} an hour "
            + $"({Spell.Dollars(best.PaidUsdPerHour * PlanLimits.HoursPerMonth)} a month), "
            + $"{Spell.Dollars(best.UsdPerMillionOutput)} per million output tokens, "
            + $"{Spell.Number(best.OutputTokensPerJoule)} output tokens per second and watt at the facility's meter.";
        if (answer.Ask.Objective == PlanObjective.Profit)
            yield return $"It serves {Spell.Number(best.Served.OutputTokensPerSecond)} output tokens a second "
                + $"and earns {Spell.Dollars(best.Served.RevenueUsdPerHour - best.PaidUsdPerHour)} an hour "
                + $"after its GPUs, of {Spell.Dollars(best.Served.RevenueUsdPerHour)} taken in. "
                + "Sized in closed form: the twin was not asked.";
        if (best.Runs.Count > 0)
            yield return Kept(best);
        if (answer.Finalists.Skip(1).FirstOrDefault(fleet => fleet.Kept) is { } next && best.PaidUsdPerHour > 0)
            yield return $"Next: {Fleet(next)}, {Spell.Change((next.PaidUsdPerHour / best.PaidUsdPerHour) - 1)} in dollars.";
    }

    /// <summary>Why there is no plan.</summary>
    public static IEnumerable<string> Infeasible(PlanAnswer answer)
    {
        yield return "No fleet of what is on offer does this.";
        foreach (var one in answer.Infeasible)
            yield return Obstacle(answer, one);
    }

    private static string Kept(Finalist best)
    {
        var promises = best.Runs.SelectMany(run => run.Promises).ToList();
        if (promises.Count == 0)
            return "Nothing is promised: the fleet just keeps up.";
        var nearest = promises.MaxBy(promise => promise.Seconds * promise.Margin / promise.Promised);
        return $"The twin replayed {best.Runs.Sum(run => run.Report.Requests.Requests.Arrived):N0} requests "
            + "and every promise was kept; nearest to its limit is "
            + $"the {Time(nearest.Time)} of {nearest.Class}: "
            + $"{Spell.Number(nearest.Seconds * 1e3)} of {Spell.Number(nearest.Promised * 1e3)} ms"
            + (nearest.Share < 1 ? $" at p{nearest.Share * 100:0}." : ".");
    }

    private static string Obstacle(PlanAnswer answer, Infeasibility one)
    {
        var who = one.Class.Length > 0 ? $" of {one.Class}"
            : one.Service is { Length: > 0 } service and not "default" ? $" of {service}"
            : "";
        var on = one.On.Length > 0 ? $" (on {one.On})" : "";
        return one.Obstacle switch
        {
            Planning.Obstacle.Memory =>
                $"The model{who} fits on nothing that is on offer: "
                + "give more GPUs per replica, fewer bits, or GPUs with more memory.",
            Planning.Obstacle.Context =>
                $"A request{who} has {Spell.Number(one.Needed ?? 0)} tokens, "
                + $"prompt and answer, and {one.On} is made for {Spell.Number(one.Given)}: "
                + "name a model with a longer context, or have such requests rejected with 'too_long: reject' under workload.",
            Planning.Obstacle.Ttft or Planning.Obstacle.Tpot or Planning.Obstacle.EndToEnd =>
                $"The promise on the {Time(one.Obstacle)}{who} cannot be kept even for a lone request: {Milliseconds(one.Given)} promised, "
                + $"{(one.Needed is { } least ? Milliseconds(least) : "nothing")} is the least{on}.",
            Planning.Obstacle.Twin =>
                "Fleets that keep the promises in closed form break them in the twin, "
                + "also at five times the size, or as large as the limits allow. "
                + Nearest(answer),
            Planning.Obstacle.Demand =>
                $"With every limit as it is, {Spell.Percent(Math.Max(0, one.Needed ?? 0))} of the demand can be served.",
            Planning.Obstacle.Spot =>
                $"Only spot could serve {one.Class}, and it is gone more often than its promise tolerates: "
                + "allow on-demand, or relax the percentile.",
            Planning.Obstacle.Machines =>
                $"No machine on offer holds a replica that keeps the promise to {one.Class}: "
                + "offer larger machines (gpus_per_instance), "
                + "or pools of prompts and answers side by side.",
            Planning.Obstacle.Stock =>
                $"There are {one.Given:N0} GPUs{on}; "
                + $"the least that works is {Known(one.Needed, needed => needed.ToString("N0", Invariant))}.",
            Planning.Obstacle.Budget =>
                $"The budget is {Spell.Dollars(one.Given)} a month; "
                + $"the least that works is {Known(one.Needed, Spell.Dollars)}.",
            _ => $"The site has {Spell.Number(one.Given / 1e3)} kW at its meter{Carbon(answer.Ask.Limits)}; the least that works is "
                + $"{Known(one.Needed, needed => $"{Spell.Number(needed / 1e3)} kW")}.",
        };

        static string Known(double? needed, Func<double, string> spell) => needed is { } number ? spell(number) : "not known";
    }

    /// <summary>Says so where the limit on power follows from the one on carbon.</summary>
    private static string Carbon(PlanLimits limits) => limits.MostWatts < (limits.FacilityWatts ?? double.PositiveInfinity)
        ? $", by {Spell.Number(limits.CarbonKgPerMonth!.Value)} kg of CO2 a month"
        : "";

    /// <summary>The fleet that came nearest to keeping every promise in the twin, and what it breaks.</summary>
    private static string Nearest(PlanAnswer answer)
    {
        var best = answer.Finalists.Where(fleet => fleet.Runs.Count > 0).MinBy(fleet => Broken(fleet).Sum(Over) + Unanswered(fleet))!;
        var broken = Broken(best).Select(promise =>
            $"{Time(promise.Time)} of {promise.Class} "
                + $"{Spell.Number(promise.Seconds * 1e3)} of {Spell.Number(promise.Promised * 1e3)} ms").ToList();
        if (Unanswered(best) > 0)
            broken.Add(
                $"{Spell.Percent(Unanswered(best))} of the requests never answered: "
                + "too long for the model or the memory, or given up");
        return $"Nearest came {Fleet(best)}: {string.Join(", ", broken)}. Relax what is broken, or offer faster GPUs.";

        static List<PromiseKept> Broken(Finalist fleet) => [.. fleet.Runs.SelectMany(run => run.Promises).Where(promise => !promise.Kept)];

        static double Over(PromiseKept promise) => (promise.Seconds / promise.Promised) - 1;

        static double Unanswered(Finalist fleet) =>
            fleet.Runs.Max(run =>
                1 - ((double)run.Report.Requests.Requests.Completed / Math.Max(1, run.Report.Requests.Requests.Arrived)));
    }

    private static string Milliseconds(double seconds) => $"{Spell.Number(seconds * 1e3)} ms";

    private static string Time(Obstacle obstacle) => Time(obstacle switch
    {
        Planning.Obstacle.Ttft => "ttft",
        Planning.Obstacle.Tpot => "tpot",
        _ => "end_to_end",
    });

    /// <summary>A promised time in words.</summary>
    public static string Time(string time) => time switch
    {
        "ttft" => "time to the first token",
        "tpot" => "time per token after it",
        "end_to_end" => "time of the whole answer",
        _ => "deadline",
    };

    /// <summary>A fleet in words: "3 x (2 x h100-sxm, fp8, TP2) on-demand".</summary>
    public static string Fleet(Finalist fleet) => string.Join(
        " + ", fleet.Units.SelectMany(chosen => chosen.Unit.Pools.Select(pool => Pool(pool, chosen.Count))));

    private static string Pool(UnitPool pool, int count)
    {
        var d = pool.Candidate.Deployment;
        return $"{pool.Replicas * count} x ({d.Gpus} x {d.Gpu.Key}, {Weights(d)}, "
            + $"{d.Parallelism}{Part(pool)}) {pool.Supply.Billing.Text()}";
    }

    private static string Part(UnitPool pool) => pool.Candidate.Part switch
    {
        Planning.Search.ReplicaPart.Prompt => ", prefill",
        Planning.Search.ReplicaPart.Answer => ", decode",
        _ => "",
    };

    /// <summary>The kinds of replica of a fleet, whatever their number: "2 x h100-sxm fp8".</summary>
    public static string Kinds(Finalist fleet) =>
        string.Join(" + ", fleet.Units.SelectMany(chosen => chosen.Unit.Pools).Select(Kind).Distinct());

    /// <summary>The kinds of replica of a unit.</summary>
    public static string Kinds(PlanUnit unit) => string.Join(" + ", unit.Pools.Select(Kind).Distinct());

    private static string Kind(UnitPool pool)
    {
        var d = pool.Candidate.Deployment;
        return $"{d.Gpus} x {d.Gpu.Key} {Weights(d)}{Part(pool)}";
    }

    /// <summary>The kind of a unit: its GPUs and precision, whatever the layout.</summary>
    public static string Kind(PlanUnit unit) => string.Join(
        '+', unit.Pools.Select(pool => $"{pool.Candidate.Deployment.Gpu.Key} {pool.Candidate.Deployment.Weights} {pool.Supply.Billing}"));

    /// <summary>Weights as people write them, with speculation where there is any.</summary>
    public static string Weights(Deployment d) =>
        d.Weights.Word()
            + (d.Speculation is { } draft ? $" + draft {draft.DraftTokens}" : "")
            + (d.ClockLock is { } clock ? $" at {clock * 100:0} % clock" : "");

    /// <summary>What keeps a unit from serving more, in the bucket that takes most of it.</summary>
    public static string Bound(PlanAnswer answer, PlanUnit unit)
    {
        var profile = answer.Searches[unit.Service].Profile;
        return string.Join(", ", unit.Pools.Select(pool =>
        {
            var worst = Enumerable.Range(0, profile.Buckets.Count)
                .MaxBy(i => profile.Buckets[i].RequestsPerSecond * pool.Candidate.Load(i));
            return Bound(pool.Candidate.Limits[worst].Bound);
        }).Distinct());
    }

    private static string Bound(RateBound bound) => bound switch
    {
        RateBound.Speed => "speed of the GPUs",
        RateBound.Memory => "memory for the KV cache",
        RateBound.Ttft => "promise on first tokens",
        RateBound.Tpot => "promise per token",
        RateBound.EndToEnd => "promise on answers",
        _ => "memory",
    };
}
