using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>Spans of the clock (UTC) that budgets are for.</summary>
internal enum BudgetSpan
{
    /// <summary>Clock hour.</summary>
    Hour,

    /// <summary>Day.</summary>
    Day,

    /// <summary>Calendar month.</summary>
    Month,
}

/// <summary>What was charged to a tenant in the running hour, day or month.</summary>
internal struct BudgetWindow(BudgetSpan span)
{
    /// <summary>Which span.</summary>
    public BudgetSpan Span { get; } = span;

    /// <summary>End of the running span.</summary>
    public Instant Ends { get; private set; }

    /// <summary>Charged in it.</summary>
    public decimal Spent { get; set; }

    /// <summary>Begins the span of an instant, where that is a later one.</summary>
    public void Roll(Instant now)
    {
        if (now < Ends)
            return;
        (_, Ends) = Around(Span, now);
        Spent = 0;
    }

    /// <summary>The span of the clock that an instant lies in.</summary>
    public static (Instant Begins, Instant Ends) Around(BudgetSpan span, Instant now)
    {
        var time = DateTime.UnixEpoch.AddTicks(now.Nanoseconds / 100);
        var (begins, ends) = span switch
        {
            BudgetSpan.Hour => (time.Date.AddHours(time.Hour), time.Date.AddHours(time.Hour + 1)),
            BudgetSpan.Day => (time.Date, time.Date.AddDays(1)),
            _ => (time.Date.AddDays(1 - time.Day), time.Date.AddDays(1 - time.Day).AddMonths(1)),
        };
        return (At(begins), At(ends));

        static Instant At(DateTime time) => new((time - DateTime.UnixEpoch).Ticks * 100);
    }
}
