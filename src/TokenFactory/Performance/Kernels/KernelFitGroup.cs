using System.Globalization;

namespace TokenFactory.Performance.Kernels;

/// <summary>The samples of one operator on one GPU in one precision, and which of its constants are free.</summary>
/// <typeparam name="T">The kind of sample.</typeparam>
/// <param name="samples">The samples.</param>
/// <param name="seconds">The measured time of one.</param>
/// <param name="model">From constants, in the order of <see cref="KernelColumn"/>, to the predicted time of a sample.</param>
internal sealed class KernelFitGroup<T>(IReadOnlyList<T> samples, Func<T, double> seconds, Func<double[], Func<T, double>> model)
{
    private readonly List<(KernelColumn Column, FitBound Bound)> _free = [];
    private readonly double[] _held = new double[KernelRow.Columns.Count];
    private FitBound? _launch;

    /// <summary>How many samples there are.</summary>
    public int Count => samples.Count;

    /// <summary>Lets a constant vary.</summary>
    public void Free(KernelColumn column, double start, double least, double most) => _free.Add((column, new FitBound(start, least, most)));

    /// <summary>Fixes a constant.</summary>
    public void Hold(KernelColumn column, double value) => _held[(int)column] = Round(value);

    /// <summary>Lets each time be no shorter than a launch of so many microseconds, which is fitted and then dropped.</summary>
    public void FreeLaunch(double start, double least, double most) => _launch = new FitBound(start, least, most);

    /// <summary>The constants rounded to four digits, and the errors of the rounded ones.</summary>
    public (double[] Constants, double MedianError, double HighError) Solve()
    {
        List<FitBound> bounds = [.. _free.Select(free => free.Bound)];
        if (_launch is { } launch)
            bounds.Add(launch);
        var found = RobustFit.Fit(bounds, [.. samples.Select(seconds)], Predict);
        for (var i = 0; i < found.Length; i++)
            found[i] = Round(found[i]);
        var times = new double[samples.Count];
        Predict(found, times);
        double[] errors = [.. samples.Select((sample, i) => Math.Abs((times[i] / seconds(sample)) - 1)).Order()];
        return (Constants(found), Quantile(errors, 0.5), Quantile(errors, 0.9));
    }

    /// <summary>Linear between the two nearest of sorted numbers.</summary>
    internal static double Quantile(IReadOnlyList<double> sorted, double share)
    {
        var at = share * (sorted.Count - 1);
        var below = (int)at;
        return below + 1 < sorted.Count ? sorted[below] + ((at - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    /// <summary>Four significant digits: more would be noise.</summary>
    internal static double Round(double number) =>
        double.Parse(number.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private double[] Constants(double[] free)
    {
        var constants = (double[])_held.Clone();
        for (var i = 0; i < _free.Count; i++)
            constants[(int)_free[i].Column] = free[i];
        return constants;
    }

    private void Predict(double[] free, double[] into)
    {
        var predict = model(Constants(free));
        var launch = _launch is null ? 0 : free[^1] * 1e-6;
        for (var i = 0; i < into.Length; i++)
            into[i] = launch > 0 ? Smooth.Max4(launch, predict(samples[i])) : predict(samples[i]);
    }
}
