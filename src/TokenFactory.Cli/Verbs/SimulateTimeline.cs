using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>The stretches of a run as lines over time, with neighbours merged where there are too many.</summary>
internal sealed class Timeline
{
    private readonly IReadOnlyList<IntervalReport> _stretches;
    private readonly int _points;
    private readonly string _unit;

    /// <summary>The stretches of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="points">The most points of a line.</param>
    public Timeline(RunReport run, int points)
    {
        _stretches = [.. run.Intervals.Where(one => one.Seconds > 0)];
        _points = points;
        (Scale, _unit) = run.Seconds switch
        {
            < 600 => (1, "s after the beginning"),
            < 36_000 => (60, "min after the beginning"),
            _ => (3600.0, "h after the beginning"),
        };
    }

    /// <summary>Whether there is anything to draw.</summary>
    public bool Shown => _stretches.Count > 1;

    /// <summary>Seconds of the unit of time.</summary>
    public double Scale { get; }

    /// <summary>Whether a value is ever more than nothing.</summary>
    public bool Any(Func<IntervalReport, double> of) => _stretches.Any(one => of(one) > 0);

    /// <summary>A line of means.</summary>
    public ChartLine Mean(string name, int colour, Func<IntervalReport, double> of) =>
        Ratio(name, colour, one => of(one) * one.Seconds, one => one.Seconds);

    /// <summary>A line of the most of each point.</summary>
    public ChartLine Most(string name, int colour, Func<IntervalReport, double> of) =>
        new(name, colour, [.. Groups().Select(group => group.Max(of))]);

    /// <summary>A line of sums over sums; a gap where there is nothing to divide by.</summary>
    public ChartLine Ratio(string name, int colour, Func<IntervalReport, double> of, Func<IntervalReport, double> per) => new(
        name,
        colour,
        [.. Groups().Select(group => group.Sum(per) is > 0 and var all ? group.Sum(of) / all : double.NaN)]);

    /// <summary>A chart over the time of the run, of means: they stand in the middle of their stretch.</summary>
    public SimulateChart Chart(string title, string unit, params ChartLine[] lines) => new()
    {
        Title = title,
        Unit = unit,
        Across = new ChartAcross(
            _stretches[0].FromSeconds / Scale, (_stretches[^1].FromSeconds + _stretches[^1].Seconds) / Scale, _unit),
        Lines = lines,
        Shift = 0.5,
    };

    private IEnumerable<IReadOnlyList<IntervalReport>> Groups()
    {
        var count = Math.Min(_points, _stretches.Count);
        for (var i = 0; i < count; i++)
        {
            var (from, to) = ((int)((long)i * _stretches.Count / count), (int)((long)(i + 1) * _stretches.Count / count));
            yield return [.. _stretches.Skip(from).Take(to - from)];
        }
    }
}
