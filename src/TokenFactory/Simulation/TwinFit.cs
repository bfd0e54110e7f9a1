using TokenFactory.Performance.Calibration;

namespace TokenFactory.Simulation;

/// <summary>A measured closed loop as the twin runs it when nothing stands before the engine.</summary>
/// <param name="Stack">Engine and vendor.</param>
/// <param name="Cell">Model and GPU.</param>
/// <param name="MeasuredSeconds">Measured mean time to the first token.</param>
/// <param name="EngineSeconds">The twin's, without what stands before the engine.</param>
/// <param name="PromptTokens">Mean prompt.</param>
/// <param name="StepSeconds">The twin's mean time per step.</param>
public sealed record TwinSample(
    string Stack, string Cell, double MeasuredSeconds, double EngineSeconds, double PromptTokens, double StepSeconds);

/// <summary>
/// Finds what requests wait for before the engine: the constants that make the twin's first tokens as late as the measured ones. Each
/// error counts by its logarithm, and what is off by more than three times no more than that; a stack with one cell keeps the common
/// constants.
/// </summary>
public static class TwinFit
{
    private const double MostLog = 1.2;
    private const double Pull = 0.01;
    private const int Rounds = 30;
    private const int FewestCells = 2;

    /// <summary>The constants by stack, and those of any.</summary>
    public static IReadOnlyDictionary<string, FrontTerms> Of(IReadOnlyList<TwinSample> samples)
    {
        if (samples.Count == 0)
            return CalibrationSet.Prior.Fronts;
        var any = Fit(samples, CalibrationSet.Prior.Fronts[CalibrationSet.AnyStack], 0);
        var fronts = new Dictionary<string, FrontTerms>(StringComparer.Ordinal) { [CalibrationSet.AnyStack] = any };
        foreach (var stack in samples.GroupBy(sample => sample.Stack, StringComparer.Ordinal))
        {
            if (stack.Select(sample => sample.Cell).Distinct(StringComparer.Ordinal).Count() >= FewestCells)
                fronts[stack.Key] = Fit([.. stack], any, Pull);
        }

        return fronts;
    }

    /// <summary>Walks one constant after the other while that helps, by ever smaller steps.</summary>
    private static FrontTerms Fit(IReadOnlyList<TwinSample> samples, FrontTerms start, double pull)
    {
        var (found, best) = (start, Loss(samples, start, start, pull));
        var strides = Enumerable.Repeat(0.5, FrontTerms.Count).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            for (var term = 0; term < FrontTerms.Count; term++)
            {
                var moved = false;
                foreach (var sign in (ReadOnlySpan<int>)[1, -1])
                {
                    const double least = 0.2;
                    var tried = found;
                    tried[term] = Math.Max(0, found[term] + (sign * strides[term] * Math.Max(found[term], least)));
                    if (Loss(samples, tried, start, pull) is var loss && loss < best - 1e-9)
                    {
                        (found, best, moved) = (tried, loss, true);
                        break;
                    }
                }

                if (!moved)
                    strides[term] *= 0.6;
            }
        }

        return found;
    }

    private static double Loss(IReadOnlyList<TwinSample> samples, FrontTerms front, FrontTerms start, double pull)
    {
        double sum = 0, far = 0;
        foreach (var sample in samples)
        {
            var seconds = sample.EngineSeconds + front.Seconds(sample.PromptTokens) + (front[FrontTerm.Steps] * sample.StepSeconds);
            sum += Math.Min(MostLog, Math.Abs(Math.Log(Math.Max(seconds, 1e-6) / sample.MeasuredSeconds)));
        }

        for (var term = 0; term < FrontTerms.Count; term++)
            far += Math.Abs(front[term] - start[term]) / (start[term] + 1);
        return (sum / samples.Count) + (pull * far);
    }
}
