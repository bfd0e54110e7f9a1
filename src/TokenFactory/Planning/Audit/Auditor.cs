using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>
/// Works down the levers of a fleet as it runs: pulls each alone, finds how few replicas then keep the promises, and pulls those that
/// help together. Every figure is a run of the twin on the fleet's own traffic.
/// </summary>
public sealed partial class Auditor
{
    private readonly AuditedFleet _today;
    private readonly AuditAsked _asked;
    private readonly RunCounter _counter;
    private readonly AuditScene _scene;
    private readonly Ground _sample;
    private readonly Ground _check;
    private readonly ReplicaSearch _search;

    private Auditor(AuditedFleet today, AuditAsked asked, Func<AuditProgress, bool>? progress)
    {
        (_today, _asked, _counter) = (today, asked, new RunCounter(progress));
        var look = TrafficLook.At(today.Policies.Traffic, asked.Seeds[0], today.Policies.StopSeconds);
        var check = Stretch.Busiest(today.Policies.Traffic, look, Math.Max(asked.Requests, asked.CheckRequests));
        var sample = Stretch.Busiest(today.Policies.Traffic, look, asked.Requests);
        _scene = new AuditScene(asked, sample, check);
        _check = new Ground(check, _counter);
        _sample = sample.Requests == check.Requests ? _check : new Ground(sample, _counter);
        _search = new ReplicaSearch(_sample, asked);
    }

    /// <summary>Audits a fleet.</summary>
    /// <param name="today">The fleet as it runs.</param>
    /// <param name="asked">What the audit follows from.</param>
    /// <param name="progress">Called often; returns whether to go on. Null for nobody.</param>
    public static AuditResult Run(AuditedFleet today, AuditAsked asked, Func<AuditProgress, bool>? progress = null)
    {
        var auditor = new Auditor(today, asked, progress);
        var result = auditor.Work();
        return result with { Stopped = auditor._counter.Stopped, Runs = auditor._counter.Runs, Requests = auditor._counter.Requests };
    }

    private AuditResult Work()
    {
        var result = new AuditResult { Fleet = _today, Asked = _asked, Sample = _scene.Sample, Check = _scene.Check };
        _counter.What = "today";
        if (_check.Begin(_today, _asked.Seeds, _asked.KeptShare) is not { } runs)
            return result;
        result = result with { Today = [.. runs.Select(run => AuditFigures.Of(run))], Classes = Classes(runs) };
        if (result.Today.Any(one => one.OutputTokensPerSecond <= 0))
            return result; // there is no cost per token to lower
        IReadOnlyList<AuditFigures> today = result.Today;
        if (_sample != _check)
        {
            if (_sample.Begin(_today, _asked.Seeds, _asked.KeptShare) is not { } sampled)
                return result;
            today = [.. sampled.Select(run => AuditFigures.Of(run))];
        }

        _counter.What = "fewer replicas";
        if (Cut(today) is not { } cut || OnCheck(cut, today, result.Today) is not { } checkedCut)
            return result;
        result = result with { Cut = cut.Fleet, CutSample = cut.Figures, CutFigures = checkedCut };
        var levers = new List<LeverResult> { Fewer(result) };
        foreach (var lever in Levers.All)
        {
            if (_asked.LeftOut.Contains(lever.Key))
                continue;
            if (Judge(lever, cut, checkedCut) is not { } judged)
                break;
            levers.Add(judged);
        }

        result = result with { Levers = [.. levers.OrderByDescending(result.UsdSaved).ThenByDescending(lever => lever.Gain)] };
        return _counter.Stopped ? result : Together(result, cut);
    }

    /// <summary>Today's fleet with the fewest replicas, under all seeds.</summary>
    private Found? Cut(IReadOnlyList<AuditFigures> today)
    {
        if (_asked.LeftOut.Contains(Levers.Replicas))
            return new Found(_today, today, null);
        if (_search.Fewest(_today) is not { } found || _search.Confirmed(found, _today) is not { } cut)
            return null;
        // Spares may be more than there are replicas today: then nothing can go.
        return cut.Broken is null && cut.Fleet.Gpus < _today.Gpus ? cut : new Found(_today, today, null);
    }

    /// <summary>The cut fleet on the check; null where it was stopped.</summary>
    private IReadOnlyList<AuditFigures>? OnCheck(Found cut, IReadOnlyList<AuditFigures> today, IReadOnlyList<AuditFigures> onCheck)
    {
        if (_sample == _check)
            return cut.Figures;
        if (cut.Figures == today)
            return onCheck;
        var figures = new List<AuditFigures>();
        foreach (var seed in _asked.Seeds)
        {
            if (_check.Try(cut.Fleet, seed) is not { } ran)
                return null;
            figures.Add(ran.Figures);
        }

        return figures;
    }

