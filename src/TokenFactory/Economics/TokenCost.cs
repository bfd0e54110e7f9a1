using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>Cost per million tokens on both bases.</summary>
/// <param name="Usage">Of the busy time only.</param>
/// <param name="Allocation">Of all paid time: what an external API price may be compared with.</param>
public readonly record struct CostBases(UsdPerMillionTokens Usage, UsdPerMillionTokens Allocation);

/// <summary>Cost per million tokens by class; what it is multiplied with the streams sums to the price of the GPUs.</summary>
/// <param name="FreshInput">A million input tokens that were computed.</param>
/// <param name="CachedInput">A million input tokens that were found in the cache.</param>
/// <param name="Output">A million generated tokens, reasoning included.</param>
public readonly record struct CostByClass(UsdPerMillionTokens FreshInput, UsdPerMillionTokens CachedInput, UsdPerMillionTokens Output);

/// <summary>Streams of a deployment by class, in tokens per second and GPU, over all its GPUs. The classes are disjoint.</summary>
/// <param name="FreshInput">Input tokens that are computed.</param>
/// <param name="CachedInput">Input tokens found in the cache.</param>
/// <param name="Output">Generated tokens.</param>
public readonly record struct TokenStreams(TokensPerSecond FreshInput, TokensPerSecond CachedInput, TokensPerSecond Output)
{
    /// <summary>All tokens of the deployment.</summary>
    public TokensPerSecond Total => FreshInput + CachedInput + Output;
}

/// <summary>Cost per million tokens.</summary>
public static class TokenCost
{
    /// <summary>$/M tok of a GPU-hour: price / (tokens per second x 3600) x 10^6.</summary>
    /// <param name="perGpu">Price of a GPU-hour.</param>
    /// <param name="throughput">Tokens per second and GPU, over all GPUs of the deployment.</param>
    public static UsdPerMillionTokens Blended(UsdPerHour perGpu, TokensPerSecond throughput) => perGpu / throughput;

    /// <summary>Tokens per second and GPU of a deployment: divided by all its GPUs, prefill and decode.</summary>
    /// <param name="deployment">Tokens per second of the whole deployment.</param>
    /// <param name="prefillGpus">GPUs that prefill; 0 where every GPU does both.</param>
    /// <param name="decodeGpus">GPUs that decode, or all of them where every GPU does both.</param>
    public static TokensPerSecond PerGpu(TokensPerSecond deployment, int prefillGpus, int decodeGpus) =>
        deployment / (prefillGpus + decodeGpus);

    /// <summary>
    /// Both bases: usage counts busy time, allocation all paid time, so utilisation = usage / allocation at full availability.
    /// </summary>
    /// <param name="perGpu">Price of a GPU-hour, paid whether it serves or not.</param>
    /// <param name="throughput">Tokens per second and GPU while busy.</param>
    /// <param name="utilisation">Served tokens over what the operating point could produce.</param>
    /// <param name="availability">Share of the paid hours in which the GPU can serve.</param>
    public static CostBases Bases(UsdPerHour perGpu, TokensPerSecond throughput, Fraction utilisation, Fraction availability)
    {
        var usage = Blended(perGpu, throughput);
        return new CostBases(usage, usage / (utilisation.Value * availability.Value));
    }

    /// <summary>
    /// Splits the price of the GPUs over the token classes by phase: prefill's share of GPU time pays for input, decode's for output;
    /// a cached token weighs <paramref name="cachedWeight"/> of a fresh one. A class without tokens pays nothing; the others pay for it.
    /// Class cost x class stream sums to the price exactly.
    /// </summary>
    /// <param name="perGpu">Price of a GPU-hour.</param>
    /// <param name="streams">Streams per GPU, over all GPUs.</param>
    /// <param name="prefillShare">Share of the GPU time spent on prefill: prefill GPUs over all GPUs where they are separate.</param>
    /// <param name="cachedWeight">Work or price of a cached input token relative to a fresh one.</param>
    public static CostByClass Split(UsdPerHour perGpu, TokenStreams streams, Fraction prefillShare, Fraction cachedWeight)
    {
        var weightedInput = streams.FreshInput + (streams.CachedInput * cachedWeight.Value);
        var inputShare = weightedInput.Value <= 0 ? 0 : streams.Output.Value > 0 ? prefillShare.Value : 1;
        var fresh = weightedInput.Value > 0 ? perGpu * inputShare / weightedInput : default;
        var output = streams.Output.Value > 0 ? perGpu * (1 - inputShare) / streams.Output : default;
        return new CostByClass(fresh, fresh * cachedWeight.Value, output);
    }

    /// <summary>The input stream that a price list with a cache discount bills: fresh + cached x relative price.</summary>
    public static TokensPerSecond BillableInput(TokensPerSecond input, Fraction hitRate, Fraction cachedPrice) =>
        input * (1 - (hitRate.Value * (1 - cachedPrice.Value)));

    /// <summary>
    /// Splits an amount by weights so that the parts sum to it exactly, to the last digit of the decimal: the last part that weighs
    /// anything takes the remainder.
    /// </summary>
    /// <param name="total">What to split.</param>
    /// <param name="weights">Not negative, at least one above zero.</param>
    /// <exception cref="ArgumentException">No weight is above zero, or one is negative.</exception>
    public static IReadOnlyList<Usd> Apportion(Usd total, IReadOnlyList<decimal> weights)
    {
        var sum = weights.Sum();
        if (sum <= 0 || weights.Any(weight => weight < 0))
            throw new ArgumentException("Weights are not negative and at least one is above zero.", nameof(weights));
        var parts = weights.Select(weight => new Usd(decimal.Round(total.Value * (weight / sum), 12, MidpointRounding.ToZero))).ToArray();
        var last = weights.Count - 1;
        while (weights[last] == 0)
            last--;
        parts[last] = parts.Where((_, i) => i != last).Aggregate(total, (rest, part) => rest - part);
        return parts;
    }
}
