using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Engine;

/// <content>
/// What the next step holds, in the order of vLLM's scheduler: (1) who was fetched or cancelled leaves; (2) who generates gets a block for the next
/// token, by preempting the least urgent where there is none; (3) prompts that are under way go on; (4) who waits is let in, unless somebody
/// was preempted; (5) the step is timed.
/// </content>
public sealed partial class Replica
{
    private const long MostSteps = 1 << 20;

    private readonly List<EngineRequest> _cancelled = [];
    private readonly List<EngineRequest> _released = [];
    private readonly List<EngineRequest> _awaited = [];

    private void Plan(Instant now, ICollection<EngineEvent> told)
    {
        DropGone(told);
        var preempted = false;
        var prompts = 0;
        var idle = Array.TrueForAll(_lanes, lane => lane.Running == 0 && lane.Waiting.Count == 0);
        foreach (var lane in _lanes)
        {
            TakeSeen(lane, idle ? Instant.Never : now);
            TakeLoaded(lane, now);
            var lost = Grow(lane, told);
            EndBatch(lane);
            foreach (var request in lane.Joining)
                Join(lane, request);
            lane.Joining.Clear();
            prompts += Chunks(lane, now, !lost || lane.Running == 0, told);
            preempted |= lost;
        }

        _running = Running.Nothing;
        if (prompts > 0)
            BeginPrompts();
        else if (Generating > 0)
            BeginDecode(preempted || _awaited.Count > 0 || _stepByStep ? 1 : MostSteps);
        NextEvent = _running == Running.Nothing ? NextReady(now) : Instant.Earlier(_end, NextReady(now));
    }

    private static void TakeLoaded(Lane lane, Instant now)
    {
        for (var i = 0; i < lane.Loading.Count;)
        {
            var request = lane.Loading[i];
            if (request.ReadyAt > now)
            {
                i++;
                continue;
            }

            lane.Loading.RemoveAt(i);
            var generates = request.Fetches;
            if (generates)
            {
                (request.Computed, request.Delivered) = (request.Goal, true);
                lane.Publish(request, request.Goal);
            }

            request.Phase = generates ? EnginePhase.Joining : EnginePhase.Prefill;
            (generates ? lane.Joining : lane.Prefills).Add(request);
        }
    }

    private bool Grow(Lane lane, ICollection<EngineEvent> told)
    {
        var lost = false;
        while (!lane.TryGrow(_step))
        {
            var victim = lane.Victim()!;
            Remove(lane, victim);
            lane.Release(victim);
            victim.Preemptions++;
            victim.Phase = EnginePhase.Waiting;
            lane.Waiting.Enqueue(victim, (victim.Priority, victim.Order));
            told.Add(new EngineEvent(EngineEventKind.Preempted, victim));
            lost = true;
        }

        return lost;
    }

    private void Join(Lane lane, EngineRequest request)
    {
        (request.JoulesBefore, request.SecondsBefore) = (_joulesPerSequence, _secondsPerSequence);
        lane.Join(request, _step);
        if (request.Generated == 0)
            _awaited.Add(request);
    }

    private void Leave(Lane lane, EngineRequest request)
    {
        lane.Leave(request, _step);
        request.Joules += _joulesPerSequence - request.JoulesBefore;
        request.BusySeconds += _secondsPerSequence - request.SecondsBefore;
    }

    /// <summary>Deals the lane's token budget out; returns prompt tokens.</summary>
    private int Chunks(Lane lane, Instant now, bool admits, ICollection<EngineEvent> told)
    {
        var whole = (long)_settings.TokenBudget * Model.Deployment.Parallelism.Pipeline;
        var left = _settings.SeparatesPrompts ? whole : Math.Max(0, whole - (lane.Decodes.Count * _verify));
        var tokens = 0;
        foreach (var request in lane.Prefills)
            tokens += Chunk(lane, request, ref left);
        var opens = !_settings.StaticBatches || lane.Running == 0;
        while (admits && opens && (left > 0 || _settings.StaticBatches) && lane.Places < _settings.MaxSequences
            && lane.Waiting.TryPeek(out var request, out _))
        {
            if (!lane.TryAdmit(request, now))
            {
                if (lane.Running > 0)
                    break;
                lane.Waiting.Dequeue();
                request.Phase = EnginePhase.Outside;
                request.Refusal = $"its {request.Goal:N0} tokens do not fit in the KV cache";
                told.Add(new EngineEvent(EngineEventKind.Refused, request));
                continue;
            }

            lane.Waiting.Dequeue();
            if (Waits(lane, request, now, told))
                continue;
            request.Phase = EnginePhase.Prefill;
            lane.Prefills.Add(request);
            tokens += Chunk(lane, request, ref left);
        }

        return tokens;
    }

    /// <summary>Whether a request that was let in waits for KV cache from elsewhere.</summary>
    private static bool Waits(Lane lane, EngineRequest request, Instant now, ICollection<EngineEvent> told)
    {
        if (request.Fetches)
        {
            request.ReadyAt = Instant.Never;
            told.Add(new EngineEvent(EngineEventKind.PlaceReady, request));
        }
        else if (request.ReadyAt <= now)
        {
            return false;
        }

        request.Phase = EnginePhase.Loading;
        lane.Loading.Add(request);
        return true;
    }

