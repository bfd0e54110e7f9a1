using TokenFactory.Cli.Output;
using TokenFactory.Planning.Audit;
using TokenFactory.Simulation;
using static TokenFactory.Planning.Audit.AuditResult;

namespace TokenFactory.Cli.Verbs;

/// <summary>What an audit says in words.</summary>
internal static class AuditWords
{
    private const int MostNamed = 3;

    /// <summary>The answer for a manager: what is paid, what would do, by which levers, how sure.</summary>
    public static IEnumerable<string> Answer(AuditResult audit)
    {
        if (audit.Stopped)
            yield return "Stopped before its end: the levers that were judged are below, their total is not known.";
        if (audit.Today.Count == 0)
            yield break;
        if (audit.Today[0].OutputTokensPerSecond <= 0)
        {
            yield return "This fleet delivers no output token on this traffic, so that there is no cost per token to lower: simulate it "
                + "to see why.";
            yield break;
        }

        yield return Headline(audit);
        if (Broken(audit) is { } broken)
            yield return broken;
        if (Alone(audit) is { } alone)
            yield return alone;
        if (Sum(audit) is { } sum)
            yield return sum;
        if (Sure(audit) is { } sure)
            yield return sure;
        var barred = audit.Levers.Where(one => one.Barred is not null && one.Verdict == LeverVerdict.Saves).ToList();
        if (barred.Count > 0)
        {
            yield return "Not in the total (*): "
                + string.Join("; ", barred.Select(one => $"{one.Lever.Name} ({Spell.Dollars(audit.UsdSaved(one))} alone), as {one.Barred}"))
                + ".";
        }
    }

    /// <summary>What to know about the figures.</summary>
    public static IEnumerable<string> Notes(AuditResult audit)
    {
        yield return "Dollars are per million output tokens, of all paid time; tok/s/W is output tokens per second and watt at the "
            + "facility's meter.";
        if (!audit.Stopped)
        {
            yield return "Each lever alone is measured against today's fleet without the replicas that its promises do not need, with as "
                + "few replicas of its own; fewer replicas against today's fleet as it stands. Quality of answers and the time of your "
                + "engineers are outside the twin.";
        }

        yield return audit.Promised
            ? $"Promises: of each class {Spell.Percent(audit.Asked.KeptShare)} must keep them, or as many as today where fewer do "
                + $"(audit: kept){Spare(audit)}. Fewest replicas by bisection, which takes it that more never keep less."
            : "Nothing is promised to any class, so that a variant need only be done as soon as today. Give 'classes' with ttft_s and "
                + "tpot_ms: without them slow answers count as good ones.";
        yield return Stretches(audit);
        yield return Assumed(audit);
        if (!audit.Sample.IsWhole && audit.Fleet.Policies.Faults.Any(fault => fault is SpotPreemptions or Crashes { MeanHours: > 0 }))
        {
            yield return "Machines are lost by chance in this scenario: the busiest stretch may see none, the whole does. Give --requests "
                + "for more of it.";
        }
    }

