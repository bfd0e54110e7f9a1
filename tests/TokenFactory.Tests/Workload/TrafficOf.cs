using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Workload;

/// <summary>Runs traffic against a fleet that takes a fixed time per request, or per token of the answer.</summary>
internal static class TrafficOf
{
    /// <summary>What arrives without waiting for answers.</summary>
    public static List<Request> Open(ITraffic traffic, int most = 1_000_000)
    {
        var requests = new List<Request>();
        while (requests.Count < most && traffic.Next() is { } request)
            requests.Add(request);
        return requests;
    }

    /// <summary>All requests in the order in which they arrive, where the answer to each takes as long as told.</summary>
    public static List<Request> Served(ITraffic traffic, Func<Request, double> seconds, int most = 1_000_000, Predicate<Request>? answered = null)
    {
        var requests = new List<Request>();
        var ends = new PriorityQueue<(Request Request, Instant At), (Instant At, long Id)>();
        var coming = traffic.Next();
        var waiting = new PriorityQueue<Request, (Instant At, long Id)>();
        while (requests.Count < most)
        {
            var next = Instant.Earlier(
                coming?.Arrival ?? Instant.Never, waiting.TryPeek(out _, out var soonest) ? soonest.At : Instant.Never);
            if (ends.TryPeek(out var end, out _) && end.At <= next)
            {
                ends.Dequeue();
                if (traffic.After(end.Request, end.At, answered?.Invoke(end.Request) ?? true) is { } following)
                {
                    Assert.True(following.Arrival > end.At);
                    waiting.Enqueue(following, (following.Arrival, following.Id));
                }

                continue;
            }

            if (next == Instant.Never)
                break;
            var request = coming is not null && coming.Arrival == next ? coming : waiting.Dequeue();
            if (ReferenceEquals(request, coming))
                coming = traffic.Next();
            requests.Add(request);
            var at = request.Arrival + Duration.OfSeconds(seconds(request));
            ends.Enqueue((request, at), (at, request.Id));
        }

        return requests;
    }

    /// <summary>A request as text, with what its prompt holds: two are the same where their texts are.</summary>
    public static string Text(Request request) =>
        $"{request.Id} {request.PromptTokens} {request.Script} {request.MaxTokens} {request.Class} {request.Tenant} {request.Session} {request.Turn} "
        + string.Join(' ', request.Prompt.ToArray());

    public static string Timed(Request request) => $"{request.Arrival.Nanoseconds} {Text(request)}";
}
