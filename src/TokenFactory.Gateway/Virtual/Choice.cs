using System.Threading.Tasks.Sources;
using TokenFactory.Engine;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Virtual;

/// <summary>How a choice ended.</summary>
internal enum ChoiceEnd
{
    /// <summary>Not yet.</summary>
    None,

    /// <summary>All its tokens are there.</summary>
    Finished,

    /// <summary>The client left.</summary>
    Cancelled,

    /// <summary>The engine cannot serve it.</summary>
    Refused,
}

/// <summary>One answer to one prompt: a request of the engine, and what is seen of it. Written by the driver under its lock.</summary>
internal sealed class Choice
{
    private int _tokens;
    private volatile ChoiceEnd _end;

    public Choice(Job job, int index, AnswerText text) => (Job, Index, Text) = (job, index, text);

    public Job Job { get; }

    /// <summary>Its index in the answer.</summary>
    public int Index { get; }

    public AnswerText Text { get; }

    /// <summary>What the engine has; set before it is submitted.</summary>
    public required EngineRequest Leg { get; init; }

    /// <summary>Whether it has passed the server in front of the engine.</summary>
    public bool Delivered { get; set; }

    /// <summary>Tokens that are there.</summary>
    public int Tokens
    {
        get => Volatile.Read(ref _tokens);
        set => Volatile.Write(ref _tokens, value);
    }

    public Instant? FirstToken { get; set; }

    public Instant? EndedAt { get; set; }

    /// <summary>How it ended: written last.</summary>
    public ChoiceEnd End
    {
        get => _end;
        set => _end = value;
    }
}

/// <summary>An HTTP request at the engine: its choices, and who waits for tokens of them. One waiter at a time.</summary>
internal sealed class Job : IValueTaskSource
{
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _signal = new() { RunContinuationsAsynchronously = true };
    private bool _news;
    private bool _waits;

    /// <summary>Its choices; set before it is submitted.</summary>
    public IReadOnlyList<Choice> Choices { get; set; } = [];

    /// <summary>Whether it wants its tokens as they come, not only the end.</summary>
    public required bool Streams { get; init; }

    /// <summary>When it came.</summary>
    public Instant Arrived { get; set; }

    /// <summary>Choices that have not ended: the driver's count.</summary>
    public int Open { get; set; }

    /// <summary>Place among the driver's streams; -1 for none.</summary>
    public int Place { get; set; } = -1;

    /// <summary>Whether tokens came since the last signal: the driver's mark.</summary>
    public bool Marked { get; set; }

    /// <summary>Waits for news. There may be none of use: look at the choices.</summary>
    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_news)
            {
                _news = false;
                return ValueTask.CompletedTask;
            }

            _signal.Reset();
            _waits = true;
            return new ValueTask(this, _signal.Version);
        }
    }

    /// <summary>Tells whoever waits, now or next.</summary>
    public void Signal()
    {
        lock (_gate)
        {
            if (!_waits)
            {
                _news = true;
                return;
            }

            _waits = false;
        }

        _signal.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _signal.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) =>
        _signal.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _signal.OnCompleted(continuation, state, token, flags);
}
