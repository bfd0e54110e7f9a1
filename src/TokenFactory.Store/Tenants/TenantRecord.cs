using TokenFactory.Units;

namespace TokenFactory.Store.Tenants;

/// <summary>Who is served, and up to which limits.</summary>
/// <param name="Name">"acme"; never changes.</param>
public sealed record TenantRecord(string Name)
{
    /// <summary>Names of the models it may use; empty for all.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Service class of its requests unless they name another; null for the first.</summary>
    public string? Class { get; init; }

    /// <summary>Classes that its requests may name; empty for only its own.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Most requests per minute; null for no limit.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Most tokens per minute, prompts and answers; null for no limit.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>Most requests at once; null for no limit.</summary>
    public int? Concurrency { get; init; }

    /// <summary>Most dollars per clock hour (UTC); null for no limit.</summary>
    public Usd? UsdPerHour { get; init; }

    /// <summary>Most dollars per day (UTC); null for no limit.</summary>
    public Usd? UsdPerDay { get; init; }

    /// <summary>Most dollars per calendar month (UTC); null for no limit.</summary>
    public Usd? UsdPerMonth { get; init; }

    /// <summary>Tokens that an answer may have where its request declares none, and at most; null for the model's context.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>Whether answers carry x-tokenfactory-* headers that tell where and why they were computed.</summary>
    public bool ShowsDecisions { get; init; }

    /// <summary>Whether it is refused for now.</summary>
    public bool Disabled { get; init; }
}

/// <summary>A key as it is kept: the secret is not.</summary>
/// <param name="Id">Public part, as it stands in records and logs.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Sha256">Hash of the whole key, 32 bytes.</param>
/// <param name="Created">When it was made.</param>
public sealed record KeyRecord(string Id, string Tenant, ReadOnlyMemory<byte> Sha256, Instant Created)
{
    /// <summary>What it is for, in words.</summary>
    public string Label { get; init; } = "";

    /// <summary>When it ends; null for never.</summary>
    public Instant? Expires { get; init; }

    /// <summary>Whether it is refused for now.</summary>
    public bool Disabled { get; init; }
}
