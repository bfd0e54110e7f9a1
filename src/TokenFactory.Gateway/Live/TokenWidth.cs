namespace TokenFactory.Gateway.Live;

/// <summary>
/// Bytes of content per prompt token of a model, learned from usage: a moving mean by tokens, so that long prompts tell more than short
/// ones, whose chat template weighs as much as their text. What no tokeniser does is not believed.
/// </summary>
internal sealed class TokenWidth
{
    private const double Prior = 4;
    private const double PriorTokens = 1_000;
    private const double MostTokens = 1_000_000;
    private const double Least = 0.5;
    private const double Most = 16;
    private const int LeastTokens = 16;

    private readonly Lock _gate = new();
    private double _bytes = Prior * PriorTokens;
    private double _tokens = PriorTokens;

    public double BytesPerToken { get; private set; } = Prior;

    /// <summary>Takes what an engine counted. Prompts of a few tokens tell nothing, and what is far off the bounds was no text.</summary>
    public void Learn(long contentBytes, long promptTokens)
    {
        if (promptTokens < LeastTokens || contentBytes <= 0)
            return;
        var each = (double)contentBytes / promptTokens;
        if (each is < Least or > Most)
            return;
        var weight = Math.Min(promptTokens, MostTokens / 10);
        lock (_gate)
        {
            var kept = Math.Min(1, (MostTokens - weight) / _tokens);
            _bytes = (_bytes * kept) + (each * weight);
            _tokens = (_tokens * kept) + weight;
            BytesPerToken = _bytes / _tokens;
        }
    }
}
