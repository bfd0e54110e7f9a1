using TokenFactory.Performance.SteadyState;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Planning.Search;

/// <summary>Requests of about the same lengths of one class: what a fleet mix hands to GPUs as a whole.</summary>
/// <param name="Class">The service class.</param>
/// <param name="Share">Its share of the class's requests.</param>
/// <param name="RequestsPerSecond">Their rate, mean over the traffic.</param>
/// <param name="InputTokens">Mean prompt in tokens.</param>
/// <param name="OutputTokens">Mean answer in tokens.</param>
/// <param name="Longest">Longest prompt and answer together in tokens.</param>
/// <param name="CachedShare">Share of the prompt tokens that a prefix cache which forgets nothing would hold.</param>
/// <param name="Exempt">
/// They are the longest prompts of their class, fewer than its percentile lets off: their first tokens are not promised anything.
/// </param>
public sealed record LengthBucket(
    string Class,
    double Share,
    double RequestsPerSecond,
    double InputTokens,
    double OutputTokens,
    double Longest,
    double CachedShare,
    bool Exempt)
{
    /// <summary>Tokens of the answer that the promised share of them does not exceed, over those of the mean answer: at least 1.</summary>
    public double LongAnswer { get; init; } = 1;
}

/// <summary>What a service's traffic asks for, from a pass over its requests.</summary>
public sealed record TrafficProfile
{
    /// <summary>Requests looked at.</summary>
    public required long Requests { get; init; }

    /// <summary>Seconds from the first to the last arrival.</summary>
    public required double Seconds { get; init; }

    /// <summary>What is asked, by class and length.</summary>
    public required IReadOnlyList<LengthBucket> Buckets { get; init; }

    /// <summary>Coefficient of variation of the time between arrivals: 1 for Poisson.</summary>
    public required double ArrivalVariability { get; init; }

    /// <summary>Share of the requests that are longer than the model is made for; they are in no bucket.</summary>
    public double TooLongShare { get; init; }

    /// <summary>The longest of them, prompt and answer, in tokens.</summary>
    public double LongestTokens { get; init; }

    /// <summary>Requests per second of all classes.</summary>
    public double RequestsPerSecond => Buckets.Sum(bucket => bucket.RequestsPerSecond);

    /// <summary>Prompt tokens per second of all classes.</summary>
    public double InputTokensPerSecond => Buckets.Sum(bucket => bucket.RequestsPerSecond * bucket.InputTokens);

    /// <summary>Output tokens per second of all classes.</summary>
    public double OutputTokensPerSecond => Buckets.Sum(bucket => bucket.RequestsPerSecond * bucket.OutputTokens);

    /// <summary>Most requests that a profile looks at.</summary>
    public const int MostRequests = 20_000;

    /// <summary>Share of what a percentile lets off that the longest prompts take; the rest is left to chance in queues.</summary>
    private const double ExemptShare = 0.6;

    /// <summary>Seconds that a token takes where turns and closed loops wait for answers.</summary>
    private const double UsualTokenSeconds = 0.025;

    /// <summary>Lengths that vary less than this make one bucket.</summary>
    private const double Alike = 0.25;

    private const double MostVariability = 3;

