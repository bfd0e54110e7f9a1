using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance;

/// <summary>What one engine step of a replica costs.</summary>
/// <param name="Seconds">How long it takes.</param>
/// <param name="Watts">What the boards of all its GPUs draw meanwhile.</param>
public readonly record struct StepCost(double Seconds, double Watts)
{
    /// <summary>Joules at the boards.</summary>
    public double Joules => Seconds * Watts;
}

/// <summary>
/// One replica as everybody who looks ahead sees it: the engine of the twin, the policies and the planner ask the same object how long a
/// step takes and what it draws. A power cap is kept in each step by the highest clock that keeps it.
/// </summary>
public sealed class ReplicaModel
{
    private const int ClockLevels = 24;

    private readonly StepPlan _plan;
    private readonly (StepTime Time, StepPower Power)[] _levels;
    private readonly double _slowness;
    private readonly FrontTerms _front;

    /// <summary>The model of a replica.</summary>
    /// <param name="deployment">What it is.</param>
    /// <param name="kernels">Constants of its accelerator's kernels.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="disaggregated">It is part of a deployment that computes prompts and answers in pools of their own.</param>
    public ReplicaModel(Deployment deployment, KernelSet kernels, CalibrationSet calibration, bool disaggregated = false)
        : this(new StepPlan(deployment, kernels), calibration, disaggregated)
    {
    }

    /// <summary>The model of a replica that is laid out already.</summary>
    /// <param name="plan">The replica as kernels.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="disaggregated">It is part of a deployment that computes prompts and answers in pools of their own.</param>
    public ReplicaModel(StepPlan plan, CalibrationSet calibration, bool disaggregated = false)
    {
        var deployment = plan.Deployment;
        var traits = Traits.Of(deployment, disaggregated);
        _plan = plan;
        _levels = [.. Clocks(deployment).Select(clock => (
            new StepTime(_plan, calibration, traits, clock), new StepPower(deployment, calibration, traits, clock)))];
        _slowness = 1;
        _front = calibration.FrontOf(traits);
        IdleWatts = _levels[0].Power.Idle * deployment.Gpus;
    }

    private ReplicaModel(ReplicaModel other, double slowness)
    {
        (_plan, _levels, _slowness) = (other._plan, other._levels, slowness);
        (_front, IdleWatts) = (other._front, other.IdleWatts);
    }

    /// <summary>What it is.</summary>
    public Deployment Deployment => _plan.Deployment;

    /// <summary>Watts at the boards of all its GPUs while nothing is computed.</summary>
    public double IdleWatts { get; }

    /// <summary>Whether prompts get steps of their own while generation waits, or share steps with it.</summary>
    public bool SeparatesPrompts => SteadyState.Prepared.PolicyOf(Deployment.Engine) == SteadyState.PrefillPolicy.Separate;

    /// <summary>The same replica with every step so many times as long: a sick GPU, a noisy neighbour.</summary>
    /// <param name="factor">1 or more.</param>
    public ReplicaModel Slowed(double factor) => new(this, _slowness * factor);

    /// <summary>Seconds between the client's sending and the engine's seeing a request: network, server, tokeniser.</summary>
    /// <param name="promptTokens">Length of the prompt.</param>
    public double FrontSeconds(int promptTokens) => _front.Seconds(promptTokens);

    /// <summary>Steps that pass until a busy engine's scheduler sees a request that has reached it.</summary>
    public double ReceiveSteps => _front[FrontTerm.Steps];

    /// <summary>What a step costs. Watts keep the cap where one is set.</summary>
    /// <param name="shape">What it computes, on the busiest attention group.</param>
    public StepCost Step(in StepShape shape)
    {
        var (terms, busy) = (_plan.Terms(shape), _plan.Busy(shape));
        var occupied = PowerTerms.Occupied(shape.Tokens);
        var level = _levels.Length == 1 ? 0 : Level(terms, busy, occupied);
        return At(level, terms, busy, occupied);
    }

    /// <summary>What a step costs in which sequences only generate.</summary>
    /// <param name="sequences">Sequences of the busiest attention group.</param>
    /// <param name="all">Sequences of all groups.</param>
    /// <param name="context">Mean context of a sequence in tokens.</param>
    public StepCost Decode(double sequences, double all, double context)
    {
        var batches = Batches(all);
        var each = sequences / batches;
        return Step(new StepShape(each, each * context, OtherGroupsSequences: (all - sequences) / batches));
    }

    /// <summary>Batches that a pipeline works on at once: as many as it has stages, if there are that many sequences.</summary>
    public double Batches(double sequences) => Math.Clamp(Deployment.Parallelism.Pipeline, 1, Math.Max(1, sequences));

    private StepCost At(int level, StepTerms terms, GpuBusy busy, double occupied)
    {
        var (time, power) = _levels[level];
        var seconds = time.Seconds(terms);
        return new StepCost(seconds * _slowness, power.Watts(busy, terms, seconds, occupied) * Deployment.Gpus);
    }

    /// <summary>The highest clock that keeps the cap, or the lowest.</summary>
    private int Level(StepTerms terms, GpuBusy busy, double occupied)
    {
        var cap = Deployment.PowerCap!.Value.Value * Deployment.Gpus;
        var (low, high) = (0, _levels.Length - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (At(middle, terms, busy, occupied).Watts < cap)
                high = middle;
            else
                low = middle + 1;
        }

        return low;
    }

    private static IEnumerable<double> Clocks(Deployment d)
    {
        if (d.PowerCap is null || d.Gpu.Tdp is null)
            return [d.Clock];
        var running = Enumerable.Range(0, ClockLevels).Select(i => Between(d.Clock, Throttle.LowestClock, (double)i / ClockLevels));
        var pausing = Enumerable.Range(0, ClockLevels + 1)
            .Select(i => Between(Throttle.LowestClock, Throttle.LongestPauses, (double)i / ClockLevels));
        return running.Concat(pausing).Distinct();

        static double Between(double high, double low, double way) => high * Math.Pow(low / high, way);
    }
}
