namespace TokenFactory.Engine;

/// <summary>What one attention group brings to a step.</summary>
internal readonly record struct LaneStep(double Tokens, double Pairs, double Chunks, double Decodes)
{
    public static LaneStep Of(Lane lane, int decodes)
    {
        double tokens = 0, pairs = 0, chunks = 0;
        foreach (var request in lane.Prefills)
        {
            if (request.Chunk == 0)
                continue;
            tokens += request.Chunk;
            pairs += request.Chunk * (request.Computed + (request.Chunk / 2.0));
            chunks++;
        }

        return new LaneStep(tokens, pairs, chunks, decodes);
    }
}
