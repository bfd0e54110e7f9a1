using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>What a request took of its replica.</summary>
/// <param name="BusySeconds">Its share of the seconds in which the replica had requests.</param>
/// <param name="UsageUsd">What they cost.</param>
/// <param name="AllocationUsd">The same with a share of what idle time cost; as usage before it has ended.</param>
/// <param name="Joules">Its share of the joules at the boards of all the replica's GPUs, by the model.</param>
public readonly record struct WorkCost(double BusySeconds, double UsageUsd, double AllocationUsd, double Joules);

/// <summary>What a meter shows.</summary>
/// <param name="Seconds">Time that is paid for.</param>
/// <param name="BusySeconds">Of it, time in which at least one request was there.</param>
/// <param name="UsdPaid">Dollars for all of it.</param>
/// <param name="UsdIdle">Of them, dollars for the time in which no request was there.</param>
/// <param name="Joules">Joules at the boards, by the model.</param>
/// <param name="IdleJoules">Of them, joules of the time in which no request was there.</param>
public readonly record struct MeterTotals(
    double Seconds, double BusySeconds, double UsdPaid, double UsdIdle, double Joules, double IdleJoules);

/// <summary>
/// Splits the time, dollars and joules of a replica over the requests that are there, by their work; what no request was there for is idle.
/// An event costs O(1): shares are differences of sums that grow with time.
/// </summary>
/// <remarks>
/// <para>A span between two events is first divided between prompts and answers as a step is: what a chunk of the prompts that wait adds to
/// a step, against what the step takes without it (all to prompts where none generates, or where the engine computes prompts in steps of
/// their own). The prompts' part goes to those at the head of the line that together fit into one step's token budget, by the seconds that
/// each takes alone: engines compute prompts in turn, and small ones together. The answers' part goes to all that generate, by what a
/// token of each takes at its context in a usual batch.</para>
/// <para>Shares sum to the span, so that requests, those in flight included, and idle time sum to the meter but for rounding.</para>
/// </remarks>
public sealed class WorkMeter
{
    private readonly PoolMeter _pool;
    private readonly WorkLine _prompts;
    private Instant _now;
    private bool _open = true;
    private MeterTotals _totals;
    private WorkSums _promptSums;
    private WorkSums _answerSums;
    private long _answerWork;
    private double _contexts;
    private int _generating;
    private double _promptShare;
    private bool _changed = true;

    internal WorkMeter(PoolMeter pool, Instant at) => (_pool, _prompts, _now) = (pool, new WorkLine(pool.Steps.TokenBudget), at);

    /// <summary>What it shows; as of the last event or <see cref="Advance"/>.</summary>
    public MeterTotals Totals => _totals;

    /// <summary>Watts that the boards draw now, by the model; 0 where the replica is gone.</summary>
    public double Watts { get; private set; }

    /// <summary>Requests that are there.</summary>
    public int InFlight => _prompts.Count + _generating;

    /// <summary>Lets time pass. Instants before the last are taken for it.</summary>
    public void Advance(Instant at)
    {
        if (!_open)
            return;
        Weigh();
        if (at <= _now)
            return;
        var seconds = (at - _now).Seconds;
        var (usd, joules) = (seconds * _pool.UsdPerSecond, seconds * Watts);
        _now = at;
        if (InFlight == 0)
        {
            _totals = _totals with { UsdIdle = _totals.UsdIdle + usd, IdleJoules = _totals.IdleJoules + joules };
            _pool.Idle(at, usd);
        }
        else
        {
            _totals = _totals with { BusySeconds = _totals.BusySeconds + seconds };
            _promptSums.Add(_promptShare, seconds, joules, _prompts.Work);
            _answerSums.Add(1 - _promptShare, seconds, joules, _answerWork);
            _pool.Busy(at, usd);
        }

        _totals = _totals with
        {
            Seconds = _totals.Seconds + seconds,
            UsdPaid = _totals.UsdPaid + usd,
            Joules = _totals.Joules + joules,
        };
    }

    /// <summary>The replica is gone: nothing is paid for any more. Requests that are there may still end.</summary>
    public void Close(Instant at)
    {
        Advance(at);
        (_open, Watts) = (false, 0);
    }

    /// <summary>A request was sent to it.</summary>
    /// <param name="at">When.</param>
    /// <param name="promptTokens">Tokens of its prompt.</param>
    /// <param name="freshTokens">Those of them that must be computed.</param>
    /// <param name="outputTokens">Tokens that its answer is expected to have.</param>
    public Work Dispatch(Instant at, int promptTokens, int freshTokens, double outputTokens)
    {
        Advance(at);
        var work = new Work(_pool.Steps, promptTokens, freshTokens, outputTokens);
        _prompts.Add(work, _promptSums);
        _changed = true;
        return work;
    }

    /// <summary>Its first token came.</summary>
    public void FirstToken(Work work, Instant at)
    {
        Advance(at);
        if (work.Phase is WorkPhase.Generates or WorkPhase.Ended)
            return;
        _prompts.Remove(work, _promptSums);
        (work.Phase, work.Since) = (WorkPhase.Generates, _answerSums);
        _generating++;
        _answerWork += work.AnswerWork;
        _contexts += work.Context;
        _changed = true;
    }

    /// <summary>It ended, well or not.</summary>
    /// <returns>What it took.</returns>
    public WorkCost End(Work work, Instant at)
    {
        Advance(at);
        Leave(work);
        work.Phase = WorkPhase.Ended;
        _changed = true;
        if (InFlight == 0)
            (_promptSums, _answerSums, _contexts) = (default, default, 0); // sums stay small, differences exact
        var usage = work.Seconds * _pool.UsdPerSecond;
        return new WorkCost(work.Seconds, usage, _pool.Allocate(usage), work.Joules);
    }

    /// <summary>What a request has by now.</summary>
    public WorkCost Of(Work work)
    {
        var (seconds, joules) = work.Phase switch
        {
            WorkPhase.Computes => work.With(_promptSums, work.PromptWork),
            WorkPhase.Generates => work.With(_answerSums, work.AnswerWork),
            _ => (work.Seconds, work.Joules),
        };
        var usage = seconds * _pool.UsdPerSecond;
        return new WorkCost(seconds, usage, usage, joules);
    }

    private void Leave(Work work)
    {
        switch (work.Phase)
        {
            case WorkPhase.Waits or WorkPhase.Computes:
                _prompts.Remove(work, _promptSums);
                break;
            case WorkPhase.Generates:
                work.Take(_answerSums, work.AnswerWork);
                _generating--;
                _answerWork -= work.AnswerWork;
                _contexts -= work.Context;
                break;
            default:
                throw new ArgumentException("A request ends once.", nameof(work));
        }
    }

    /// <summary>How the next span is divided, and what it draws.</summary>
    private void Weigh()
    {
        if (!_changed)
            return;
        _changed = false;
        (_promptShare, Watts) = (0, _pool.Power.Idle);
        if (InFlight == 0)
            return;
        var (steps, context) = (_pool.Steps, _generating > 0 ? _contexts / _generating : 0);
        if (_prompts.Count > 0)
        {
            var chunk = steps.Prompt(Math.Min(steps.TokenBudget, _prompts.Tokens), 0, _generating);
            var alone = _generating == 0 || steps.Model.SeparatesPrompts;
            _promptShare = alone ? 1 : chunk / (chunk + steps.Decode(_generating, context));
        }

        Watts = _promptShare * _pool.Power.Prompt;
        if (_promptShare < 1)
            Watts += (1 - _promptShare) * _pool.Power.Decode(_generating, context);
    }
}
