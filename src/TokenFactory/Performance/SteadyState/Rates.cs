namespace TokenFactory.Performance.SteadyState;

/// <summary>The kinds of load whose tokens per second calibration corrects by one factor each.</summary>
public static class Rates
{
    /// <summary>An open loop's tokens per second are what is asked for: nothing to correct.</summary>
    public const string Open = "open-loop";

    /// <summary>
    /// The kind of a load: benchmarks of a closed loop spend part of their time starting and draining, an endless one does not.
    /// </summary>
    public static string Key(Arrival arrival, Load load) => arrival switch
    {
        Arrival.ClosedLoop => double.IsPositiveInfinity(load.RequestsPerClient) ? "closed-loop" : "closed-loop-benchmark",
        Arrival.Offline => "offline",
        Arrival.OpenLoop => Open,
        _ => "batch",
    };
}
