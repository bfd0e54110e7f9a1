using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>What a fleet came to under one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="UsdPerMillion">Dollars per million output tokens, of all paid time.</param>
/// <param name="UsageUsdPerMillion">Dollars per million output tokens, of the time in which replicas worked.</param>
/// <param name="TokensPerJoule">Output tokens per joule at the site's meter, which is tokens/s per W.</param>
/// <param name="KeptShare">Share of the requests that kept every promise.</param>
/// <param name="Gpus">GPUs, on average over the run.</param>
/// <param name="HitShare">Share of the prompt tokens found in a prefix cache.</param>
/// <param name="Utilisation">Share of the paid time in steps.</param>
/// <param name="OutputTokensPerSecond">Output tokens per second of completed requests.</param>
public sealed record AuditFigures(
    ulong Seed,
    double UsdPerMillion,
    double UsageUsdPerMillion,
    double TokensPerJoule,
    double KeptShare,
    double Gpus,
    double HitShare,
    double Utilisation,
    double OutputTokensPerSecond)
{
    /// <summary>Times today's length beyond which a run has fallen behind its traffic, and pays for it.</summary>
    private const double Later = 1.05;

    /// <summary>The figures of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="ongoingSeconds">
    /// How long the run of today's fleet lasts, where traffic goes on whatever the fleet does: who is done a little sooner or later with
    /// the last answers pays neither less nor more by that. 0 where the work ends when it is done.
    /// </param>
    public static AuditFigures Of(RunReport run, double ongoingSeconds = 0) => new(
        run.Seed,
        run.UsdPerMillionOutput * (run.Seconds > 0 && run.Seconds <= ongoingSeconds * Later ? ongoingSeconds / run.Seconds : 1),
        run.UsageUsdPerMillionOutput,
        run.Machines.FacilityJoules > 0 ? run.Requests.OutputTokens / run.Machines.FacilityJoules : 0,
        run.Requests.KeptShare,
        run.Seconds > 0 ? run.Machines.PaidGpuHours * 3600 / run.Seconds : 0,
        run.Requests.HitShare,
        run.Machines.Utilisation,
        run.OutputTokensPerSecond);
}

/// <summary>What a change is worth.</summary>
public enum LeverVerdict
{
    /// <summary>It was not tried.</summary>
    NotTried,

    /// <summary>It saves dollars at the kept promises.</summary>
    Saves,

    /// <summary>It costs the same and makes more tokens per watt.</summary>
    SavesWatts,

    /// <summary>It saves nothing worth the name.</summary>
    NoSaving,

    /// <summary>At no more than today's cost it breaks a promise that holds today.</summary>
    BreaksPromise,
}

/// <summary>Which figures are better.</summary>
public static class AuditJudgement
{
    /// <summary>Least share of the cost that counts as a saving.</summary>
    public const double LeastSaving = 0.005;

    /// <summary>Share of the cost that counts as the same.</summary>
    public const double SameCost = 0.002;

    /// <summary>Least share of tokens per watt that counts as a gain.</summary>
    public const double LeastGain = 0.01;

    /// <summary>
    /// How many times the least saving a change must bring to be worth its effort beside others: days four times, weeks ten times.
    /// </summary>
    public static double Worth(Effort effort) => effort switch
    {
        Effort.Hours => 1,
        Effort.Days => 4,
        _ => 10,
    };

    /// <summary>What a change is worth: savings count where every seed has one.</summary>
    /// <param name="before">Figures without it, by seed.</param>
    /// <param name="after">Figures with it, of the same seeds.</param>
    /// <param name="times">Times the least saving and the least gain that it must bring.</param>
    public static LeverVerdict Of(IReadOnlyList<AuditFigures> before, IReadOnlyList<AuditFigures> after, double times = 1)
    {
        var pairs = before.Join(after, one => one.Seed, other => other.Seed, (one, other) => (one, other)).ToList();
        var priced = pairs.TrueForAll(pair => pair.one.UsdPerMillion > 0);
        var savings = pairs.ConvertAll(pair => priced ? 1 - (pair.other.UsdPerMillion / pair.one.UsdPerMillion) : 0);
        var gains = pairs.ConvertAll(pair => (pair.other.TokensPerJoule / pair.one.TokensPerJoule) - 1);
        if (savings.TrueForAll(saving => saving > 0) && savings.Average() >= LeastSaving * times)
            return LeverVerdict.Saves;
        return gains.TrueForAll(gain => gain > 0) && gains.Average() >= LeastGain * times && savings.Average() >= -SameCost
            ? LeverVerdict.SavesWatts
            : LeverVerdict.NoSaving;
    }

    /// <summary>Whether figures of one seed are better than others of the same: cheaper, or as cheap with more tokens per watt.</summary>
    public static bool IsBetter(AuditFigures than, AuditFigures one)
    {
        var cheaper = than.UsdPerMillion > 0 ? 1 - (one.UsdPerMillion / than.UsdPerMillion) : 0;
        return cheaper > SameCost || (cheaper >= -SameCost && one.TokensPerJoule > than.TokensPerJoule);
    }
}
