using TokenFactory.Gateway.Setup;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Api;

/// <summary>What requests are charged, and the most that one can come to. Money is rounded to billionths of a dollar.</summary>
internal static class Charge
{
    /// <summary>Tokens that chat templates and tool instructions put around what a client sends.</summary>
    private const int TemplateTokens = 512;

    private const int Digits = 9;
    private const decimal Million = 1_000_000;

    /// <summary>What tokens cost their tenant; nothing where the model has no price.</summary>
    public static Usd Of(TokenPrice? price, TokenCounts tokens) => price is null
        ? Usd.Zero
        : new Usd(Math.Round(
            ((tokens.Fresh * price.Input) + (tokens.Cached * price.Cached) + (tokens.Output * price.Output)) / Million,
            Digits,
            MidpointRounding.ToEven));

    /// <summary>The most that a request can be charged.</summary>
    /// <param name="price">The model's price.</param>
    /// <param name="promptTokens">The most tokens that its prompt can have.</param>
    /// <param name="outputTokens">The most tokens that its answers can have together.</param>
    public static Usd Worst(TokenPrice? price, long promptTokens, long outputTokens)
    {
        if (price is null)
            return Usd.Zero;
        var usd = ((promptTokens * Math.Max(price.Input, price.Cached)) + (outputTokens * price.Output)) / Million;
        return new Usd(decimal.Ceiling(usd * Million * 1000) / (Million * 1000));
    }

    /// <summary>
    /// The most tokens that a prompt can have: no token has fewer than one byte. Media have tokens that bytes do not tell: the context
    /// bounds them.
    /// </summary>
    /// <param name="bodyBytes">Bytes of the whole body: tools are part of the prompt too.</param>
    /// <param name="hasMedia">Whether it names images, audio or files.</param>
    /// <param name="contextTokens">Longest sequence of the model.</param>
    public static long MostPromptTokens(long bodyBytes, bool hasMedia, int contextTokens) =>
        hasMedia ? contextTokens : Math.Min(contextTokens, bodyBytes + TemplateTokens);
}
