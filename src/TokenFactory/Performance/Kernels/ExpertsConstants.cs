namespace TokenFactory.Performance.Kernels;

/// <summary>
/// Time of the routed experts of one layer on one rank: routing, gathering, the gated products and the weighted sum.
/// Fitted from measured kernels with balanced routing, catalog/calibration/kernels.csv.
/// </summary>
/// <param name="FloorSeconds">Seconds of the shortest call: its chain of small kernels.</param>
/// <param name="SecondsPerFlop">Seconds per operation at many rows per expert.</param>
/// <param name="HalfRows">Rows of an expert at which its arithmetic runs at half its best rate.</param>
/// <param name="SecondsPerByte">Seconds per byte of the weights of experts that are hit.</param>
/// <param name="BytesPerWeight">Bytes of a stored weight with its scales.</param>
/// <param name="SecondsPerActivation">Seconds per element of the activations of this rank's own pairs.</param>
/// <param name="SecondsPerInput">Seconds per element of all pairs that the rank sorts, also those for other ranks.</param>
/// <param name="Imbalance">
/// Factor on the time of the most loaded rank when the load follows a power law of exponent 1.2 instead of being even; from 512 tokens on.
/// </param>
public readonly record struct ExpertsConstants(
    double FloorSeconds,
    double SecondsPerFlop,
    double HalfRows,
    double SecondsPerByte,
    double BytesPerWeight,
    double SecondsPerActivation,
    double SecondsPerInput,
    double Imbalance)
{
    /// <summary>Seconds with even load; zero where no pair is routed here.</summary>
    /// <param name="pairs">(Token, expert) pairs computed on this rank.</param>
    /// <param name="hitExperts">Distinct experts of this rank that at least one token goes to.</param>
    /// <param name="hidden">Width of the layer.</param>
    /// <param name="intermediate">Width of an expert on this rank (divided by its tensor parallelism).</param>
    /// <param name="inputPairs">
    /// Pairs in the batch that the rank sorts: <paramref name="pairs"/> where tokens were dispatched to their rank, all pairs of the batch
    /// where every rank sees every token.
    /// </param>
    /// <param name="matrices">Matrices of an expert: 3 where gated, 2 where not.</param>
    public double Seconds(double pairs, double hitExperts, double hidden, double intermediate, double inputPairs, double matrices = 3)
    {
        if (!(inputPairs > 0))
            return 0;
        var weights = matrices * hidden * intermediate;
        var traffic = SecondsPerByte * BytesPerWeight * hitExperts * weights;
        var arithmetic = 2 * SecondsPerFlop * weights * (pairs + (hitExperts * HalfRows));
        return FloorSeconds
            + Smooth.Max2(arithmetic, traffic)
            + (SecondsPerActivation * pairs * ((2 * hidden) + intermediate))
            + (SecondsPerInput * inputPairs * hidden);
    }
}
