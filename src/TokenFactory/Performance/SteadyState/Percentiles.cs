using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance.SteadyState;

/// <summary>
/// Times that half, nine in ten, nineteen in twenty and ninety-nine in a hundred requests stay below, in seconds. Estimated, not
/// calibrated.
/// </summary>
/// <param name="P50">The median.</param>
/// <param name="P90">Nine in ten.</param>
/// <param name="P95">Nineteen in twenty.</param>
/// <param name="P99">Ninety-nine in a hundred.</param>
public readonly record struct Percentiles(double P50, double P90, double P95, double P99)
{
    private static readonly double[] Shares = [0.5, 0.9, 0.95, 0.99];

    /// <summary>Quantiles of the standard normal distribution at <see cref="Shares"/>.</summary>
    private static readonly double[] Normal = [0, 1.2816, 1.6449, 2.3263];

    /// <summary>The shares whose percentiles are known: 0.5, 0.9, 0.95 and 0.99.</summary>
    public static IReadOnlyList<double> Known => Shares;

    /// <summary>The time that a share of requests stays below.</summary>
    /// <param name="share">One of <see cref="Known"/>; others take the next above.</param>
    public double At(double share) => share <= Shares[0] ? P50 : share <= Shares[1] ? P90 : share <= Shares[2] ? P95 : P99;

    /// <summary>
    /// Time per output token, in seconds. Requests differ by how many steps with prompts fall into their lifetime: a Poisson number,
    /// here by its normal approximation. A request that meets none still takes its share of the steps that only decode.
    /// </summary>
    /// <param name="prediction">Means.</param>
    /// <param name="outputTokens">Tokens of an answer.</param>
    /// <param name="tokensPerStep">Tokens that a step yields per sequence.</param>
    public static Percentiles OfTokenTime(Prediction prediction, double outputTokens, double tokensPerStep)
    {
        var met = prediction.PrefillShare * outputTokens / tokensPerStep;
        var prompts = PromptSeconds(prediction.TokenTime);
        if (!(met > 0) || !(prompts > 0))
            return Of(_ => prediction.Tpot);
        return Of(i => prediction.Tpot + (prompts * Math.Max(-1, Normal[i] / Math.Sqrt(met))));
    }

    /// <summary>The same for what was prepared.</summary>
    /// <param name="prediction">Means.</param>
    /// <param name="prepared">What was predicted.</param>
    public static Percentiles OfTokenTime(Prediction prediction, Prepared prepared) => OfTokenTime(
        prediction, prepared.Scenario.Load.OutputTokens, prepared.Decode.Deployment.Speculation?.TokensPerStep ?? 1);

    /// <summary>
    /// Time to the first token, in seconds. Of the step that runs when a request comes, anything between nothing and the whole is left.
    /// Waits for prompts before it and for room in the memory are spread about exponentially; its own prompt takes what it takes. In a
    /// closed loop the places in the queue are as many as there are clients, so that everybody waits about the same for room and prompts.
    /// </summary>
    /// <param name="prediction">Means.</param>
    /// <param name="arrival">How requests arrive.</param>
    public static Percentiles OfFirstToken(Prediction prediction, Arrival arrival)
    {
        var waits = prediction.FirstTokenTime;
        var queues = waits[FirstTokenTerm.Queue] + waits[FirstTokenTerm.Memory];
        var step = Math.Clamp(waits[FirstTokenTerm.Step], 0, prediction.Ttft);
        var all = waits[FirstTokenTerm.Crowd] + (arrival == Arrival.ClosedLoop ? 0 : queues);
        var waiting = Math.Clamp(all, 0, prediction.Ttft - step);
        return Of(i => prediction.Ttft + (step * ((2 * Shares[i]) - 1)) - waiting - (waiting * Math.Log(1 - Shares[i])));
    }

    /// <summary>
    /// Time from sending a request to its last token, in seconds: what its first token and its other tokens take beyond their means are
    /// independent, so that their squares add.
    /// </summary>
    /// <param name="prediction">Means.</param>
    /// <param name="first">Of the first token.</param>
    /// <param name="each">Of each token after it.</param>
    /// <param name="outputTokens">Tokens of an answer.</param>
    public static Percentiles OfAnswer(Prediction prediction, Percentiles first, Percentiles each, double outputTokens)
    {
        return new Percentiles(At(p => p.P50), At(p => p.P90), At(p => p.P95), At(p => p.P99));

        double At(Func<Percentiles, double> of)
        {
            var (a, b) = (of(first) - prediction.Ttft, (outputTokens - 1) * (of(each) - prediction.Tpot));
            var squares = (a * Math.Abs(a)) + (b * Math.Abs(b));
            return prediction.EndToEnd + (Math.Sign(squares) * Math.Sqrt(Math.Abs(squares)));
        }
    }

    /// <summary>Seconds per output token that prompts of others cost.</summary>
    public static double PromptSeconds(StepTerms terms) =>
        terms[StepTerm.PrefillGemm] + terms[StepTerm.PrefillExperts] + terms[StepTerm.PrefillAttention] + terms[StepTerm.PrefillReduce]
        + terms[StepTerm.PrefillDispatch] + terms[StepTerm.PrefillLayers] + terms[StepTerm.PrefillStep]
        + terms[StepTerm.PrefillSelection];

    private static Percentiles Of(Func<int, double> at) => new(at(0), at(1), at(2), at(3));
}
