namespace TokenFactory.Performance.Calibration;

/// <summary>
/// How much room a plan must leave so that a promise is kept although the prediction may be wrong. A band says what measured values of
/// deployments as strange as this one were, as multiples of what was predicted of them blind: a tenth, half and nine tenths lie below three
/// of them. Between these, and beyond, tails thin out exponentially, as measured ones do up to about nineteen in twenty.
/// </summary>
public static class PlanMargin
{
    /// <summary>The most confidence that a band can give: what one in a hundred does, bands of some hundred rows do not tell.</summary>
    public const double MostConfidence = 0.99;

    /// <summary>The share that lies below a band's highest multiple.</summary>
    private const double High = 0.9;

    /// <summary>
    /// The factor on a prediction that the measured value stays below with a confidence. A time that is to keep a limit: leave this much
    /// room. A throughput that is to be reached with a confidence: multiply by the factor of what is left of it to 1.
    /// </summary>
    /// <param name="band">The error band of what is predicted.</param>
    /// <param name="confidence">Wanted share of promises that are kept, 0.01 to 0.99.</param>
    /// <exception cref="ArgumentOutOfRangeException">The confidence is less or more.</exception>
    public static double Factor(ErrorBand band, double confidence)
    {
        if (!(confidence > 0.01 - 1e-9 && confidence < MostConfidence + 1e-9))
            throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "Give a share from 0.01 to 0.99");
        var (below, above) = Logs(band);
        var tails = Rarity(Math.Max(confidence, 1 - confidence)) / Rarity(High);
        return band.Middle * Math.Exp(confidence >= 0.5 ? above * tails : -below * tails);
    }

    /// <summary>What may be predicted at most for a limit on a time to be kept with a confidence, in the unit of the limit.</summary>
    /// <param name="limit">What is promised, in the unit of the time.</param>
    /// <param name="band">The error band of the time.</param>
    /// <param name="confidence">Wanted share of promises that are kept, 0.01 to 0.99.</param>
    public static double Tightened(double limit, ErrorBand band, double confidence) => limit / Factor(band, confidence);

    /// <summary>
    /// The confidence that a time keeps a limit: the share of deployments as strange as this one that would, from 0.01 to 0.99.
    /// </summary>
    /// <param name="band">The error band of the time.</param>
    /// <param name="predicted">What is predicted, above 0.</param>
    /// <param name="limit">What is promised, in the same unit.</param>
    public static double Confidence(ErrorBand band, double predicted, double limit)
    {
        var room = Math.Log(limit / predicted / band.Middle);
        var (below, above) = Logs(band);
        var tail = Math.Max(Math.Exp(-Math.Abs(room) / (room >= 0 ? above : below) * Rarity(High)) / 2, 1 - MostConfidence);
        return room >= 0 ? 1 - tail : tail;
    }

    /// <summary>How rare it is to lie so far to one side, 0 at even odds; exponential tails are straight lines in it.</summary>
    private static double Rarity(double confidence) => -Math.Log(2 * (1 - confidence));

    /// <summary>
    /// How far the low and the high multiple lie from the middle one, as natural logarithms; a band without width gets a little, so that
    /// each room has one confidence.
    /// </summary>
    private static (double Below, double Above) Logs(ErrorBand band)
    {
        const double least = 1e-6;
        return (Math.Max(least, Math.Log(band.Middle / band.Low)), Math.Max(least, Math.Log(band.High / band.Middle)));
    }
}
