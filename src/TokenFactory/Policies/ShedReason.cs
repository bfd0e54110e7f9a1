using TokenFactory.Fleet;

namespace TokenFactory.Policies;

/// <summary>The limit that a request ran into.</summary>
public enum ShedLimit
{
    /// <summary>As many requests of its class wait as may.</summary>
    MaxWaiting,

    /// <summary>It waited as long as requests of its class may.</summary>
    MaxWait,

    /// <summary>Its deadline has passed.</summary>
    Deadline,

    /// <summary>What is left until its deadline is less than an answer of usual length takes on the fastest replica alone.</summary>
    DeadlineOutOfReach,
}

/// <summary>Why a request is not served: who, which limit, its value, when to come back.</summary>
/// <param name="Limit">Which limit.</param>
/// <param name="Class">Name of the class that has it.</param>
/// <param name="Tenant">Index of the tenant whose request it is.</param>
/// <param name="Value">The limit's value: requests or seconds.</param>
/// <param name="Actual">What met it: requests that wait, seconds waited, seconds needed.</param>
/// <param name="RetryAfterSeconds">When to come back, in seconds from now.</param>
public readonly record struct ShedReason(
    ShedLimit Limit, string Class, int Tenant, double Value, double Actual, double RetryAfterSeconds)
{
    /// <summary>"Class 'chat' has 100 requests waiting, its max_waiting is 100; retry after 3 s."</summary>
    public override string ToString() => Limit switch
    {
        ShedLimit.MaxWaiting => $"Class '{Class}' has {Actual:#,0} requests waiting, its max_waiting is {Value:#,0}; {Retry}",
        ShedLimit.MaxWait => $"Waited {Actual:0.###} s, max_wait_s of class '{Class}' is {Value:0.###}; {Retry}",
        ShedLimit.Deadline => $"{Actual:0.###} s after its arrival, deadline_s of class '{Class}' is {Value:0.###}; {Retry}",
        _ => $"Would be done {Actual:0.###} s after its arrival by expectation, deadline_s of class '{Class}' is {Value:0.###}; {Retry}",
    };

    private string Retry => $"retry after {Math.Ceiling(RetryAfterSeconds):0} s.";
}

/// <summary>A request to be given up.</summary>
/// <param name="Ask">The request.</param>
/// <param name="Reason">Why.</param>
public readonly record struct Shed(Ask Ask, ShedReason Reason);
