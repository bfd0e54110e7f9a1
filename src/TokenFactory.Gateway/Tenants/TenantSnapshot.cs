using TokenFactory.Gateway.Setup;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>All tenants and keys at a moment. Never changed; replaced as a whole.</summary>
internal sealed class TenantSnapshot
{
    private readonly Dictionary<string, Caller> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Caller>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly Dictionary<KeyHash, Caller> _byHash = [];

    /// <summary>Puts them together.</summary>
    /// <param name="file">Tenants that the factory file names: they win.</param>
    /// <param name="tenants">Tenants of the store.</param>
    /// <param name="keys">Keys of the store.</param>
    /// <param name="account">Account of a tenant.</param>
    public TenantSnapshot(
        IReadOnlyList<TenantSetup> file,
        IReadOnlyList<TenantRecord> tenants,
        IReadOnlyList<KeyRecord> keys,
        Func<TenantRecord, TenantAccount> account)
    {
        _ids = _byId.GetAlternateLookup<ReadOnlySpan<char>>();
        InFile = file.Select(each => each.Tenant.Name).ToHashSet(StringComparer.Ordinal);
        ByName = file.Select(each => each.Tenant)
            .Concat(tenants.Where(tenant => !InFile.Contains(tenant.Name)))
            .ToDictionary(tenant => tenant.Name, StringComparer.Ordinal);
        Tenants = [.. ByName.Values.OrderBy(tenant => tenant.Name, StringComparer.Ordinal)];
        var known = keys.Where(key => ByName.ContainsKey(key.Tenant));
        Keys = [.. known.OrderBy(key => key.Created).ThenBy(key => key.Id, StringComparer.Ordinal)];
        foreach (var key in Keys)
            _byId.Add(key.Id, new Caller(ByName[key.Tenant], key, account(ByName[key.Tenant])));
        foreach (var tenant in file)
        {
            foreach (var sha256 in tenant.KeyHashes)
            {
                var hash = KeyHash.Of(sha256.Span);
                var key = new KeyRecord($"file-{Convert.ToHexStringLower(sha256.Span[..4])}", tenant.Tenant.Name, sha256, Instant.Start);
                _byHash.TryAdd(hash, new Caller(tenant.Tenant, key, account(tenant.Tenant)));
            }
        }
    }

    /// <summary>Tenants by name, in order.</summary>
    public IReadOnlyList<TenantRecord> Tenants { get; }

    public IReadOnlyDictionary<string, TenantRecord> ByName { get; }

    /// <summary>Names of those that stand in the factory file.</summary>
    public IReadOnlySet<string> InFile { get; }

    /// <summary>Keys of the store whose tenants are there, oldest first.</summary>
    public IReadOnlyList<KeyRecord> Keys { get; }

    /// <summary>Whether anybody can be served.</summary>
    public bool HasKeys => _byId.Count + _byHash.Count > 0;

    /// <summary>Whose key it is, by its hash; null for nobody's. A wrong secret, name or form takes the same work.</summary>
    public Caller? Find(ReadOnlySpan<char> key)
    {
        var hash = ApiKey.Hash(key);
        _ids.TryGetValue(ApiKey.IdOf(key), out var named);
        var right = System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(
            named is null ? Nobody : named.Key.Sha256.Span, hash);
        _byHash.TryGetValue(hash, out var listed);
        return right && named is not null ? named : listed;
    }

    private static readonly byte[] Nobody = new byte[System.Security.Cryptography.SHA256.HashSizeInBytes];
}
