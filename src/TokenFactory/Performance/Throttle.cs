using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance;

/// <summary>
/// What a lower clock does, be it locked or the way a GPU keeps a power cap. Dynamic power follows the clock to the power of about 2.4
/// (voltage falls with it); arithmetic follows the clock, reading memory hardly does. Published: a 30 % lower cap on H100 servers costs
/// prompts 30 % and tokens nothing; decode loses under 6 % down to half of the limit, prefill 15 to 40 %; a clock lock saves up to 32 % of
/// H200 decode energy (Splitwise's model inputs; arXiv 2605.11999; measurements of owners). Where a cap is lower than what the lowest clock
/// draws, the GPU pauses: clocks below <see cref="LowestClock"/> stand for that clock a share of the time, and idling for the rest.
/// </summary>
internal static class Throttle
{
    /// <summary>The lowest clock as a share of the highest.</summary>
    public const double LowestClock = 0.3;

    /// <summary>The least that pauses leave, as a share of the highest clock.</summary>
    public const double LongestPauses = LowestClock / 100;

    /// <summary>What a GPU draws while it waits, as a share of its thermal design power.</summary>
    public const double IdleShare = 0.13;

    private const double PowerPerClock = 2.4;
    private const double MemoryPerClock = 0.1;

    /// <summary>Step factors at a clock.</summary>
    /// <param name="steps">Those at the highest clock.</param>
    /// <param name="clock">The clock as a share of the highest.</param>
    public static StepTerms Slow(StepTerms steps, double clock)
    {
        if (clock >= 1)
            return steps;
        if (clock < LowestClock)
            return Slow(steps, LowestClock).Times(1 / Running(clock));
        var memory = 1 + (MemoryPerClock * ((1 / clock) - 1));
        for (var term = StepTerm.PrefillGemm; term <= StepTerm.PrefillAttention; term++)
            steps[term] /= clock;
        for (var term = StepTerm.DecodeGemm; term <= StepTerm.DecodeAttention; term++)
            steps[term] *= memory;
        steps[StepTerm.Head] *= memory;
        steps[StepTerm.PrefillSelection] *= memory;
        return steps;
    }

    /// <summary>
    /// Power factors at a clock: what computes follows it to the power of about 2.4; half of what streams weights and of what being awake
    /// costs beyond idling does (the chip's part of it); memory and idling do not.
    /// </summary>
    /// <param name="factors">Those at the highest clock.</param>
    /// <param name="clock">The clock as a share of the highest.</param>
    public static PowerTerms Save(PowerTerms factors, double clock)
    {
        if (clock >= 1)
            return factors;
        clock = Math.Max(clock, LowestClock);
        var dynamic = Math.Pow(clock, PowerPerClock);
        factors[PowerTerm.Arithmetic] *= dynamic / clock; // its share is of full speed, and lasts longer at a lower one
        factors[PowerTerm.Prompts] *= dynamic / clock;
        factors[PowerTerm.Occupancy] *= dynamic;
        factors[PowerTerm.Weights] *= (1 + dynamic) / 2;
        factors[PowerTerm.Awake] -= Math.Max(0, factors[PowerTerm.Awake] - IdleShare) * (1 - dynamic) / 2;
        return factors;
    }

    /// <summary>Share of the time that a clock below the lowest stands for running, 0 to 1.</summary>
    public static double Running(double clock) => Math.Min(1, clock / LowestClock);

    /// <summary>Watts from a share of the thermal design power: at least a tenth of it, at most the whole or the cap.</summary>
    public static double Watts(double share, Deployment d)
    {
        const double least = 0.1;
        var tdp = d.Gpu.Tdp?.Value.Value ?? 0;
        var most = Math.Min(1, d.PowerCap is { } cap && tdp > 0 ? cap.Value / tdp : 1);
        return tdp * Math.Clamp(share, Math.Min(least, most), most);
    }
}
