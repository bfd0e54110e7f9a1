using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>How spot capacity behaves.</summary>
/// <param name="MeanToPreemption">Mean time from start to preemption; exponential.</param>
/// <param name="Restart">Provision, load weights, warm up.</param>
public readonly record struct SpotBehaviour(TimeSpan MeanToPreemption, TimeSpan Restart);

/// <summary>Expected cost of preemptible capacity.</summary>
public static class SpotCost
{
    /// <summary>Young's checkpoint interval: sqrt(2 x write time x mean time to preemption).</summary>
    public static TimeSpan Young(TimeSpan checkpoint, TimeSpan meanToPreemption) =>
        TimeSpan.FromSeconds(Math.Sqrt(2 * checkpoint.TotalSeconds * meanToPreemption.TotalSeconds));

    /// <summary>Daly's interval: Young's x [1 + sqrt(C/2M)/3 + (C/2M)/9] - C for C below 2M, else M.</summary>
    public static TimeSpan Daly(TimeSpan checkpoint, TimeSpan meanToPreemption)
    {
        if (checkpoint >= 2 * meanToPreemption)
            return meanToPreemption;
        var ratio = checkpoint / (2 * meanToPreemption);
        return (Young(checkpoint, meanToPreemption) * (1 + (Math.Sqrt(ratio) / 3) + (ratio / 9))) - checkpoint;
    }

    /// <summary>
    /// Expected wall time per unit of work with exponential preemptions: M e^(R/M) (e^((tau+C)/M) - 1) / tau. At least 1.
    /// </summary>
    /// <param name="behaviour">Preemption and restart.</param>
    /// <param name="checkpoint">Time to write a checkpoint.</param>
    /// <param name="interval">Work between two checkpoints, above zero.</param>
    public static double WallTimePerWork(SpotBehaviour behaviour, TimeSpan checkpoint, TimeSpan interval)
    {
        var mean = behaviour.MeanToPreemption;
        return mean / interval * Math.Exp(behaviour.Restart / mean) * (Math.Exp((interval + checkpoint) / mean) - 1);
    }

    /// <summary>
    /// The same for batch inference, where a finished request is the checkpoint and nothing is written:
    /// 1 + (R + q x t/2) / M. At least 1.
    /// </summary>
    /// <param name="behaviour">Preemption and restart.</param>
    /// <param name="requestTime">Time a request takes.</param>
    /// <param name="unfinished">Share of the requests in flight that the notice window is too short for.</param>
    public static double WallTimePerWorkOfRequests(SpotBehaviour behaviour, TimeSpan requestTime, Fraction unfinished) =>
        1 + ((behaviour.Restart + (requestTime * unfinished.Value / 2)) / behaviour.MeanToPreemption);

    /// <summary>What an hour of work costs on spot: price x wall time per work. Spot pays where this is below on-demand.</summary>
    public static UsdPerHour Effective(UsdPerHour spot, double wallTimePerWork) => spot * wallTimePerWork;
}
