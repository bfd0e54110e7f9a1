namespace TokenFactory.Planning.Audit;

/// <content>The levers that help, pulled one after the other.</content>
public sealed partial class Auditor
{
    /// <summary>Replicas that the whole may have more than the busiest stretch needed, where other seeds or hours need them.</summary>
    private const int MoreReplicas = 3;

    /// <summary>
    /// Greedily, on what the ones before left: those that save alone by what they save, then those that save watts, then the others,
    /// which may save beside them. What needs hours comes last, as it is judged on the whole.
    /// </summary>
    private AuditResult Together(AuditResult result, Found cut)
    {
        var now = cut;
        var steps = new List<TogetherStep>();
        if (cut.Fleet.Gpus < _today.Gpus)
        {
            var fewer = result.Levers.First(one => one.Lever == Levers.Utilisation).Best!;
            steps.Add(new TogetherStep(Levers.Utilisation, fewer.What, cut.Fleet, cut.Figures));
        }

        foreach (var lever in InTurn(result).Where(lever => !lever.NeedsHours))
        {
            _counter.What = $"together: {lever.Name}";
            if (Pull(lever, now) is not { } pulled)
                return result;
            if (pulled.Found is not { } found)
                continue;
            now = found;
            steps.Add(new TogetherStep(lever, pulled.What, found.Fleet, found.Figures));
        }

        _counter.What = "together";
        if (OnWhole(now) is not { } whole)
            return result;
        foreach (var lever in InTurn(result).Where(lever => lever.NeedsHours))
        {
            if (PullOnWhole(lever, whole) is not { } pulled)
                return result;
            if (pulled.Found is not { } found)
                continue;
            whole = found;
            steps.Add(new TogetherStep(lever, pulled.What, found.Fleet, found.Figures));
        }

        return steps.Count == 0 ? result : result with
        {
            Steps = steps,
            Best = whole.Fleet,
            BestFigures = whole.Figures,
            BestBroken = whole.Broken,
        };
    }

    private IEnumerable<Lever> InTurn(AuditResult result) => result.Levers
        .Where(one => one.Lever.Key != Levers.Replicas && one.Lever.Barred(_asked) is null)
        .OrderBy(one => one.Verdict switch { LeverVerdict.Saves => 0, LeverVerdict.SavesWatts => 1, _ => 2 })
        .ThenByDescending(result.UsdSaved)
        .ThenByDescending(one => one.Gain)
        .Select(one => one.Lever);

    /// <summary>A lever on what the ones before left. Null where it was stopped; nothing found where it does not help.</summary>
    private (string What, Found? Found)? Pull(Lever lever, Found now)
    {
        (LeverChange Change, Found Found)? best = null;
        foreach (var change in lever.Judge(now.Fleet, _scene).Changes)
        {
            if (_search.Fewest(change.Fleet) is not { } found)
                return null;
            if (Helps(lever, now, found) && (best is not { } other || AuditJudgement.IsBetter(other.Found.Figures[0], found.Figures[0])))
                best = (change, found);
        }

        if (best is not { } chosen)
            return ("", null);
        if (_search.Confirmed(chosen.Found, chosen.Change.Fleet) is not { } confirmed)
            return null;
        return (lever.Told(chosen.Change, confirmed.Fleet), Helps(lever, now, confirmed) ? confirmed : null);
    }

    /// <summary>
    /// Whether a fleet is better than another under the seeds that both were tried with, by enough for the lever's effort.
    /// </summary>
    private static bool Helps(Lever lever, Found now, Found then) => then.Broken is null
        && AuditJudgement.Of(now.Figures, then.Figures, AuditJudgement.Worth(lever.Effort))
            is LeverVerdict.Saves or LeverVerdict.SavesWatts;

    private (string What, Found? Found)? PullOnWhole(Lever lever, Found whole)
    {
        _counter.What = $"together: {lever.Name}";
        (string What, Found? Found) best = ("", null);
        foreach (var change in lever.Judge(whole.Fleet, _scene).Changes)
        {
            if (Whole(change.Fleet) is not { } found)
                return null;
            if (Helps(lever, whole, found) && (best.Found is null || AuditJudgement.IsBetter(best.Found.Figures[0], found.Figures[0])))
                best = (lever.Told(change, found.Fleet), found);
        }

        return best;
    }

    /// <summary>What the stretch found, on the whole, with more replicas where that needs them; null where it was stopped.</summary>
    private Found? OnWhole(Found found)
    {
        if (_sample == _check)
            return found;
        var fleet = found.Fleet;
        for (var i = 0; ; i++)
        {
            if (Whole(fleet) is not { } whole)
                return null;
            if (whole.Broken is null || i == MoreReplicas)
                return whole;
            fleet = fleet.With([.. fleet.Pools.Select(pool => pool.Replicas + 1)]);
        }
    }
}
