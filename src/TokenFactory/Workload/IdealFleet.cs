using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>
/// The times at which requests would come if none ever waited: every answer takes the same time per token, whatever else is served. What
/// is recorded this way holds the turns and closed loops of a workload, paced by that one assumption.
/// </summary>
public static class IdealFleet
{
    /// <summary>All requests of a traffic in the order in which they arrive.</summary>
    /// <param name="traffic">What is asked.</param>
    /// <param name="secondsPerOutputToken">How long each token of an answer takes.</param>
    public static IEnumerable<Request> Asked(ITraffic traffic, double secondsPerOutputToken)
    {
        var waiting = new PriorityQueue<Request, (Instant At, long Id)>();
        var ending = new PriorityQueue<Request, (Instant At, long Id)>();
        var coming = traffic.Next();
        while (true)
        {
            var soonest = waiting.TryPeek(out _, out var first) ? first.At : Instant.Never;
            var next = Instant.Earlier(coming?.Arrival ?? Instant.Never, soonest);
            if (ending.TryPeek(out _, out var end) && end.At <= next)
            {
                if (traffic.After(ending.Dequeue(), end.At, completed: true) is { } following)
                    waiting.Enqueue(following, (following.Arrival, following.Id));
                continue;
            }

            if (coming is null && waiting.Count == 0)
                yield break;
            Request request;
            if (coming is not null && coming.Arrival <= soonest)
                (request, coming) = (coming, traffic.Next());
            else
                request = waiting.Dequeue();
            yield return request;
            var at = request.Arrival + Duration.OfSeconds(request.Script.OutputTokens * secondsPerOutputToken);
            ending.Enqueue(request, (at, request.Id));
        }
    }
}
