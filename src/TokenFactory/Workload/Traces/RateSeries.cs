namespace TokenFactory.Workload.Traces;

/// <summary>
/// Arrivals over time in a bounded number of bins: when there is no room for more, two become one. The busiest minute is exact.
/// </summary>
public sealed class RateSeries
{
    private const int MostBins = 2048;
    private const double Minute = 60;

    private readonly List<long> _bins = [];
    private long _minute;
    private long _inMinute;

    /// <summary>Width of a bin in seconds.</summary>
    public double BinSeconds { get; private set; } = 1;

    /// <summary>Arrivals in each bin.</summary>
    public IReadOnlyList<long> Bins => _bins;

    /// <summary>Arrivals of the busiest minute by the clock of the trace.</summary>
    public long BusiestMinute { get; private set; }

    /// <summary>Counts an arrival, not earlier than the one before.</summary>
    public void Add(double seconds)
    {
        while (seconds >= MostBins * BinSeconds)
            Halve();
        var bin = (int)(seconds / BinSeconds);
        while (_bins.Count <= bin)
            _bins.Add(0);
        _bins[bin]++;
        var minute = (long)(seconds / Minute);
        _inMinute = minute == _minute ? _inMinute + 1 : 1;
        _minute = minute;
        BusiestMinute = Math.Max(BusiestMinute, _inMinute);
    }

    /// <summary>The same in fewer, equally wide parts: arrivals per second of each.</summary>
    /// <param name="parts">At most so many.</param>
    /// <param name="endSeconds">Where the last part may end early.</param>
    public IReadOnlyList<double> Rates(int parts, double endSeconds)
    {
        var bins = Math.Max(1, (_bins.Count + parts - 1) / parts);
        return [.. _bins.Chunk(bins).Select((chunk, i) =>
        {
            var from = i * bins * BinSeconds;
            var width = Math.Min(chunk.Length * BinSeconds, Math.Max(endSeconds - from, BinSeconds / 10));
            return chunk.Sum() / width;
        })];
    }

    /// <summary>
    /// The sine of a period that fits best (least squares), over the mean; null where there is less than one period and a half.
    /// </summary>
    public Diurnal? Sine(double periodSeconds, double endSeconds)
    {
        const double leastPeriods = 1.5;
        if (endSeconds < leastPeriods * periodSeconds)
            return null;
        var (sines, cosines, mean, count) = (0.0, 0.0, 0.0, 0);
        var whole = Math.Floor(endSeconds / periodSeconds) * periodSeconds;
        for (var i = 0; i < _bins.Count && (i + 1) * BinSeconds <= whole; i++)
        {
            var angle = 2 * Math.PI * (i + 0.5) * BinSeconds / periodSeconds;
            sines += _bins[i] * Math.Sin(angle);
            cosines += _bins[i] * Math.Cos(angle);
            mean += _bins[i];
            count++;
        }

        if (count == 0 || mean <= 0)
            return null;
        var swing = Math.Min(0.98, 2 * Math.Sqrt((sines * sines) + (cosines * cosines)) / mean);
        var phase = -Math.Atan2(cosines, sines) / (2 * Math.PI) * periodSeconds;
        return new Diurnal((1 + swing) / (1 - swing), periodSeconds, phase < 0 ? phase + periodSeconds : phase);
    }

    private void Halve()
    {
        for (var i = 0; i < (_bins.Count + 1) / 2; i++)
            _bins[i] = _bins[2 * i] + ((2 * i) + 1 < _bins.Count ? _bins[(2 * i) + 1] : 0);
        _bins.RemoveRange((_bins.Count + 1) / 2, _bins.Count - ((_bins.Count + 1) / 2));
        BinSeconds *= 2;
    }
}
