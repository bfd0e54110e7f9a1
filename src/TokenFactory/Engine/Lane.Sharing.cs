using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Engine;

/// <content>Blocks that prompts which begin alike share: found when a request is let in, published as they are computed.</content>
internal sealed partial class Lane
{
    /// <summary>Makes pieces of the prompt that are computed by the end of the step findable for those that begin alike.</summary>
    public void Publish(EngineRequest request, int tokens)
    {
        var pieces = request.Prompt.Span;
        while (_shares && request.Published < pieces.Length)
        {
            var piece = pieces[request.Published];
            var end = request.PublishedTokens + piece.Tokens;
            if (end > tokens || end > request.PromptTokens)
                return;
            var blocks = (end / _settings.BlockTokens) - (request.PublishedTokens / _settings.BlockTokens);
            request.PublishedKey = PromptChain.Next(request.PublishedKey, piece);
            request.PublishedTokens = end;
            request.Published++;
            if (blocks > 0)
                Publish(request, blocks, blocks);
        }
    }

    /// <summary>Makes a finished answer findable for a prompt that quotes it.</summary>
    public void PublishAnswer(EngineRequest request)
    {
        var answer = request.Script;
        if (!_shares || answer.OutputContent == 0 || request.PublishedTokens != request.PromptTokens
            || request.Generated != answer.OutputTokens || request.Leg == Leg.Prompt)
        {
            return;
        }

        var (block, end) = (_settings.BlockTokens, request.PromptTokens + answer.OutputTokens);
        var before = request.PromptTokens / block;
        var (blocks, resident) = ((end / block) - before, ((end - 1) / block) - before); // the last token's keys were never needed
        request.PublishedKey = PromptChain.Next(request.PublishedKey, new PromptSegment(answer.OutputContent, answer.OutputTokens));
        if (resident > 0)
            Publish(request, blocks, resident);
    }

    /// <summary>Tokens at the beginning of a prompt that the cache holds, and of those after them that host memory holds.</summary>
    private (int Hit, int Loaded) Match(EngineRequest request)
    {
        _hits.Clear();
        ulong key = 0;
        int end = 0, hit = 0, loaded = 0;
        var (whole, block) = (true, _settings.BlockTokens);
        foreach (var piece in request.Prompt.Span)
        {
            key = PromptChain.Next(key, piece);
            var blocks = ((end + piece.Tokens) / block) - (end / block);
            end += piece.Tokens;
            if (end > request.PromptTokens)
                break;
            if (blocks == 0)
                continue;
            var node = whole ? Pool.Find(key) : null;
            if (node is not null)
            {
                _hits.Add(node);
                hit += node.Resident * block;
            }

            if (node is not null && node.Resident == blocks)
                continue;
            whole = false;
            if (_host?.Use(key) != true)
                break;
            loaded += (blocks - (node?.Resident ?? 0)) * block;
        }

        return (hit, loaded);
    }

    private void Publish(EngineRequest request, int blocks, int resident)
    {
        _host?.Keep(request.PublishedKey, blocks);
        var found = Pool.Find(request.PublishedKey);
        if (found is null)
        {
            request.Nodes.Add(Pool.Publish(request.PublishedKey, blocks, resident));
            request.Private -= resident;
        }
        else if (request.NextHit < request.Nodes.Count && ReferenceEquals(request.Nodes[request.NextHit], found))
        {
            request.NextHit++;
            request.Private -= Math.Max(0, resident - found.Resident);
            found.Resident = Math.Max(resident, found.Resident);
        }
    }

    /// <summary>When blocks from host memory will be there: loads pass its link one after another.</summary>
    private Instant Load(int blocks, Instant now)
    {
        var start = _hostFree > now ? _hostFree : now;
        _hostFree = start + Duration.OfSeconds(blocks * _blockBytes / _settings.HostBytesPerSecond);
        return _hostFree;
    }
}
