using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Engine;

/// <summary>
/// One replica of an inference engine: continuous batching with chunked prefill, paged KV blocks, prefix cache, preemption. It knows no
/// clock: whoever drives it calls <see cref="Advance"/> at <see cref="NextEvent"/>, in virtual or in wall time. Steps in which nothing
/// changes but the length of contexts are summed instead of run, which changes no result (see docs/INVARIANTS.md, law 2).
/// </summary>
public sealed partial class Replica
{
    private readonly EngineSettings _settings;
    private readonly bool _stepByStep;
    private readonly Lane[] _lanes;
    private readonly long _verify;
    private readonly long _partsPerStep;
    private DecodeCurve _curve;
    private long _order;
    private long _step;

    /// <summary>A replica with nothing to do.</summary>
    /// <param name="model">How long its steps take and what they draw.</param>
    /// <param name="settings">How its engine schedules.</param>
    /// <param name="stepByStep">Run every step by itself: slow, and the same results.</param>
    public Replica(ReplicaModel model, EngineSettings settings, bool stepByStep = false)
        : this(new DecodeCurve(model), settings, stepByStep)
    {
    }

    /// <summary>A replica with nothing to do that shares what is known of its steps with others that are alike and run on the same thread.</summary>
    /// <param name="curve">How long its steps take and what they draw.</param>
    /// <param name="settings">How its engine schedules.</param>
    /// <param name="stepByStep">Run every step by itself: slow, and the same results.</param>
    public Replica(DecodeCurve curve, EngineSettings settings, bool stepByStep = false)
    {
        (_settings, _stepByStep, _curve) = (settings, stepByStep, curve);
        var model = curve.Model;
        var speculation = model.Deployment.Speculation;
        _verify = 1 + (speculation?.DraftTokens ?? 0);
        _partsPerStep = Math.Max(DecodeCurve.TokenParts, (long)Math.Round((speculation?.TokensPerStep ?? 1) * DecodeCurve.TokenParts));
        var cache = new KvCapacity(model.Deployment).Paged(settings.BlockTokens);
        _lanes = [.. Enumerable.Range(0, model.Deployment.AttentionGroups).Select(_ => new Lane(settings, cache, _partsPerStep))];
    }

    /// <summary>How long its steps take and what they draw.</summary>
    public ReplicaModel Model => _curve.Model;

    /// <summary>How its engine schedules.</summary>
    public EngineSettings Settings => _settings;

    /// <summary>When <see cref="Advance"/> is due; never while nothing goes on.</summary>
    public Instant NextEvent { get; private set; } = Instant.Never;

    /// <summary>Tokens of one sequence that its KV cache could hold, prompt and answer.</summary>
    public long MostTokens => Math.Min(_lanes[0].MostTokens, _settings.ContextTokens);

    /// <summary>Requests here.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var lane in _lanes)
                count += lane.Count;
            return count;
        }
    }

    /// <summary>Why a request can never be served here; null where it can.</summary>
    /// <param name="promptTokens">Length of its prompt.</param>
    public string? Refuses(int promptTokens) =>
        promptTokens >= _settings.ContextTokens
            ? $"its prompt of {promptTokens:N0} tokens leaves no room in the context of {_settings.ContextTokens:N0}"
            : promptTokens + 1 > _lanes[0].MostTokens
                ? $"its prompt of {promptTokens:N0} tokens does not fit in the KV cache of {_lanes[0].MostTokens:N0}"
                : null;

    /// <summary>Takes a request in. Ask <see cref="Refuses"/> first.</summary>
    public void Submit(EngineRequest request, Instant now)
    {
        var lane = 0;
        for (var i = 1; i < _lanes.Length; i++)
        {
            if (_lanes[i].Count < _lanes[lane].Count)
                lane = i;
        }

        request.Lane = lane;
        request.Order = _order++;
        request.Target = Target(request);
        request.Phase = EnginePhase.Waiting;
        request.ReadyAt = now + ReceiveDelay(now);
        if (request.ReadyAt > now)
        {
            _lanes[lane].Arriving.Add(request);
            NextEvent = Instant.Earlier(NextEvent, request.ReadyAt);
            return;
        }

        _lanes[lane].Waiting.Enqueue(request, (request.Priority, request.Order));
        Disturb(now);
    }

    /// <summary>Takes a request out, wherever it is; it leaves with the step that runs.</summary>
    public void Cancel(EngineRequest request, Instant now)
    {
        if (request.Cancelled || request.Phase is EnginePhase.Outside or EnginePhase.Padding)
            return;
        request.Cancelled = true;
        _cancelled.Add(request);
        Disturb(now);
    }

    /// <summary>The KV cache of a request that waited for it is there.</summary>
    public void Delivered(EngineRequest request, Instant now)
    {
        request.ReadyAt = now;
        Disturb(now);
    }

    /// <summary>The KV cache of a computed prompt was fetched, or nobody wants it: its blocks are free for others.</summary>
    public void Release(EngineRequest request, Instant now)
    {
        if (request.Phase != EnginePhase.Fetched)
            return;
        request.Phase = EnginePhase.Outside;
        _released.Add(request); // its blocks serve from the next step on, as the steps before it may have evicted others for theirs
        Disturb(now);
    }

    /// <summary>Replaces what steps cost, from the next one on: a GPU that grew slow, or recovered.</summary>
    public void Replace(DecodeCurve curve, Instant now)
    {
        Disturb(now);
        _curve = curve;
    }

    /// <summary>The replica is gone, with everything in it. What was generated by then is counted; the rest of the step is not.</summary>
    /// <returns>Its requests, in the order in which they came.</returns>
    public IReadOnlyList<EngineRequest> Fail(Instant now)
    {
        Stop(now);
        var all = new List<EngineRequest>();
        foreach (var lane in _lanes)
        {
            all.AddRange(lane.All().Where(request => request.Phase != EnginePhase.Outside));
            foreach (var request in lane.Decodes.All.ToArray())
                Leave(lane, request);
            foreach (var request in lane.Padding)
                request.Phase = EnginePhase.Outside;
            lane.Clear();
        }

        foreach (var request in all)
            (request.Phase, request.Admitted) = (EnginePhase.Outside, false);
        _cancelled.Clear();
        _awaited.Clear();
        _released.Clear();
        _sinceDecode = 0;
        NextEvent = Instant.Never;
        return [.. all.OrderBy(request => request.Order)];
    }

    /// <summary>The scheduler sees who arrived; an idle one at once.</summary>
    private static void TakeSeen(Lane lane, Instant now)
    {
        for (var i = 0; i < lane.Arriving.Count;)
        {
            var request = lane.Arriving[i];
            if (request.ReadyAt > now)
            {
                i++;
                continue;
            }

            lane.Arriving.RemoveAt(i);
            lane.Waiting.Enqueue(request, (request.Priority, request.Order));
        }
    }

    private int Target(EngineRequest request)
    {
        var declared = request.MaxTokens > 0 ? request.MaxTokens : int.MaxValue;
        var room = Math.Min(int.MaxValue, MostTokens - request.PromptTokens);
        var most = request.Leg == Leg.Prompt ? 1 : Math.Max(1, request.Script.OutputTokens);
        return (int)Math.Max(1, Math.Min(most, Math.Min(declared, room)));
    }
}
