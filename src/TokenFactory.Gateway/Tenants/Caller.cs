using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Tenants;

/// <summary>A tenant and the key that a request came with. Made once per key whenever tenants or keys change, never per request.</summary>
public sealed class Caller
{
    internal Caller(TenantRecord tenant, KeyRecord key, TenantAccount account)
    {
        Tenant = tenant;
        Key = key;
        Account = account;
    }

    /// <summary>Who is served.</summary>
    public TenantRecord Tenant { get; }

    /// <summary>By which key.</summary>
    public KeyRecord Key { get; }

    /// <summary>Number of the tenant, for Ask.Tenant; a tenant's never changes while the process runs.</summary>
    public int Index => Account.Index;

    /// <summary>Salt for engines' prefix caches: a secret of this installation hashed with the tenant's name.</summary>
    public string CacheSalt => Account.Salts.Cache;

    /// <summary>Salt for the gateway's own prefix keys.</summary>
    public ulong PrefixSalt => Account.Salts.Prefix;

    internal TenantAccount Account { get; }

    /// <summary>Whether its tenant may use a model.</summary>
    public bool MayUse(string model) => Tenant.Models.Count == 0 || Tenant.Models.Contains(model, StringComparer.Ordinal);
}