    private LeverResult Fewer(AuditResult result)
    {
        var lever = Levers.Utilisation;
        var answer = lever.Judge(_today, _scene);
        if (answer.State != LeverState.Off || result.Cut!.Gpus == _today.Gpus)
        {
            var why = answer.State == LeverState.Off ? $"{answer.Reason}: none can go" : answer.Reason;
            return new LeverResult(lever, LeverState.On, _asked.LeftOut.Contains(lever.Key) ? $"{answer.Reason}, left as they are" : why);
        }

        var what = $"replicas: {string.Join(" + ", result.Cut.Pools.Select(pool => pool.Replicas))}";
        var trial = new LeverTrial(what, result.Cut, result.CutFigures, null);
        return new LeverResult(lever, LeverState.Off, answer.Reason)
        {
            Verdict = AuditJudgement.Of(result.Today, result.CutFigures),
            Best = trial,
            Tried = [trial],
            Against = result.Today,
        };
    }

    /// <summary>A lever alone; null where it was stopped.</summary>
    private LeverResult? Judge(Lever lever, Found cut, IReadOnlyList<AuditFigures> onCheck)
    {
        var answer = lever.Judge(cut.Fleet, _scene);
        var result = new LeverResult(lever, answer.State, answer.Reason);
        if (answer.State != LeverState.Off)
            return result;
        _counter.What = lever.Name;
        var tried = new List<LeverTrial>();
        foreach (var change in answer.Changes)
        {
            if (TryAlone(lever, change) is not { } trial)
                return null;
            tried.Add(trial);
        }

        return Judged(lever, answer, tried, lever.NeedsHours ? onCheck : cut.Figures);
    }

    /// <summary>A lever by the best of the ways that were tried; null where it was stopped.</summary>
    private LeverResult? Judged(Lever lever, LeverAnswer answer, List<LeverTrial> tried, IReadOnlyList<AuditFigures> against)
    {
        var result = new LeverResult(lever, answer.State, answer.Reason);

        if (tried.Select(trial => lever.Void(trial.Figures.MaxBy(one => one.HitShare)!)).All(why => why is not null))
            return result with { State = LeverState.NotApplicable, Reason = lever.Void(tried[0].Figures[0])! };
        var best = BestOf(tried);
        var change = answer.Changes[tried.IndexOf(best)];
        if (best.Broken is null && best.Figures.Count < _asked.Seeds.Count)
        {
            if (_search.Confirmed(new Found(best.Fleet, best.Figures, null), change.Fleet) is not { } confirmed)
                return null;
            best = new LeverTrial(lever.Told(change, confirmed.Fleet), confirmed.Fleet, confirmed.Figures, confirmed.Broken);
            tried[answer.Changes.ToList().IndexOf(change)] = best;
        }

        var verdict = best.Broken is not null ? LeverVerdict.BreaksPromise : AuditJudgement.Of(against, best.Figures);
        var tuned = lever.Tunes && (verdict is LeverVerdict.NoSaving or LeverVerdict.BreaksPromise);
        return result with
        {
            State = tuned ? LeverState.On : LeverState.Off,
            Reason = tuned ? $"{answer.Reason}; no better: {string.Join("; ", tried.Select(trial => trial.What))}" : answer.Reason,
            Verdict = verdict,
            Best = best,
            Tried = tried,
            Against = against,
            Barred = lever.Barred(_asked),
        };
    }

    private LeverTrial? TryAlone(Lever lever, LeverChange change)
    {
        var tried = lever.NeedsHours ? Whole(change.Fleet) : _search.Fewest(change.Fleet);
        return tried is { } found ? new LeverTrial(lever.Told(change, found.Fleet), found.Fleet, found.Figures, found.Broken) : null;
    }

    /// <summary>A fleet on the check as it stands.</summary>
    private Found? Whole(AuditedFleet fleet) => new ReplicaSearch(_check, _asked).AllSeeds(fleet);

    /// <summary>The cheapest of those that keep the promises; where none does, the one that kept most.</summary>
    private static LeverTrial BestOf(IReadOnlyList<LeverTrial> tried)
    {
        var kept = tried.Where(trial => trial.Broken is null).ToList();
        return kept.Count == 0
            ? tried.MaxBy(trial => trial.Figures[0].KeptShare)!
            : kept.Skip(1).Aggregate(kept[0], (best, one) => AuditJudgement.IsBetter(best.Figures[0], one.Figures[0]) ? one : best);
    }

    private static IReadOnlyList<(string Class, bool Promised, double Kept)> Classes(IReadOnlyList<RunReport> runs) =>
    [
        .. runs[0].Classes.Select((one, i) => (
            one.Name, one.Class is { Promises: true }, runs.Average(run => run.Classes[i].KeptShare))),
    ];
}