    private static int Chunk(Lane lane, EngineRequest request, ref long left)
    {
        request.Chunk = (int)Math.Min(left, request.Goal - request.Computed);
        left -= request.Chunk;
        if (request.Chunk > 0)
            lane.Publish(request, request.Computed + request.Chunk);
        return request.Chunk;
    }

    private void BeginPrompts()
    {
        var busiest = default(LaneStep);
        double allTokens = 0, allDecodes = 0, chunks = 0;
        long parts = 0;
        var (all, most) = (0, 0);
        foreach (var lane in _lanes)
        {
            var here = lane.Decodes.Count + lane.Padding.Count;
            var step = LaneStep.Of(lane, _settings.SeparatesPrompts ? 0 : here);
            (allTokens, allDecodes, chunks) = (allTokens + step.Tokens, allDecodes + step.Decodes, chunks + step.Chunks);
            (all, most, parts) = (all + here, Math.Max(most, here), parts + lane.Decodes.Parts + lane.PaddingParts);
            if (step.Tokens + (step.Decodes * _verify) > busiest.Tokens + (busiest.Decodes * _verify))
                busiest = step;
        }

        var batches = Model.Batches(allDecodes + chunks);
        var context = all > 0 ? (double)parts / DecodeCurve.TokenParts / all : 0;
        var cost = Model.Step(new StepShape(
            busiest.Decodes / batches,
            busiest.Decodes / batches * context,
            busiest.Tokens / batches,
            busiest.Pairs / batches,
            Math.Max(1, busiest.Chunks / batches),
            (allTokens - busiest.Tokens) / batches,
            (allDecodes - busiest.Decodes) / batches));
        _running = Running.Prompts;
        _first = (Int128)Math.Round(cost.Seconds * 1e9 * Unit);
        _joules = new StepJoules(cost.Joules, 0);
        (_slope, _steps) = (0, 1);
        var decodes = allDecodes > 0 && Generating > 0;
        var alone = decodes ? Int128.Min(_first, _curve.Piece(most, all, parts).TimeAt(parts)) : 0;
        _prompts = new PromptStep((int)allTokens, decodes, alone, (double)alone / (double)_first);
        _end = End(1);
    }

    /// <summary>Prompts that are computed give their next token.</summary>
    private void CompletePrompts(Lane lane, ICollection<EngineEvent> told)
    {
        var kept = 0;
        for (var i = 0; i < lane.Prefills.Count; i++)
        {
            var request = lane.Prefills[i];
            if (request.Computed < request.Goal)
            {
                lane.Prefills[kept++] = request;
                continue;
            }

            if (request.Leg == Leg.Prompt)
            {
                request.Phase = EnginePhase.Fetched;
                lane.Fetched.Add(request);
                told.Add(new EngineEvent(EngineEventKind.PromptDone, request));
                continue;
            }

            _outputTokens++;
            if (++request.Generated == 1)
                told.Add(new EngineEvent(EngineEventKind.FirstToken, request));
            if (request.Generated >= request.Target)
            {
                End(lane, request, told, 0);
                continue;
            }

            request.Phase = EnginePhase.Joining;
            lane.Joining.Add(request);
        }

        lane.Prefills.RemoveRange(kept, lane.Prefills.Count - kept);
    }

    /// <summary>Ends what generated its last token, and tells of first tokens that came from a fetched cache.</summary>
    private void Finish(ICollection<EngineEvent> told)
    {
        foreach (var request in _awaited)
            told.Add(new EngineEvent(EngineEventKind.FirstToken, request));
        _awaited.Clear();
        foreach (var lane in _lanes)
        {
            while (lane.Decodes.FirstDone <= _step)
            {
                var request = lane.Decodes.First;
                var parts = lane.Decodes.PartsOf(request, _step);
                var counted = request.JoinGenerated + ((double)(_step - request.JoinStep) * _partsPerStep / DecodeCurve.TokenParts);
                Leave(lane, request);
                request.Generated = request.Target;
                _outputTokens -= counted - request.Target; // the last step of a draft yields only what was wanted
                End(lane, request, told, parts);
            }
        }
    }

    private void End(Lane lane, EngineRequest request, ICollection<EngineEvent> told, long parts)
    {
        told.Add(new EngineEvent(EngineEventKind.Finished, request));
        if (_settings.StaticBatches && parts > 0)
        {
            request.Phase = EnginePhase.Padding;
            lane.Padding.Add(request);
            lane.PaddingParts += parts;
            return;
        }

        lane.PublishAnswer(request);
        lane.Release(request);
        request.Phase = EnginePhase.Outside;
    }

    /// <summary>When the next KV cache arrives from host memory, or the scheduler sees the next request.</summary>
    private Instant NextReady(Instant now)
    {
        var next = Instant.Never;
        foreach (var lane in _lanes)
        {
            Look(lane.Loading);
            Look(lane.Arriving);
        }

        return next;

        void Look(List<EngineRequest> requests)
        {
            foreach (var request in requests)
            {
                if (request.ReadyAt > now)
                    next = Instant.Earlier(next, request.ReadyAt);
            }
        }
    }
}
