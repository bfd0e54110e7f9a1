using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance.SteadyState;

/// <summary>What a deployment does under a load, in the steady state.</summary>
public sealed record Prediction
{
    /// <summary>Whether the model and one request fit into the memory.</summary>
    public required bool Fits { get; init; }

    /// <summary>GiB per GPU that are missing; 0 where it fits.</summary>
    public double MissingGibibytes { get; init; }

    /// <summary>The offered load is more than the deployment can serve: queues grow without end.</summary>
    public bool Saturated { get; init; }

    /// <summary>
    /// The offered load is so near to what the deployment serves, or beyond it, that the times are those of a little less:
    /// waiting knows no bound there.
    /// </summary>
    public bool NearLimit { get; init; }

    /// <summary>Mean time to the first token in seconds.</summary>
    public double Ttft { get; init; }

    /// <summary>Mean time per output token after the first in seconds.</summary>
    public double Tpot { get; init; }

    /// <summary>Mean time from sending a request to its last token in seconds.</summary>
    public double EndToEnd { get; init; }

    /// <summary>Output tokens per second of the whole deployment.</summary>
    public double OutputTokensPerSecond { get; init; }

    /// <summary>Input and output tokens per second of the whole deployment.</summary>
    public double TotalTokensPerSecond { get; init; }

    /// <summary>Requests per second of the whole deployment.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>Mean watts of one GPU at its board, over all GPUs.</summary>
    public double WattsPerGpu { get; init; }

    /// <summary>Watts of one GPU at its board during its steps, without the time between them; of the pool that draws more.</summary>
    public double StepWatts { get; init; }

    /// <summary>GPUs of the deployment.</summary>
    public double Gpus { get; init; }

    /// <summary>Sequences that decode at once on one replica.</summary>
    public double Running { get; init; }

    /// <summary>Sequences that the memory of one replica holds at once.</summary>
    public double Capacity { get; init; }

    /// <summary>Seconds per output token by cause, factors of calibration applied.</summary>
    public StepTerms TokenTime { get; init; }

    /// <summary>Seconds to the first token by cause, factors of calibration applied.</summary>
    public FirstTokenTerms FirstTokenTime { get; init; }

    /// <summary>Share of the tokens' time with prompt tokens in the step.</summary>
    public double PrefillShare { get; init; }

    /// <summary>
    /// The clock that keeps a power cap, as a share of the highest; below <see cref="LowestClock"/> the GPU runs at that one and pauses.
    /// </summary>
    public double Clock { get; init; } = 1;

    /// <summary>The lowest clock as a share of the highest.</summary>
    public static double LowestClock => Throttle.LowestClock;

    /// <summary>The factor that corrections put on the step model's times.</summary>
    public double Correction { get; init; } = 1;

    /// <summary>Joules per output token at the boards of all GPUs.</summary>
    public double JoulesPerOutputToken => OutputTokensPerSecond > 0 ? WattsPerGpu * Gpus / OutputTokensPerSecond : 0;
}
