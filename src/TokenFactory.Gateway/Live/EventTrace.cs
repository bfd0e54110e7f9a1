using TokenFactory.Fleet;
using TokenFactory.Units;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// The requests of an event log as a trace, which the twin replays: when they came, how long their prompts and answers were, what their
/// prompts share. Requests that got no token are left out: nobody knows what they would have been.
/// </summary>
public static class EventTrace
{
    /// <summary>Seconds of the log for which a failed request may still be sent again.</summary>
    private const double GraceSeconds = 5;

    /// <summary>Lines of a trace in our own format.</summary>
    /// <param name="path">The log's file.</param>
    /// <param name="model">Whose requests; null for those of all models.</param>
    /// <exception cref="EventLogException">It is no log, or damaged.</exception>
    public static IEnumerable<string> Lines(string path, string? model = null) => TraceWriter.JsonLines(Rows(path, model));

    /// <summary>
    /// The rows in the order in which requests were queued, which readers of traces sort; seconds from the first event on.
    /// </summary>
    /// <param name="path">The log's file.</param>
    /// <param name="model">Whose requests; null for those of all models.</param>
    /// <exception cref="EventLogException">It is no log, or damaged; or it knows no such model.</exception>
    public static IEnumerable<TraceRow> Rows(string path, string? model = null)
    {
        using var log = new LogReader(path);
        var (models, classes) = (log.Names("models").ToList(), log.Names("classes"));
        var only = model is null ? -1 : models.IndexOf(model);
        if (model is not null && only < 0)
            throw new EventLogException($"knows no model '{model}', only {string.Join(", ", models)}");
        var journeys = new Queue<Journey>();
        var open = new Dictionary<(int Model, long Id), Journey>();
        var lengths = new Dictionary<ulong, int>();
        Instant? begin = null;
        foreach (var line in log.Lines())
        {
            var (e, number) = (line.Entry.Event, line.Entry.Model);
            if (line.Lost > 0 || line.Entry.Decision is not null || (only >= 0 && number != only))
                continue;
            begin ??= e.At;
            Follow(line.Entry, open, journeys);
            while (journeys.TryPeek(out var first) && first.IsOver(e.At))
            {
                open.Remove((first.Model, first.Ask.Id));
                if (Row(journeys.Dequeue()) is { } row)
                    yield return row;
            }
        }

        while (journeys.TryDequeue(out var rest))
        {
            if (Row(rest) is { } row)
                yield return row;
        }

        TraceRow? Row(Journey journey) => journey.Output <= 0 ? null : new TraceRow
        {
            Seconds = Math.Max(0, (journey.Ask.Arrival - begin!.Value).Seconds),
            InputTokens = journey.Prompt,
            OutputTokens = journey.Output,
            Class = classes[journey.Ask.Class],
            Tenant = $"tenant-{journey.Ask.Tenant}",
            MaxTokens = journey.Ask.MaxTokens > 0 ? Math.Max(journey.Ask.MaxTokens, journey.Output) : 0,
            Prefix = Pieces(journey, lengths),
        };
    }

    private static void Follow(in LogEntry entry, Dictionary<(int Model, long Id), Journey> open, Queue<Journey> journeys)
    {
        if (entry.Event.Ask is not { } ask)
            return;
        var key = (entry.Model, ask.Id);
        switch (entry.Event.Kind)
        {
            case FleetEventKind.Queued when ask.Attempt > 0 && open.TryGetValue(key, out var again):
                again.Ended = null;
                break;
            case FleetEventKind.Queued:
                journeys.Enqueue(open[key] = new Journey(entry.Model, ask));
                break;
            case FleetEventKind.Unqueued when open.TryGetValue(key, out var left):
                left.Ended = entry.Event.At; // unless it is sent, which is told next
                break;
            case FleetEventKind.Dispatched when open.TryGetValue(key, out var sent):
                sent.Ended = null;
                break;
            case FleetEventKind.Ended when open.TryGetValue(key, out var ended):
                (ended.Ended, ended.Completed, ended.Output) = (entry.Event.At, entry.Event.Completed, entry.Event.OutputTokens);
                ended.Prompt = entry.PromptTokens > 0 ? entry.PromptTokens : ended.Prompt;
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// Each key is a piece, as long as it was when first seen: what a token measures in bytes is learned, and equal pieces must be equal.
    /// </summary>
    private static PromptSegment[] Pieces(Journey journey, Dictionary<ulong, int> lengths)
    {
        var pieces = new List<PromptSegment>();
        var (before, sum) = (0, 0);
        foreach (var key in journey.Ask.Prefix.Span)
        {
            if (!lengths.TryGetValue(key.Key, out var tokens))
                lengths.Add(key.Key, tokens = Math.Max(1, key.Tokens - before));
            (before, sum) = (key.Tokens, sum + tokens);
            if (sum > journey.Prompt)
                break;
            pieces.Add(new PromptSegment(key.Key, tokens));
        }

        return [.. pieces];
    }

    private sealed class Journey(int model, Ask ask)
    {
        public int Model { get; } = model;

        public Ask Ask { get; } = ask;

        public int Prompt { get; set; } = Math.Max(1, ask.PromptTokens);

        public int Output { get; set; }

        public bool Completed { get; set; }

        public Instant? Ended { get; set; }

        public bool IsOver(Instant now) => Ended is { } at && (Completed || (now - at).Seconds > GraceSeconds);
    }
}