    /// <summary>The profile of a traffic.</summary>
    /// <param name="traffic">Its requests.</param>
    /// <param name="promises">What its classes are promised.</param>
    /// <param name="context">Tokens of the longest request that the model is made for.</param>
    /// <param name="buckets">Most buckets of prompts per class, and as many halves by answers.</param>
    public static TrafficProfile Of(
        ITraffic traffic, IReadOnlyList<Promise> promises, double context = double.PositiveInfinity, int buckets = 4)
    {
        var (reuse, gaps, seen) = (new PrefixReuse(), new LogHistogram(), new List<Request>());
        var (last, tooLong, longest) = (0.0, 0L, 0.0);
        foreach (var request in IdealFleet.Asked(traffic, Pace(promises)).Take(MostRequests))
        {
            var row = TraceWriter.RowOf(request, traffic);
            if (seen.Count > 0)
                gaps.Add(row.Seconds - last);
            reuse.Add(row);
            last = row.Seconds;
            if (request.PromptTokens + request.Script.OutputTokens is var tokens && tokens <= context)
                seen.Add(request);
            else
                (tooLong, longest) = (tooLong + 1, Math.Max(longest, tokens));
        }

        if (seen.Count == 0)
        {
            return new TrafficProfile
            {
                Requests = 0,
                Seconds = 0,
                Buckets = [],
                ArrivalVariability = 1,
                TooLongShare = Math.Min(1, tooLong),
                LongestTokens = longest,
            };
        }

        var seconds = Math.Max(last - seen[0].Arrival.Seconds, 1e-3) * seen.Count / Math.Max(1, seen.Count - 1);
        var input = seen.Sum(request => (double)request.PromptTokens);
        var cached = reuse.Known ? Math.Min(0.99, reuse.FoundTokens / input) : 0;
        return new TrafficProfile
        {
            Requests = seen.Count,
            Seconds = seconds,
            TooLongShare = (double)tooLong / (tooLong + seen.Count),
            LongestTokens = longest,
            ArrivalVariability = gaps.Count > 1 ? Math.Clamp(gaps.Cv, 0, MostVariability) : 1,
            Buckets =
            [
                .. seen.GroupBy(request => request.Class).OrderBy(group => group.Key).SelectMany(group => Split(
                    traffic.Classes[group.Key], [.. group], seconds, cached, Promised(promises, traffic.Classes[group.Key]), buckets)),
            ],
        };
    }

    private static double Pace(IReadOnlyList<Promise> promises) =>
        promises.Select(promise => promise.Targets.Tpot).Min() is { } tpot ? tpot * 0.7 : UsualTokenSeconds;

    private static Promise Promised(IReadOnlyList<Promise> promises, string name) =>
        promises.FirstOrDefault(promise => promise.Class == name) ?? new Promise(name);

    /// <summary>Slabs of equal prompt tokens' share, each halved by answers where those vary; the exempt longest apart.</summary>
    private static IEnumerable<LengthBucket> Split(
        string name, List<Request> requests, double seconds, double cached, Promise promise, int most)
    {
        var sorted = requests.OrderBy(request => request.PromptTokens).ThenBy(request => request.Id).ToList();
        var exempt = promise.Targets.Ttft is null ? 0 : (int)((1 - promise.Targets.TtftShare) * ExemptShare * sorted.Count);
        var firm = sorted.Count - exempt;
        foreach (var slab in Slabs(sorted.GetRange(0, firm), most, request => request.PromptTokens))
        {
            foreach (var half in Slabs(slab, 2, request => request.Script.OutputTokens))
                yield return Bucket(half, false);
        }

        if (exempt > 0)
            yield return Bucket(sorted.GetRange(firm, exempt), true);

        LengthBucket Bucket(List<Request> of, bool exempted) => new(
            name,
            (double)of.Count / requests.Count,
            of.Count / seconds,
            of.Average(request => request.PromptTokens),
            of.Average(request => request.Script.OutputTokens),
            of.Max(request => request.PromptTokens + request.Script.OutputTokens),
            cached,
            exempted)
        {
            LongAnswer = LongAnswer(of, promise.Targets),
        };
    }

    /// <summary>Whole answers are promised to a share of requests: long ones take longer, at any speed.</summary>
    private static double LongAnswer(List<Request> requests, LatencyTargets targets)
    {
        if (targets.EndToEnd is null)
            return 1;
        var tokens = requests.Select(request => request.Script.OutputTokens).Order().ToList();
        return Math.Max(1, tokens[(int)(targets.EndToEndShare * (tokens.Count - 1))] / tokens.Average());
    }

    /// <summary>Requests in slabs that hold about as many tokens each; one slab where lengths are alike.</summary>
    private static List<List<Request>> Slabs(List<Request> requests, int most, Func<Request, int> length)
    {
        var mean = requests.Average(length);
        var deviation = Math.Sqrt(requests.Average(request => Math.Pow(length(request) - mean, 2)));
        var count = deviation < Alike * mean ? 1 : Math.Min(most, requests.Count);
        var slabs = new List<List<Request>>();
        var (sum, all) = (0.0, mean * requests.Count);
        foreach (var request in requests.OrderBy(length).ThenBy(request => request.Id))
        {
            if (slabs.Count == 0 || sum >= all * slabs.Count / count)
                slabs.Add([]);
            slabs[^1].Add(request);
            sum += length(request);
        }

        return slabs;
    }
}