    private static string Assumed(AuditResult audit)
    {
        var (asked, spot) = (audit.Asked, audit.Asked.Spot);
        return string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"Taken as so ('audit' sets it): drafts are accepted with {asked.Acceptance:0.##}; {asked.HostBytesPerGpu / 1e9:0.#} GB of "
            + $"host memory per GPU; a spot machine stays {spot.UpHours:0.###} h and is away {spot.DownHours:0.###} h, "
            + $"each without regard to the others, so that spares are paid for (in the price, not among the GPUs), "
            + $"and one is lost without warning in the run.");
    }

    private static string Stretches(AuditResult audit)
    {
        var seeds = SimulateSpell.Count(audit.Asked.Seeds.Count, "seed");
        if (audit.Sample.Requests == audit.Check.Requests && audit.Check.IsWhole)
            return $"Every run is the whole workload, {audit.Check.Requests:N0} requests or about so; {seeds}.";
        var check = audit.Check.IsWhole
            ? $"the whole, {audit.Check.Requests:N0} requests"
            : $"the busiest {audit.Check.Requests:N0} of {audit.Check.Of:N0}";
        return $"Levers are judged on the busiest {audit.Sample.Requests:N0} requests ({SimulateSpell.Period(audit.Sample.Seconds)} from "
            + $"{SimulateSpell.Period(audit.Sample.FromSeconds)} on), today and the total on {check}; {seeds}. Dollars and watts of levers "
            + "are carried over in the ratio of the fleet that runs on both.";
    }

    private static string Spare(AuditResult audit) =>
        audit.Asked.Spare > 0 ? $", with {SimulateSpell.Count(audit.Asked.Spare, "replica")} of each pool to spare" : "";

    private static string Headline(AuditResult audit)
    {
        var (usd, watts) = (Mean(audit.Today, one => one.UsdPerMillion), Mean(audit.Today, one => one.TokensPerJoule));
        var pays = usd > 0 ? $"pays {Spell.Dollars(usd)} per million output tokens and " : "";
        var lead = $"This fleet of {Gpus(audit.Fleet, audit.Today)} {pays}makes {Spell.Number(watts)} tokens/s per W at the facility's "
            + "meter";
        if (audit.Best is not { } best)
            return audit.Stopped ? $"{lead}." : $"{lead}; no lever that it has not pulled would save anything at its promises.";
        var (then, thenWatts) = (Mean(audit.BestFigures, one => one.UsdPerMillion), Mean(audit.BestFigures, one => one.TokensPerJoule));
        var cost = usd > 0 ? $"{Spell.Dollars(then)} ({Spell.Change((then / usd) - 1)}) and " : "";
        return $"{lead}; {cost}{Spell.Number(thenWatts)} tokens/s per W ({Spell.Change((thenWatts / watts) - 1)}) would do, "
            + $"on {Gpus(best, audit.BestFigures)}, at the promises that hold today: "
            + $"{string.Join(", then ", audit.Steps.Select(step => step.Lever.Name))}.";
    }

    private static double Saved(AuditFigures today, AuditFigures then) => 1 - (then.UsdPerMillion / today.UsdPerMillion);

    private static string Gpus(AuditedFleet fleet, IReadOnlyList<AuditFigures> figures) => AuditTables.GpusOf(fleet, figures) switch
    {
        1 => "one GPU",
        var gpus => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{gpus:#,0.#} GPUs"),
    };

    private static string? Broken(AuditResult audit)
    {
        var broken = audit.Classes.Where(one => one.Promised && one.Kept < audit.Asked.KeptShare).ToList();
        var today = broken.Count == 0 ? null
            : "Promises do not hold today: "
                + string.Join(", ", broken.Select(one => $"{SimulateSpell.Kept(one.Kept)} of {one.Class} are kept"))
                + "; no lever may make it less, and savings are at that.";
        return audit.BestBroken is not { } then ? today
            : $"{today}{(today is null ? "" : " ")}The total breaks a promise on the whole workload, which the busiest stretch did not "
                + $"show: {then}.";
    }

    private static string? Alone(AuditResult audit)
    {
        var saving = audit.Levers.Where(one => one.Verdict == LeverVerdict.Saves && one.Barred is null).Take(MostNamed).ToList();
        return saving.Count == 0 ? null
            : $"Most alone: {string.Join("; ", saving.Select(one => $"{one.Lever.Name} saves {Spell.Dollars(audit.UsdSaved(one))} "
                + $"({one.Lever.Effort.ToString().ToLowerInvariant()})"))}.";
    }

    private static string? Sum(AuditResult audit)
    {
        var pulled = audit.Steps.Select(step => step.Lever.Key).ToHashSet();
        var alone = audit.Levers.Where(one => one.Barred is null && one.Verdict == LeverVerdict.Saves).ToList();
        if (audit.Best is null || alone.Count < 2)
            return null;
        var (sum, together) = (alone.Sum(audit.UsdSaved), Mean(audit.Today) - Mean(audit.BestFigures));
        var dropped = alone.Where(one => !pulled.Contains(one.Lever.Key)).Select(one => one.Lever.Name).ToList();
        var why = sum > together
            ? "what one saves, the next cannot save again"
            : "some work only on what others leave";
        return $"Added up, what they save alone would be {Spell.Dollars(sum)}; together they save {Spell.Dollars(together)}, as {why}"
            + (dropped.Count == 0 ? "." : $": {string.Join(", ", dropped)} {(dropped.Count == 1 ? "adds" : "add")} nothing to the others.");
    }

    private static string? Sure(AuditResult audit)
    {
        if (audit.BestFigures.Count == 0)
            return null;
        var saved = audit.Today.Join(audit.BestFigures, one => one.Seed, other => other.Seed, Saved).ToList();
        if (!saved.TrueForAll(double.IsFinite) || SimulateInterval.Of(saved) is not { } interval)
            return null;
        var kept = $"{SimulateSpell.Kept(Mean(audit.BestFigures, one => one.KeptShare))} of the requests keep their promises, "
            + $"{SimulateSpell.Kept(Mean(audit.Today, one => one.KeptShare))} today";
        return interval.HalfWidth is { } half
            ? $"Over {SimulateSpell.Count(interval.Count, "seed")} the total saves {Spell.Percent(interval.Mean)} ± {Spell.Percent(half)} "
                + $"(95 % interval); {kept}. Step times are estimates besides."
            : $"One seed: how much of it is chance is not known; {kept}.";
    }
}
