using TokenFactory.Performance.Calibration;
using TokenFactory.Units;

namespace TokenFactory.Performance;

/// <summary>
/// What a power cap or a clock lock does. Dynamic power follows the clock to the power of about 2.4 (voltage falls with it); arithmetic
/// follows the clock, reading memory hardly does. Published: a 30 % lower cap on H100 servers costs prompts 30 % and tokens nothing;
/// decode loses under 6 % down to half of the limit, prefill 15 to 40 %.
/// </summary>
internal static class Throttle
{
    private const double PowerPerClock = 2.4;
    private const double MemoryPerClock = 0.1;
    private const double LowestClock = 0.3;

    /// <summary>The clock as a share of the highest at which a GPU keeps its cap while it computes prompts; 1 without cap or lock.</summary>
    public static double Clock(Deployment d, Traits traits, CalibrationSet calibration)
    {
        var clock = Math.Clamp(d.ClockLock ?? 1, LowestClock, 1);
        if (d.PowerCap is not { } cap || d.Gpu.Tdp is not { } tdp || cap >= tdp.Value)
            return clock;
        var idle = calibration.PowerOf(traits)[PowerTerm.Idle];
        var share = (cap.Value / tdp.Value.Value) - idle;
        var kept = share <= 0 ? LowestClock : Math.Pow(share / (1 - idle), 1 / PowerPerClock);
        return Math.Clamp(Math.Min(clock, kept), LowestClock, 1);
    }

    /// <summary>Step factors at the clock that is left.</summary>
    public static StepTerms Slow(StepTerms steps, Deployment d, Traits traits, CalibrationSet calibration)
    {
        var clock = Clock(d, traits, calibration);
        if (clock >= 1)
            return steps;
        var slowed = steps;
        for (var term = StepTerm.PrefillGemm; term <= StepTerm.PrefillAttention; term++)
            slowed[term] /= clock;
        for (var term = StepTerm.DecodeGemm; term <= StepTerm.DecodeAttention; term++)
            slowed[term] *= 1 + (MemoryPerClock * ((1 / clock) - 1));
        slowed[StepTerm.Head] *= 1 + (MemoryPerClock * ((1 / clock) - 1));
        return slowed;
    }

    /// <summary>
    /// Power factors under a clock lock: what computes follows the clock to the power of about 2.4, half of what streams weights does
    /// (the chip's part of it), memory and idle do not.
    /// </summary>
    public static PowerTerms Clocked(PowerTerms factors, Deployment d)
    {
        if (d.ClockLock is not { } locked)
            return factors;
        var dynamic = Math.Pow(Math.Clamp(locked, LowestClock, 1), PowerPerClock);
        factors[PowerTerm.Arithmetic] *= dynamic;
        factors[PowerTerm.Prompts] *= dynamic;
        factors[PowerTerm.Occupancy] *= dynamic;
        factors[PowerTerm.Weights] *= (1 + dynamic) / 2;
        return factors;
    }

    /// <summary>Watts from a share of the thermal design power: at least a tenth of it, at most the whole or the cap.</summary>
    public static double Watts(double share, Deployment d)
    {
        const double least = 0.1;
        var tdp = d.Gpu.Tdp?.Value.Value ?? 0;
        var most = Math.Min(1, d.PowerCap is { } cap && tdp > 0 ? cap.Value / tdp : 1);
        return tdp * Math.Clamp(share, Math.Min(least, most), most);
    }
}
