using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>What simulate says in words.</summary>
internal static class SimulateWords
{
    /// <summary>From this share of the KV blocks on, memory is what requests wait for.</summary>
    private const double KvFull = 0.9;

    private const int MostReasons = 3;

    /// <summary>The answer for a manager: what came of it, what broke, what binds.</summary>
    public static IEnumerable<string> Answer(RunReport run)
    {
        if (run.Partial)
            yield return $"Partial: stopped after {SimulateSpell.Period(run.Seconds)} of traffic; every figure is of what ran until then.";
        yield return Headline(run);
        if (Promises(run) is { } promises)
            yield return promises;
        if (Queue(run) is { } queue)
            yield return queue;
        if (Unanswered(run) is { } unanswered)
            yield return unanswered;
        if (Troubles(run) is { } troubles)
            yield return troubles;
    }

    /// <summary>What to know about the figures.</summary>
    public static IEnumerable<string> Notes(RunReport run)
    {
        yield return "Dollars per million output tokens: allocation counts all paid time, from ordering a replica until it is gone; "
            + "usage counts the time in which replicas worked. Both divide by the output tokens of completed requests.";
        yield return "Watts and joules: board is the GPUs' boards, idling included; it adds hosts and network; "
            + "facility is the site's meter.";
        yield return "Kept: of the requests that are over, those answered within every promise to their class; "
            + "rejected, shed, expired and failed ones count as not kept. Percentiles are within 0.8 % of their value.";
        yield return $"Scenario {run.Name}, seed {run.Seed}{(run.Routing.Length > 0 ? $", routing {run.Routing}" : "")}: "
            + "the same scenario and seed give the same figures.";
    }

    private static string Headline(RunReport run)
    {
        var requests = run.Requests;
        var kept = SimulatePromises.Any(run)
            ? $"{SimulateSpell.Kept(requests.KeptShare)} kept their promises"
            : $"{SimulateSpell.Kept(Answered(requests.Requests))} were answered in full (nothing was promised)";
        var head = $"{SimulateSpell.Count(requests.Requests.Arrived, "request")} in {SimulateSpell.Period(run.Seconds)} of traffic "
            + $"on {Fleet(run)}: {kept}";
        if (requests.OutputTokens == 0)
        {
            return $"{head}; no output token was delivered, so cost and energy per token have no figure "
                + $"({Spell.Dollars(run.Machines.PaidUsd)} paid).";
        }

        var cost = run.Machines.PaidUsd > 0
            ? $", {Spell.Dollars(run.UsdPerMillionOutput)} per million output tokens "
                + $"(allocation; {Spell.Dollars(run.UsageUsdPerMillionOutput)} by usage)"
            : ", without prices";
        var energy = run.Machines.BoardJoules > 0
            ? $", {Spell.Number(run.BoardJoulesPerOutput)} J per output token at the boards "
                + $"({Spell.Number(run.FacilityJoulesPerOutput)} J at the facility's meter)"
            : "";
        return $"{head}{cost}{energy}.";
    }

    private static double Answered(RequestCounts requests) =>
        SimulateRates.Over(requests) is > 0 and var over ? (double)requests.Completed / over : 1;

    private static string Fleet(RunReport run)
    {
        if (run.Pools.Count == 1 && run.Pools[0] is { What.Length: > 0 } pool)
        {
            return Math.Round(pool.MeanReplicas, 2) == 1
                ? $"one replica of {pool.What}"
                : $"{pool.MeanReplicas:0.##} replicas of {pool.What}";
        }

        var gpus = run.Seconds > 0 ? run.Machines.PaidGpuHours * 3600 / run.Seconds : run.Machines.Gpus;
        var names = run.Pools.Count switch
        {
            < 2 => "",
            <= 4 => $" in {run.Pools.Count} pools ({string.Join(", ", run.Pools.Select(one => one.Name))})",
            _ => $" in {run.Pools.Count} pools",
        };
        return $"{gpus:#,0.##} GPUs{names}";
    }

    private static string? Promises(RunReport run)
    {
        if (!SimulatePromises.Any(run))
            return null;
        if (SimulatePromises.WorstOff(run) is not { } worst)
        {
            return SimulatePromises.Tightest(run.Classes) is { } near
                ? $"Every promise was kept; nearest to its limit is the {near.What} of {near.Class}: "
                    + $"99 in 100 took at most {SimulateSpell.Ms(near.Times.P99)} ms of the {SimulateSpell.Ms(near.Limit)} ms promised."
                : "Every promise was kept.";
        }

        var late = worst.Requests.Completed - worst.Kept;
        var unanswered = SimulateRates.Unanswered(worst.Requests);
        var why = new List<string>();
        if (unanswered > 0)
            why.Add($"{unanswered:N0} of {SimulateRates.Over(worst.Requests):N0} got no answer");
        if (late > 0)
            why.Add($"{late:N0} got one too late{Most(worst)}");
        var lead = run.Classes.Count > 1
            ? $"Worst off is {worst.Name}, with {SimulateSpell.Kept(worst.KeptShare)} kept"
            : $"Of {worst.Name}";
        return $"{lead}: {string.Join(", ", why)}.{First(run)}";
    }

