namespace TokenFactory.Engine;

/// <content>Who was fetched, cancelled or is done leaves.</content>
public sealed partial class Replica
{
    private void DropGone(ICollection<EngineEvent> told)
    {
        foreach (var request in _released)
        {
            _lanes[request.Lane].Fetched.Remove(request);
            _lanes[request.Lane].Release(request);
        }

        _released.Clear();
        foreach (var request in _cancelled)
        {
            if (request.Phase is EnginePhase.Outside or EnginePhase.Padding)
                continue;
            var lane = _lanes[request.Lane];
            Remove(lane, request);
            lane.Release(request);
            request.Phase = EnginePhase.Outside;
            told.Add(new EngineEvent(EngineEventKind.Cancelled, request));
        }

        _cancelled.Clear();
    }

    /// <summary>Takes a request off its lane's lists.</summary>
    private void Remove(Lane lane, EngineRequest request)
    {
        switch (request.Phase)
        {
            case EnginePhase.Waiting:
                _ = lane.Arriving.Remove(request) || lane.Waiting.Remove(request, out _, out _);
                break;
            case EnginePhase.Decode:
                Leave(lane, request);
                break;
            default:
                _ = lane.Prefills.Remove(request) || lane.Joining.Remove(request) || lane.Loading.Remove(request)
                    || lane.Fetched.Remove(request);
                break;
        }

        _awaited.Remove(request);
    }

    /// <summary>The places of a static batch are free when all of it is done.</summary>
    private static void EndBatch(Lane lane)
    {
        if (lane.Padding.Count == 0 || lane.Running > lane.Padding.Count)
            return;
        foreach (var request in lane.Padding)
        {
            lane.Release(request);
            request.Phase = EnginePhase.Outside;
        }

        lane.Padding.Clear();
        lane.PaddingParts = 0;
    }
}
