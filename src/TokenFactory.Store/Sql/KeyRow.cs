using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Store.Sql;

/// <summary>A key as a row.</summary>
internal sealed class KeyRow
{
    public const string Select = """
        SELECT id AS Id, tenant AS Tenant, sha256 AS Sha256, created_ns AS Created, label AS Label, expires_ns AS Expires,
          disabled AS Disabled
        FROM tokenfactory_keys ORDER BY id
        """;

    public const string Put = """
        INSERT INTO tokenfactory_keys (id, tenant, sha256, created_ns, label, expires_ns, disabled)
        VALUES (@Id, @Tenant, @Sha256, @Created, @Label, @Expires, @Disabled)
        ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, sha256 = excluded.sha256, created_ns = excluded.created_ns,
          label = excluded.label, expires_ns = excluded.expires_ns, disabled = excluded.disabled
        """;

    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required byte[] Sha256 { get; init; }

    public long Created { get; init; }

    public required string Label { get; init; }

    public long? Expires { get; init; }

    public long Disabled { get; init; }

    public static KeyRow Of(KeyRecord key) => new()
    {
        Id = Words.Text(key.Id),
        Tenant = Words.Text(key.Tenant),
        Sha256 = key.Sha256.ToArray(),
        Created = key.Created.Nanoseconds,
        Label = Words.Text(key.Label),
        Expires = key.Expires?.Nanoseconds,
        Disabled = key.Disabled ? 1 : 0,
    };

    public KeyRecord Record() => new(Id, Tenant, Sha256, new Instant(Created))
    {
        Label = Label,
        Expires = Expires is { } at ? new Instant(at) : null,
        Disabled = Disabled != 0,
    };
}