    private static string Most(RequestReport requests) =>
        SimulatePromises.Tightest([requests]) is { Beyond: > 0 } broken
            ? $", most often the {broken.What} (promised {SimulateSpell.Ms(broken.Limit)} ms; half took "
                + $"{SimulateSpell.Ms(broken.Times.P50)} ms or less, one in a hundred over {SimulateSpell.Ms(broken.Times.P99)} ms)"
            : "";

    private static string First(RunReport run) =>
        run.Intervals.FirstOrDefault(stretch => stretch.Completed > stretch.Kept) is { } first
            ? $" The first late answer came between {SimulateSpell.Period(first.FromSeconds)} "
                + $"and {SimulateSpell.Period(first.FromSeconds + first.Seconds)}."
            : "";

    private static string? Queue(RunReport run)
    {
        var longest = run.Intervals.MaxBy(stretch => stretch.GatewayWaiting + stretch.All.EngineWaiting);
        if (longest is null || longest.GatewayWaiting + longest.All.EngineWaiting == 0)
            return run.Intervals.Count > 0 ? "No queue was left at the end of any stretch of the run." : null;
        var waiting = longest.GatewayWaiting + longest.All.EngineWaiting;
        if (waiting <= Math.Max(1, longest.All.Running / 10))
        {
            return $"There was hardly a queue: at most {SimulateSpell.Count(waiting, "request")} waited at the end of a stretch of "
                + $"{SimulateSpell.Period(longest.Seconds)}, beside {longest.All.Running:N0} running.";
        }

        var crowded = run.Intervals.Where(stretch => 2 * (stretch.GatewayWaiting + stretch.All.EngineWaiting) >= waiting).ToList();
        var (mean, most) = (crowded.Average(stretch => stretch.All.KvHeld), crowded.Max(stretch => stretch.All.KvHeld));
        var full = mean >= KvFull || (most >= KvFull && run.Requests.Preemptions > 0);
        var held = Spell.Percent(full ? most : mean);
        var binds = full
            ? $"with {held} of the KV blocks held: memory binds"
            : $"with only {held} of the KV blocks held: the speed of steps, or a limit on how many run together, binds, not memory";
        return $"The queue was longest at {SimulateSpell.Period(longest.FromSeconds + longest.Seconds)}: "
            + $"{longest.GatewayWaiting:N0} waited at the gateway and {longest.All.EngineWaiting:N0} in engines, "
            + $"beside {longest.All.Running:N0} running, {binds}.";
    }

    private static string? Unanswered(RunReport run)
    {
        var counts = run.Requests.Requests;
        (string What, long Count)[] all =
            [("rejected", counts.Rejected), ("shed", counts.Shed), ("expired", counts.Expired), ("failed", counts.Failed)];
        var some = all.Where(one => one.Count > 0).Select(one => $"{one.Count:N0} {one.What}").ToList();
        if (some.Count == 0)
            return null;
        var reasons = run.Reasons.OrderByDescending(reason => reason.Count).Take(MostReasons)
            .Select(reason => $"{SimulateSpell.Why(reason.Why)}: {reason.Count:N0}").ToList();
        return $"Without an answer: {string.Join(", ", some)}"
            + (reasons.Count == 0 ? "."
                : $"; {(run.Reasons.Count > reasons.Count ? "the most frequent reasons: " : "why: ")}{string.Join("; ", reasons)}.");
    }

    private static string? Troubles(RunReport run)
    {
        var told = new List<string>();
        if (run.Requests.Preemptions > 0)
            told.Add($"{SimulateSpell.Count(run.Requests.Preemptions, "time")} a request lost its KV blocks to others (preemption)");
        if (run.Machines.Lost > 0)
            told.Add($"{SimulateSpell.Count(run.Machines.Lost, "replica")} crashed or {(run.Machines.Lost == 1 ? "was" : "were")} taken away");
        if (run.Requests.Retries > 0)
            told.Add($"{SimulateSpell.Count(run.Requests.Retries, "time")} a request was tried again");
        if (told.Count == 0)
            return null;
        var text = string.Join("; ", told);
        return char.ToUpperInvariant(text[0]) + text[1..] + ".";
    }
}
