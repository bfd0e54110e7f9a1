namespace TokenFactory.Store.Reports;

/// <summary>What usage can be summed by.</summary>
public enum Dimension
{
    /// <summary>By tenant.</summary>
    Tenant,

    /// <summary>By the public part of the key.</summary>
    Key,

    /// <summary>By model.</summary>
    Model,

    /// <summary>By replica.</summary>
    Replica,

    /// <summary>By pool.</summary>
    Pool,

    /// <summary>By service class.</summary>
    Class,

    /// <summary>By the hour (UTC) in which requests ended: "2026-11-22T03:00:00Z".</summary>
    Hour,

    /// <summary>By the day (UTC) in which requests ended: "2026-11-22".</summary>
    Day,
}
