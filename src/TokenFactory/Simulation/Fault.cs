namespace TokenFactory.Simulation;

/// <summary>Something that goes wrong.</summary>
public abstract record Fault
{
    /// <summary>Index of the pool that it befalls; -1 for all pools.</summary>
    public int Pool { get; init; } = -1;
}

/// <summary>Replicas crash, with everything in them, and are replaced.</summary>
public sealed record Crashes : Fault
{
    /// <summary>Mean hours between crashes of one replica; crashes come without memory. 0 for none by chance.</summary>
    public double MeanHours { get; init; }

    /// <summary>Seconds at which the first replica of the pool, or of each pool, crashes.</summary>
    public IReadOnlyList<double> AtSeconds { get; init; } = [];
}

/// <summary>The first replica of the pool, or of each pool, is slow for a while: a throttled GPU, a noisy neighbour. One ordered in its place is not.</summary>
public sealed record Slowdown : Fault
{
    /// <summary>When it begins, in seconds.</summary>
    public required double AtSeconds { get; init; }

    /// <summary>How long it lasts, in seconds.</summary>
    public required double ForSeconds { get; init; }

    /// <summary>How many times as long its steps take, 1 or more.</summary>
    public required double Factor { get; init; }
}

/// <summary>Replicas report no load for a while: those who steer go by what they last heard.</summary>
public sealed record StaleReports : Fault
{
    /// <summary>When it begins, in seconds.</summary>
    public required double AtSeconds { get; init; }

    /// <summary>How long it lasts, in seconds.</summary>
    public required double ForSeconds { get; init; }
}

/// <summary>Some answers are lost on their way to the client, after all the work.</summary>
public sealed record LostAnswers : Fault
{
    /// <summary>Share of the answers, 0 to 1.</summary>
    public required double Share { get; init; }
}

/// <summary>A provider takes spot replicas back, and offers them again later.</summary>
public sealed record SpotPreemptions : Fault
{
    /// <summary>Mean hours that a replica stays, without memory.</summary>
    public double UpHours { get; init; }

    /// <summary>Mean hours until capacity is offered again, without memory.</summary>
    public double DownHours { get; init; }

    /// <summary>Runs of a trace instead: seconds up, seconds down, and so on. Each stay and each absence is one of them, drawn evenly.</summary>
    public IReadOnlyList<double> RunsSeconds { get; init; } = [];

    /// <summary>Seconds between the warning and the end.</summary>
    public double NoticeSeconds { get; init; } = 120;
}

/// <summary>No KV cache passes between prefill and decode pools for a while; transfers under way stand still.</summary>
public sealed record LinkLoss : Fault
{
    /// <summary>When it begins, in seconds.</summary>
    public required double AtSeconds { get; init; }

    /// <summary>How long it lasts, in seconds.</summary>
    public required double ForSeconds { get; init; }
}
