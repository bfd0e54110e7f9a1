using TokenFactory.Performance;
using TokenFactory.Simulation;

namespace TokenFactory.Bench;

/// <summary>
/// What no schedule on a fleet can beat, as if work were a fluid: any part of any request on any replica, none ever idle.
/// </summary>
/// <remarks>
/// (1) A prompt costs at least what computing the tokens that nobody sent before adds to steps, where that is least: whole chunks, beside
/// as many generating sequences as make it least; and every prefix that was ever sent is taken to be in every cache. (2) A token of an
/// answer costs at least its share of a step of the largest batch that keeps the promise per token and fits: the time of a step per
/// sequence falls as the batch grows, so a replica that is in smaller batches sometimes must be in forbidden ones at other times, and
/// loses by it. (3) Requests go where they are comparatively cheapest: of two pools, those with the lowest ratio of their seconds on one
/// to their seconds on the other go to the one; a split in any other order can be improved by an exchange. The time in which all pools
/// then finish together bounds the rate from above, and what the fleet costs in that time bounds dollars from below. Batches are taken
/// at the traffic's mean context, and nothing is allowed for the share of promises that may break.
/// </remarks>
internal sealed class FluidBound
{
    private const int Beside = 256;

    public FluidBound(FleetPlan fleet, ReplayedTrace trace, double? tokenSeconds)
    {
        var fresh = Fresh(trace);
        var seconds = fleet.Pools.Select(pool => Seconds(pool, trace, fresh, tokenSeconds)).ToArray();
        FleetSeconds = seconds.Length == 1 ? seconds[0].Sum() / fleet.Pools[0].Replicas : Split(fleet, seconds[0], seconds[1]);
        var tokens = trace.Rows.Sum(row => (double)row.Script.OutputTokens);
        Rate = trace.Rows.Count / FleetSeconds;
        UsdPerMillion = fleet.Pools.Sum(pool => pool.Facts.UsdPerHour * pool.Replicas) / 3600 * FleetSeconds / tokens * 1e6;
        CheapestUsdPerMillion = Enumerable.Range(0, trace.Rows.Count)
            .Sum(i => fleet.Pools.Select((pool, p) => seconds[p][i] * pool.Facts.UsdPerHour / 3600).Min()) / tokens * 1e6;
    }

    /// <summary>Seconds in which the fleet does the work of the recording.</summary>
    public double FleetSeconds { get; }

    /// <summary>Requests per second that it can serve at most.</summary>
    public double Rate { get; }

    /// <summary>Dollars of the whole fleet per million output tokens, at least.</summary>
    public double UsdPerMillion { get; }

    /// <summary>Dollars of the time worked per million output tokens, at least: each request where it costs least, however many such there are.</summary>
    public double CheapestUsdPerMillion { get; }

    private static double[] Seconds(PoolPlan pool, ReplayedTrace trace, int[] fresh, double? tokenSeconds)
    {
        var steps = new StepTable(pool.Facts.Model);
        var context = trace.Rows.Average(row => row.PromptTokens + (row.Script.OutputTokens / 2.0));
        var shares = trace.Rows.Any(row => !row.Prompt.IsEmpty);
        var batch = 1;
        while (batch < pool.Facts.MaxSequences && (shares || (batch + 1) * context <= pool.Facts.KvTokens)
            && steps.Token(batch + 1, context) <= (tokenSeconds ?? double.PositiveInfinity))
            batch++;
        var whole = Enumerable.Range(0, Beside).Min(beside => steps.Prompt(steps.TokenBudget, 0, beside)) / steps.TokenBudget;
        int[] some = [0, 1, 8, 32, 64, 128, Beside];
        return [.. trace.Rows.Select((row, i) =>
        {
            var prompt = Math.Min(fresh[i] * whole, some.Min(beside => steps.Prompt(fresh[i], row.PromptTokens - fresh[i], beside)));
            return prompt + ((row.Script.OutputTokens - 1) * steps.Token(batch, row.PromptTokens + (row.Script.OutputTokens / 2.0)) / batch);
        })];
    }

    /// <summary>Prompt tokens that no earlier prompt began with.</summary>
    private static int[] Fresh(ReplayedTrace trace)
    {
        var seen = new HashSet<ulong>();
        return [.. trace.Rows.Select(row =>
        {
            ulong key = 0;
            int tokens = 0, known = 0;
            foreach (var piece in row.Prompt.Span)
            {
                key = Engine.PromptChain.Next(key, piece);
                tokens += piece.Tokens;
                if (!seen.Add(key))
                    known = tokens;
            }

            return Math.Max(1, row.PromptTokens - known);
        })];
    }

    private static double Split(FleetPlan fleet, double[] first, double[] second)
    {
        var (one, other) = (fleet.Pools[0].Replicas, fleet.Pools[1].Replicas);
        var order = Enumerable.Range(0, first.Length).OrderBy(i => first[i] / second[i]).ToArray();
        double before = 0, rest = second.Sum();
        foreach (var i in order)
        {
            var (with, without) = (before + first[i], rest - second[i]);
            if (with / one >= without / other)
            {
                // a part of this request on each, so that both finish together
                var part = ((rest / other) - (before / one)) / ((first[i] / one) + (second[i] / other));
                return (before + (part * first[i])) / one;
            }

            (before, rest) = (with, without);
        }

        return before / one;
    }
}
