using TokenFactory.Gateway.Live;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>
/// What a tenant spent, set aside and sent lately. Invariant, under its lock and for each budget: spent in the running span + reserved is
/// at most the budget, unless the budget was lowered below it. A reservation counts against every span that runs while it stands, and what
/// is charged counts in the span in which it is settled. So a request that begins in one hour and ends in the next has room in both: when
/// the hour turns, spent becomes nothing and reserved stays, and settling never adds more to spent than it takes from reserved. The same
/// holds for the ledger, which counts a request in the hour of its end: what ended in an hour was reserved or spent at its last instant.
/// </summary>
internal sealed class TenantAccount
{
    private const double NewestShare = 0.1;
    private readonly Lock _gate = new();
    private readonly WallClock _clock;
    private readonly BudgetWindow[] _windows = [new(BudgetSpan.Hour), new(BudgetSpan.Day), new(BudgetSpan.Month)];
    private SlidingMinute? _requests;
    private SlidingMinute? _tokens;
    private decimal _reserved;
    private int _running;
    private double _meanSeconds;
    private TenantRecord _limits;

    public TenantAccount(int index, TenantRecord limits, Salts salts, WallClock clock)
    {
        Index = index;
        Salts = salts;
        _limits = limits;
        _clock = clock;
    }

    /// <summary>Number of the tenant; never changes.</summary>
    public int Index { get; }

    public Salts Salts { get; }

    /// <summary>The limits from now on.</summary>
    public void Limit(TenantRecord limits)
    {
        lock (_gate)
            _limits = limits;
    }

    /// <summary>What the ledger says was charged in the spans that run at an instant.</summary>
    public void Begin(Instant at, decimal hour, decimal day, decimal month)
    {
        lock (_gate)
        {
            ReadOnlySpan<decimal> spent = [hour, day, month];
            for (var i = 0; i < _windows.Length; i++)
            {
                _windows[i].Roll(at);
                _windows[i].Spent = spent[i];
            }
        }
    }

    /// <summary>Takes a place within all limits, or none.</summary>
    public Hold? Reserve(Instant now, long tokens, Usd worst, out Refused? why)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfNegative(worst.Value);
        lock (_gate)
        {
            Advance(now);
            why = Blocking(tokens, worst.Value, now)?.Refuse(_limits);
            if (why is not null)
                return null;
            _requests?.Add(1);
            _tokens?.Add(tokens);
            _reserved += worst.Value;
            _running++;
            return new Hold(this, worst, tokens, _tokens?.Slot ?? -1, now);
        }
    }

    public void Settle(Hold hold, Usd charged, long tokens)
    {
        lock (_gate)
        {
            var now = _clock.Now;
            Advance(now);
            _reserved -= hold.Worst.Value;
            _running--;
            foreach (ref var window in _windows.AsSpan())
                window.Spent += charged.Value;
            if (_tokens is not null && hold.Slot >= 0)
            {
                if (tokens < hold.Tokens)
                    _tokens.Return(hold.Slot, hold.Tokens - tokens);
                else
                    _tokens.Add(tokens - hold.Tokens);
            }

            var took = (now - hold.Taken).Seconds;
            _meanSeconds += (took - _meanSeconds) * (_meanSeconds == 0 ? 1 : NewestShare);
        }
    }

    public TenantUsage Usage(string name)
    {
        lock (_gate)
        {
            Advance(_clock.Now);
            return new TenantUsage(
                name, new(_windows[0].Spent), new(_windows[1].Spent), new(_windows[2].Spent), new(_reserved), _running,
                _requests?.Sum, _tokens?.Sum);
        }
    }

    private void Advance(Instant now)
    {
        foreach (ref var window in _windows.AsSpan())
            window.Roll(now);
        _requests = Counted(_requests, _limits.RequestsPerMinute is not null, now);
        _tokens = Counted(_tokens, _limits.TokensPerMinute is not null, now);
    }

    private static SlidingMinute? Counted(SlidingMinute? minute, bool wanted, Instant now)
    {
        if (!wanted)
            return null;
        minute ??= new SlidingMinute();
        minute.Advance(now);
        return minute;
    }

    /// <summary>Of the limits that stand in the way, the one that does so longest; null for none.</summary>
    private TenantLimit? Blocking(long tokens, decimal worst, Instant now)
    {
        TenantLimit? found = null;
        if (_limits.RequestsPerMinute is { } requests && _requests!.Sum >= requests)
            found = new("requests_per_minute", _requests.SecondsUntil(requests, 1, now), _requests.Sum, requests, 1);
        if (_limits.TokensPerMinute is { } most && _tokens!.Sum + tokens > most)
        {
            found = TenantLimit.Longer(
                found, new("tokens_per_minute", _tokens.SecondsUntil(most, tokens, now), _tokens.Sum, most, tokens));
        }

        if (_limits.Concurrency is { } places && _running >= places)
        {
            var until = places > 0 ? UntilOneEnds : double.PositiveInfinity;
            found = TenantLimit.Longer(found, new("concurrency", until, _running, places, 1));
        }

        foreach (ref var window in _windows.AsSpan())
        {
            if (TenantLimit.BudgetOf(_limits, window.Span) is { } budget && window.Spent + _reserved + worst > budget.Value)
                found = TenantLimit.Longer(found, Over(window, budget.Value, worst, now));
        }

        return found;
    }

    private TenantLimit Over(BudgetWindow window, decimal budget, decimal worst, Instant now)
    {
        var turns = (window.Ends - now).Seconds;
        var until = worst > budget ? double.PositiveInfinity
            : window.Spent + worst > budget ? turns
            : Math.Min(UntilOneEnds, turns);
        return new(TenantLimit.SettingOf(window.Span), until, window.Spent + _reserved, budget, worst, _reserved);
    }

    /// <summary>Expected seconds until a running request ends: the mean time of those before, shared by those that run.</summary>
    private double UntilOneEnds => _meanSeconds / Math.Max(1, _running);
}
