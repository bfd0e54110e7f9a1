using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>A place within all limits of a tenant, with the most that its request can cost set aside. Settle it exactly once.</summary>
public sealed class Hold
{
    private readonly TenantAccount _account;
    private int _settled;

    internal Hold(TenantAccount account, Usd worst, long tokens, long slot, Instant taken)
    {
        _account = account;
        Worst = worst;
        Tokens = tokens;
        Slot = slot;
        Taken = taken;
    }

    /// <summary>What is set aside, in dollars.</summary>
    public Usd Worst { get; }

    /// <summary>Tokens that count against the minute until it is settled.</summary>
    internal long Tokens { get; }

    /// <summary>Where they were counted; -1 where the tenant had no limit.</summary>
    internal long Slot { get; }

    internal Instant Taken { get; }

    /// <summary>Gives the place back, and with it what was set aside and not used.</summary>
    /// <param name="charged">Dollars that the request is charged; what is above <see cref="Worst"/> is never charged.</param>
    /// <param name="tokens">Tokens that it took in the end, prompt and answer.</param>
    /// <returns>What was charged: what belongs into its record.</returns>
    /// <exception cref="InvalidOperationException">It was settled before.</exception>
    public Usd Settle(Usd charged, long tokens)
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0)
            throw new InvalidOperationException("A hold was settled twice");
        var within = new Usd(Math.Clamp(charged.Value, 0, Worst.Value));
        _account.Settle(this, within, tokens);
        return within;
    }
}
