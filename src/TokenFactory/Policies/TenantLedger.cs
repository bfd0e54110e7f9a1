using TokenFactory.Fleet;

namespace TokenFactory.Policies;

/// <summary>
/// Tokens that each tenant was served while others waited: what its requests were expected to take when they went, and what they took
/// otherwise. A tenant that was away comes back at the least of those that wait, so that it neither saved up nor owes anything.
/// </summary>
internal sealed class TenantLedger
{
    private readonly List<Account> _accounts = [];
    private readonly IndexedHeap _active = new();
    private long _last;

    /// <summary>Its tokens by now.</summary>
    public long Of(FleetSnapshot fleet, int tenant) => _accounts[tenant].Tokens + Unexpected(fleet, tenant);

    /// <summary>A request of a tenant begins to wait.</summary>
    public void Enter(FleetSnapshot fleet, int tenant)
    {
        while (_accounts.Count <= tenant)
            _accounts.Add(default);
        var account = _accounts[tenant];
        if (account.Waiting == 0)
        {
            var least = _active.Count > 0 ? _active.FirstKey : _last;
            account = account with { Tokens = Math.Max(account.Tokens, least - Unexpected(fleet, tenant)) };
        }

        _accounts[tenant] = account with { Waiting = account.Waiting + 1 };
        Rank(fleet, tenant);
    }

    /// <summary>A request of a tenant no longer waits.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="tenant">Whose.</param>
    /// <param name="charge">Tokens that it takes; 0 where it was not sent.</param>
    public void Leave(FleetSnapshot fleet, int tenant, long charge)
    {
        var account = _accounts[tenant];
        _accounts[tenant] = new Account(account.Tokens + charge, account.Waiting - 1);
        if (charge > 0)
            _last = Of(fleet, tenant);
        if (account.Waiting > 1)
            Rank(fleet, tenant);
        else
            _active.Remove(tenant);
    }

    private void Rank(FleetSnapshot fleet, int tenant) => _active.Set(tenant, Of(fleet, tenant));

    private static long Unexpected(FleetSnapshot fleet, int tenant) =>
        tenant < fleet.Tenants.Count ? fleet.Tenants[tenant].UnexpectedTokens : 0;

    private readonly record struct Account(long Tokens, int Waiting);
}
