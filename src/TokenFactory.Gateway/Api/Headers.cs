namespace TokenFactory.Gateway.Api;

/// <summary>Headers of our own. What clients may set is read by name; all else that they send stays here.</summary>
internal static class Headers
{
    /// <summary>Asks for a service class.</summary>
    public const string Class = "x-tokenfactory-class";

    /// <summary>Seconds after its arrival by which a request must be done or be given up.</summary>
    public const string DeadlineSeconds = "x-tokenfactory-deadline-s";

    /// <summary>Our identity of the request, as it stands in the ledger.</summary>
    public const string RequestId = "x-request-id";

    /// <summary>Which replica answers.</summary>
    public const string Replica = "x-tokenfactory-replica";

    /// <summary>Why that one.</summary>
    public const string Reason = "x-tokenfactory-reason";

    /// <summary>How often it was sent.</summary>
    public const string Attempts = "x-tokenfactory-attempts";

    /// <summary>Seconds that it waited for a replica.</summary>
    public const string WaitedSeconds = "x-tokenfactory-waited-s";

    /// <summary>Dollars charged, of answers that are not streams.</summary>
    public const string ChargedUsd = "x-tokenfactory-charged-usd";

    /// <summary>Joules, of answers that are not streams.</summary>
    public const string Joules = "x-tokenfactory-joules";

    /// <summary>The answer is made up by a virtual engine.</summary>
    public const string Virtual = "x-tokenfactory-virtual";
}
