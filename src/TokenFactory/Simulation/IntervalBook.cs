using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <summary>
/// The run in stretches of equal length. Nobody knows how long it will be: stretches begin short, and when there are too many, two become
/// one, so that there are never more than <see cref="Most"/>.
/// </summary>
internal sealed class IntervalBook
{
    private const int Most = 240;
    private const double FirstSeconds = 1;

    private readonly List<Stretch> _stretches = [];
    private readonly IReadOnlyList<PoolPlan> _pools;
    private readonly Sums[] _before;
    private Instant _from;
    private long _arrived;
    private long _completed;
    private long _kept;
    private double _ttft;
    private double _tpot;

    public IntervalBook(IReadOnlyList<PoolPlan> pools) => (_pools, _before) = (pools, new Sums[pools.Count]);

    /// <summary>Length of a stretch.</summary>
    public Duration Length { get; private set; } = Duration.OfSeconds(FirstSeconds);

    /// <summary>When the present stretch ends.</summary>
    public Instant End => _from + Length;

    /// <summary>Joules of all IT and at the site's meter of each pool, over the stretches that are closed.</summary>
    public (double It, double Facility)[] Joules => [.. Enumerable.Range(0, _pools.Count).Select(pool => (
        _stretches.Sum(stretch => stretch.Pools[pool].It), _stretches.Sum(stretch => stretch.Pools[pool].Facility)))];

    /// <summary>Mean share of the KV blocks that requests held in a pool.</summary>
    public double KvHeld(int pool)
    {
        var seconds = _stretches.Sum(stretch => stretch.Seconds);
        return seconds > 0 ? _stretches.Sum(stretch => stretch.Pools[pool].KvHeld * stretch.Seconds) / seconds : 0;
    }

    public void Arrive() => _arrived++;

    public void Complete(bool kept, double ttft, double tpot)
    {
        _completed++;
        _kept += kept ? 1 : 0;
        (_ttft, _tpot) = (_ttft + ttft, _tpot + tpot);
    }

    /// <summary>Closes the present stretch.</summary>
    /// <param name="now">Its end.</param>
    /// <param name="waiting">Requests at the gateway.</param>
    /// <param name="sums">What each pool has done by now.</param>
    /// <param name="looks">What each pool looks like.</param>
    public void Close(Instant now, int waiting, IReadOnlyList<Sums> sums, IReadOnlyList<PoolLook> looks)
    {
        var seconds = (now - _from).Seconds;
        if (seconds <= 0)
            return;
        var pools = new PoolStretch[_pools.Count];
        for (var i = 0; i < pools.Length; i++)
        {
            pools[i] = Of(i, sums[i] - _before[i], looks[i]);
            _before[i] = sums[i];
        }

        _stretches.Add(new Stretch(_from.Seconds, seconds, _arrived, _completed, _kept, waiting, _ttft, _tpot, pools));
        (_arrived, _completed, _kept, _ttft, _tpot, _from) = (0, 0, 0, 0, 0, now);
        if (_stretches.Count < Most)
            return;
        for (var i = 0; i < Most / 2; i++)
            _stretches[i] = _stretches[2 * i].Plus(_stretches[(2 * i) + 1]);
        _stretches.RemoveRange(Most / 2, Most / 2);
        Length = new Duration(Length.Nanoseconds * 2);
    }

    public IReadOnlyList<IntervalReport> Report() => [.. _stretches.Select(Report)];

    private PoolStretch Of(int pool, Sums done, PoolLook look)
    {
        var plan = _pools[pool];
        var gpuSeconds = done.PaidSeconds * plan.Facts.Model.Deployment.Gpus;
        var board = done.StepJoules + done.IdleJoules;
        var (it, facility) = gpuSeconds > 0 ? plan.Ladder(board / gpuSeconds) : (0, 0);
        return new PoolStretch(
            look.Replicas, look.Running, look.Waiting, look.KvHeld, done.PromptTokens, done.OutputTokens, board,
            it * gpuSeconds, facility * gpuSeconds, done.PaidSeconds / 3600 * plan.Facts.UsdPerHour);
    }

    private static IntervalReport Report(Stretch s) => new()
    {
        FromSeconds = s.From,
        Seconds = s.Seconds,
        Arrived = s.Arrived,
        Completed = s.Completed,
        Kept = s.Kept,
        GatewayWaiting = s.Waiting,
        MeanTtft = s.Completed > 0 ? s.Ttft / s.Completed : 0,
        MeanTpot = s.Completed > 0 ? s.Tpot / s.Completed : 0,
        All = Rates(s.Pools.Aggregate((a, b) => a.Beside(b)), s.Seconds),
        Pools = [.. s.Pools.Select(pool => Rates(pool, s.Seconds))],
    };

    private static IntervalPool Rates(PoolStretch p, double seconds) => new(
        p.Replicas, p.Running, p.Waiting, p.KvHeld, p.Prompt / seconds, p.Output / seconds, p.Board / seconds, p.Facility / seconds, p.Usd);

    private sealed record Stretch(
        double From, double Seconds, long Arrived, long Completed, long Kept, int Waiting, double Ttft, double Tpot, PoolStretch[] Pools)
    {
        public Stretch Plus(Stretch next) => new(
            From,
            Seconds + next.Seconds,
            Arrived + next.Arrived,
            Completed + next.Completed,
            Kept + next.Kept,
            next.Waiting,
            Ttft + next.Ttft,
            Tpot + next.Tpot,
            [.. Pools.Zip(next.Pools, (a, b) => a.Then(b, Seconds, next.Seconds))]);
    }

    private readonly record struct PoolStretch(
        int Replicas,
        int Running,
        int Waiting,
        double KvHeld,
        double Prompt,
        double Output,
        double Board,
        double It,
        double Facility,
        double Usd)
    {
        public PoolStretch Then(PoolStretch next, double seconds, double nextSeconds) => Sum(next) with
        {
            Replicas = next.Replicas,
            Running = next.Running,
            Waiting = next.Waiting,
            KvHeld = ((KvHeld * seconds) + (next.KvHeld * nextSeconds)) / (seconds + nextSeconds),
        };

        public PoolStretch Beside(PoolStretch other) => Sum(other) with
        {
            Replicas = Replicas + other.Replicas,
            Running = Running + other.Running,
            Waiting = Waiting + other.Waiting,
            KvHeld = Replicas + other.Replicas > 0
                ? ((KvHeld * Replicas) + (other.KvHeld * other.Replicas)) / (Replicas + other.Replicas)
                : 0,
        };

        private PoolStretch Sum(PoolStretch other) => other with
        {
            Prompt = Prompt + other.Prompt,
            Output = Output + other.Output,
            Board = Board + other.Board,
            It = It + other.It,
            Facility = Facility + other.Facility,
            Usd = Usd + other.Usd,
        };
    }
}

/// <summary>What a pool looks like at an instant.</summary>
internal readonly record struct PoolLook(int Replicas, int Running, int Waiting, double KvHeld);
