using TokenFactory.Units;

namespace TokenFactory.Catalog;

/// <summary>What a provider's API charges for a model, by class of token.</summary>
/// <param name="Key">Its name in the catalog.</param>
/// <param name="Model">The model as the catalog names it.</param>
/// <param name="Provider">Whose API.</param>
/// <param name="Input">A million fresh input tokens.</param>
/// <param name="CachedInput">A million input tokens found in the cache.</param>
/// <param name="Output">A million generated tokens.</param>
public sealed record ApiPrice(
    string Key,
    string Model,
    string Provider,
    Sourced<UsdPerMillionTokens> Input,
    Sourced<UsdPerMillionTokens> CachedInput,
    Sourced<UsdPerMillionTokens> Output)
{
    /// <summary>Reads the entry; its mistakes are noted with the reader.</summary>
    public static ApiPrice Read(EntryReader entry)
    {
        var price = new ApiPrice(
            entry.Text("key"), entry.Text("model"), entry.Text("provider"),
            Price(entry, "input_usd_per_million"), Price(entry, "cached_input_usd_per_million"), Price(entry, "output_usd_per_million"));
        entry.RefuseUnknownKeys();
        return price;
    }

    private static Sourced<UsdPerMillionTokens> Price(EntryReader entry, string key) =>
        entry.Number(key, 0).Select(v => new UsdPerMillionTokens(v));
}

/// <summary>A class of service that is sold: a price, and the speed that a user is promised for it.</summary>
/// <param name="Name">"premium".</param>
/// <param name="Price">A million output tokens.</param>
/// <param name="MinimumPerUser">Tokens per second that one user sees at least.</param>
public sealed record ServiceTier(string Name, Sourced<UsdPerMillionTokens> Price, Sourced<TokensPerSecond> MinimumPerUser);

/// <summary>A set of tiers that belong together.</summary>
/// <param name="Key">Its name in the catalog.</param>
/// <param name="Name">The name for people.</param>
/// <param name="Tiers">From the cheapest to the dearest.</param>
public sealed record TierSet(string Key, string Name, IReadOnlyList<ServiceTier> Tiers)
{
    /// <summary>Reads the entry; its mistakes are noted with the reader.</summary>
    public static TierSet Read(EntryReader entry)
    {
        var set = new TierSet(entry.Text("key"), entry.Text("name"), [.. entry.Objects("tiers").Select(ReadTier)]);
        entry.RefuseUnknownKeys();
        return set;
    }

    private static ServiceTier ReadTier(EntryReader entry)
    {
        var price = entry.Number("usd_per_million_tokens", 0);
        var speed = entry.Number("minimum_tokens_per_second_per_user");
        var tier = new ServiceTier(
            entry.Text("name"),
            new Sourced<UsdPerMillionTokens>(new UsdPerMillionTokens(price.Value), price.From, price.Note),
            new Sourced<TokensPerSecond>(new TokensPerSecond(speed.Value), speed.From, speed.Note));
        entry.RefuseUnknownKeys();
        return tier;
    }
}
