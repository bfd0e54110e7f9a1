namespace TokenFactory.Workload.Traces;

/// <summary>What a trace holds, from one pass in bounded memory.</summary>
public sealed class TraceProfile
{
    private double _last;
    private double _logInput;
    private double _logOutput;
    private double _logInputSquares;
    private double _logOutputSquares;
    private double _logProducts;

    /// <summary>Requests.</summary>
    public long Requests => Input.Count;

    /// <summary>Arrival of the first, in seconds.</summary>
    public double FirstSeconds { get; private set; }

    /// <summary>Seconds from the first arrival to the last.</summary>
    public double DurationSeconds => _last - FirstSeconds;

    /// <summary>Arrivals over time, from the first on.</summary>
    public RateSeries Rate { get; } = new();

    /// <summary>Mean rate per second; 0 where all come at once.</summary>
    public double MeanRate => DurationSeconds > 0 ? (Requests - 1) / DurationSeconds : 0;

    /// <summary>Seconds between one arrival and the next.</summary>
    public LogHistogram Gaps { get; } = new();

    /// <summary>Tokens of prompts.</summary>
    public LogHistogram Input { get; } = new();

    /// <summary>Tokens of answers.</summary>
    public LogHistogram Output { get; } = new();

    /// <summary>What prompts share.</summary>
    public PrefixReuse Reuse { get; } = new();

    /// <summary>Sessions, where the trace names them.</summary>
    public SessionTally Sessions { get; } = new();

    /// <summary>Standard deviations of the logarithms of the lengths.</summary>
    public (double Input, double Output) LogDeviations => (
        Math.Sqrt(Math.Max(0, (_logInputSquares / Requests) - Math.Pow(_logInput / Requests, 2))),
        Math.Sqrt(Math.Max(0, (_logOutputSquares / Requests) - Math.Pow(_logOutput / Requests, 2))));

    /// <summary>Medians of the lengths as lognormal distributions of their logarithms' means.</summary>
    public (double Input, double Output) LogMedians => (Math.Exp(_logInput / Requests), Math.Exp(_logOutput / Requests));

    /// <summary>Correlation of the logarithms of the lengths of prompt and answer; 0 where either does not vary.</summary>
    public double Correlation
    {
        get
        {
            var (input, output) = LogDeviations;
            var together = (_logProducts / Requests) - (_logInput / Requests * (_logOutput / Requests));
            return input > 1e-9 && output > 1e-9 ? Math.Clamp(together / (input * output), -1, 1) : 0;
        }
    }

    /// <summary>Share of the input tokens that a cache which forgets nothing would find; null where the trace does not say.</summary>
    public double? FoundShare => Reuse.Known ? Reuse.FoundTokens / Input.Sum : null;

    /// <summary>Share of the input tokens that a cache of so many tokens finds at least; null where the trace does not say.</summary>
    public double? FoundWithin(double tokens) => Reuse.Known ? Reuse.Ages.CountUpTo(tokens) / Input.Sum : null;

    /// <summary>The profile of rows in the order of time.</summary>
    public static TraceProfile Of(IEnumerable<TraceRow> rows)
    {
        var profile = new TraceProfile();
        foreach (var row in rows)
            profile.Add(row);
        return profile;
    }

    /// <summary>Looks at the next row.</summary>
    public void Add(TraceRow row)
    {
        if (Requests == 0)
            FirstSeconds = row.Seconds;
        else
            Gaps.Add(row.Seconds - _last);
        _last = row.Seconds;
        Rate.Add(row.Seconds - FirstSeconds);
        Input.Add(row.InputTokens);
        Output.Add(row.OutputTokens);
        var (input, output) = (Math.Log(row.InputTokens), Math.Log(row.OutputTokens));
        _logInput += input;
        _logOutput += output;
        _logInputSquares += input * input;
        _logOutputSquares += output * output;
        _logProducts += input * output;
        Reuse.Add(row);
        Sessions.Add(row);
    }
}
