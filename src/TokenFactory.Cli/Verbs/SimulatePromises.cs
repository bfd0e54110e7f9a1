using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>A promise to a class, and the times that it is about.</summary>
/// <param name="Class">The class.</param>
/// <param name="What">"first token", "time per token", "whole answer".</param>
/// <param name="Limit">The longest time that is promised, in seconds.</param>
/// <param name="Times">The times, in seconds.</param>
internal readonly record struct SimulatePromise(string Class, string What, double Limit, Spread Times)
{
    /// <summary>Share of the answers beyond it, from the percentiles: linear between them.</summary>
    public double Beyond
    {
        get
        {
            if (Times.Count == 0 || Limit >= Times.Max)
                return 0;
            (double At, double Above)[] known =
                [(0, 1), (Times.P50, 0.5), (Times.P90, 0.1), (Times.P95, 0.05), (Times.P99, 0.01), (Times.Max, 0)];
            for (var i = 1; i < known.Length; i++)
            {
                if (Limit < known[i].At)
                    return Between(known[i - 1], known[i]);
            }

            return 0;
        }
    }

    /// <summary>How much of the limit the 99th percentile takes.</summary>
    public double Taken => Limit > 0 ? Times.P99 / Limit : 0;

    private double Between((double At, double Above) low, (double At, double Above) high) =>
        low.Above - ((low.Above - high.Above) * (Limit - low.At) / (high.At - low.At));
}

/// <summary>What was promised in a run, and which promise broke.</summary>
internal static class SimulatePromises
{
    /// <summary>The promises to a class.</summary>
    public static IEnumerable<SimulatePromise> Of(RequestReport requests)
    {
        if (requests.Class is not { } made)
            yield break;
        if (made.TtftSeconds is { } first)
            yield return new SimulatePromise(requests.Name, "first token", first, requests.Ttft);
        if (made.TpotSeconds is { } each)
            yield return new SimulatePromise(requests.Name, "time per token", each, requests.Tpot);
        if (made.EndToEndSeconds is { } whole)
            yield return new SimulatePromise(requests.Name, "whole answer", whole, requests.EndToEnd);
        if (made.DeadlineSeconds is { } deadline)
            yield return new SimulatePromise(requests.Name, "deadline", deadline, requests.EndToEnd);
    }

    /// <summary>Whether anything is promised to anybody.</summary>
    public static bool Any(RunReport run) => run.Classes.Any(one => one.Class is { Promises: true });

    /// <summary>The promise that is broken most often, or is nearest to it; null without promises.</summary>
    public static SimulatePromise? Tightest(IEnumerable<RequestReport> classes) => classes
        .SelectMany(Of)
        .Where(promise => promise.Times.Count > 0)
        .OrderByDescending(promise => promise.Beyond)
        .ThenByDescending(promise => promise.Taken)
        .Select(promise => (SimulatePromise?)promise)
        .FirstOrDefault();

    /// <summary>The class of which the least was kept; null where every class with promises had them kept.</summary>
    public static RequestReport? WorstOff(RunReport run) => run.Classes
        .Where(one => one.Class is { Promises: true } && one.KeptShare < 1)
        .OrderBy(one => one.KeptShare)
        .FirstOrDefault();
}
