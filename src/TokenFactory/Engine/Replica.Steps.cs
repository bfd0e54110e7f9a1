using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Engine;

/// <content>What runs: one step with prompt tokens, or as many steps as only generate.</content>
public sealed partial class Replica
{
    private const long Unit = DecodeCurve.Unit;

    private readonly TimeHistogram _gaps = new();
    private Running _running;
    private Int128 _position;
    private Int128 _first;
    private long _slope;
    private long _steps;
    private Instant _end;
    private StepJoules _joules;
    private PromptStep _prompts;
    private Int128 _sinceDecode;
    private Int128 _pace;

    private Int128 _busy;
    private double _stepJoules;
    private double _promptTokens;
    private double _outputTokens;
    private double _sequenceSeconds;
    private double _joulesPerSequence;
    private double _secondsPerSequence;

    private enum Running
    {
        Nothing,
        Decode,
        Prompts,
    }

    private int Generating
    {
        get
        {
            var generating = 0;
            foreach (var lane in _lanes)
                generating += lane.Decodes.Count;
            return generating;
        }
    }

    /// <summary>Does what is due: ends the steps that end now, and begins the next. Events are added in a fixed order.</summary>
    /// <param name="now">At <see cref="NextEvent"/>.</param>
    /// <param name="told">Where events go.</param>
    public void Advance(Instant now, ICollection<EngineEvent> told)
    {
        if (_running != Running.Nothing && now < _end)
        {
            Disturb(now); // KV cache arrived from host memory, or the scheduler sees a request
            return;
        }

        switch (_running)
        {
            case Running.Nothing:
                _position = (Int128)now.Nanoseconds * Unit;
                break;
            case Running.Decode:
                Commit(_steps);
                Finish(told);
                break;
            default:
                Commit(_prompts, told);
                break;
        }

        Plan(now, told);
    }

    /// <summary>Something changed from outside: whatever runs ends with the step that is under way.</summary>
    private void Disturb(Instant now)
    {
        switch (_running)
        {
            case Running.Nothing:
                NextEvent = now;
                return;
            case Running.Decode:
                (_steps, _end) = FirstEnd(now);
                break;
            default:
                break;
        }

        NextEvent = Instant.Earlier(_end, NextReady(now));
    }

    /// <summary>How long it takes until the scheduler sees a request: so many steps of those that generate now.</summary>
    private Duration ReceiveDelay(Instant now)
    {
        var steps = Model.ReceiveSteps;
        if (steps <= 0 || _running == Running.Nothing || Generating == 0)
            return new Duration(0);
        var pace = _running == Running.Decode ? _first + (_slope * (Int128)StepsBefore(now)) : _pace;
        return new Duration((long)(steps * ((double)pace / Unit)));
    }

    /// <summary>The first step that ends at an instant or later.</summary>
    private (long Steps, Instant End) FirstEnd(Instant now)
    {
        var (low, high) = (0L, _steps);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (End(middle) < now)
                low = middle;
            else
                high = middle;
        }

        return (high, End(high));
    }

    private long StepsBefore(Instant now)
    {
        if (_running != Running.Decode)
            return 0;
        var (first, end) = FirstEnd(now);
        return end < now ? first : first - 1;
    }

    private Int128 Sum(long steps) => (_first * steps) + (_slope * ((Int128)steps * (steps - 1) / 2));

    /// <summary>The instant by which so many steps are over.</summary>
    private Instant End(long steps) => new((long)((_position + Sum(steps) + Unit - 1) / Unit));

    private static double Seconds(Int128 units) => (double)units / Unit * 1e-9;

    private void BeginDecode(long limit)
    {
        int all = 0, busiest = 0;
        long parts = 0, growing = 0;
        foreach (var lane in _lanes)
        {
            var here = lane.Decodes.Count + lane.Padding.Count;
            (all, busiest) = (all + here, Math.Max(busiest, here));
            (parts, growing) = (parts + lane.Decodes.Parts + lane.PaddingParts, growing + lane.Decodes.Count);
        }

        var piece = _curve.Piece(busiest, all, parts);
        var growth = growing * _partsPerStep;
        var steps = limit;
        foreach (var lane in _lanes)
            steps = Math.Min(steps, lane.Decodes.FirstDone - _step);
        if (piece.To < long.MaxValue)
            steps = Math.Min(steps, ((piece.To - 1 - parts) / growth) + 1);
        foreach (var lane in _lanes)
            steps = lane.StepsWithin(steps);
        _running = Running.Decode;
        _first = piece.TimeAt(parts);
        _slope = piece.TimeSlope * growth;
        _joules = new StepJoules(piece.JoulesAt(parts), piece.JoulesSlope * growth);
        _steps = steps;
        _end = End(steps);
    }

    /// <summary>Counts steps that only generated.</summary>
    private void Commit(long steps)
    {
        if (steps == 0)
            return;
        var (time, joules, sequences) = (Sum(steps), _joules.Sum(steps), Generating);
        CountGaps(_gaps, _first, _slope, steps);
        _sinceDecode = 0;
        _pace = _first + (_slope * (Int128)(steps - 1));
        CountSteps(time, joules, sequences, steps);
        Share(time, joules, sequences);
        _position += time;
    }

    private void CountGaps(TimeHistogram gaps, Int128 first, long slope, long steps)
    {
        var readers = Generating;
        if (_sinceDecode > 0)
        {
            gaps.Add(first + _sinceDecode, 0, 1, readers, _partsPerStep);
            (first, steps) = (first + slope, steps - 1);
        }

        if (steps > 0)
            gaps.Add(first, slope, steps, readers, _partsPerStep);
    }

    private void CountSteps(Int128 time, double joules, int sequences, long steps)
    {
        _busy += time;
        _stepJoules += joules;
        _sequenceSeconds += sequences * Seconds(time);
        foreach (var lane in _lanes)
        {
            var grown = lane.TryGrow(_step + steps - 1);
            System.Diagnostics.Debug.Assert(grown, "steps were planned within the blocks there are");
            lane.Decodes.Advance(steps);
            _outputTokens += (double)lane.Decodes.Count * steps * _partsPerStep / DecodeCurve.TokenParts;
        }

        _step += steps;
    }

    private void Share(Int128 time, double joules, int sequences)
    {
        _joulesPerSequence += joules / sequences;
        _secondsPerSequence += Seconds(time) / sequences;
    }

    /// <summary>Counts a step with prompt tokens.</summary>
    private void Commit(in PromptStep step, ICollection<EngineEvent> told)
    {
        Bill(step, 1);
        if (step.Decodes)
        {
            CountGaps(_gaps, _first, 0, 1);
            _sinceDecode = 0;
            _pace = step.DecodeTime;
            CountSteps(_first, _joules.First, Generating, 1);
        }
        else
        {
            _busy += _first;
            _stepJoules += _joules.First;
            _sinceDecode = Generating > 0 ? _sinceDecode + _first : 0;
        }

        _position += _first;
        _promptTokens += step.Tokens;
        Finish(told);
        foreach (var lane in _lanes)
        {
            foreach (var request in lane.Prefills)
                (request.Computed, request.ComputedTokens) = (request.Computed + request.Chunk, request.ComputedTokens + request.Chunk);
            CompletePrompts(lane, told);
        }
    }

    /// <summary>Shares a step, or a part of it, between the sequences that generated in it and the prompts.</summary>
    private void Bill(in PromptStep step, double part)
    {
        if (step.Decodes)
            Share((Int128)((double)step.DecodeTime * part), _joules.First * step.DecodeShare * part, Generating);
        var seconds = Seconds(_first - step.DecodeTime) * part;
        var joules = _joules.First * (1 - step.DecodeShare) * part;
        foreach (var lane in _lanes)
        {
            foreach (var request in lane.Prefills)
            {
                request.BusySeconds += seconds * request.Chunk / step.Tokens;
                request.Joules += joules * request.Chunk / step.Tokens;
            }
        }
    }

    /// <summary>Ends whatever runs in the middle of it.</summary>
    private void Stop(Instant now)
    {
        if (_running == Running.Nothing)
            return;
        var done = StepsBefore(now);
        if (_running == Running.Decode)
        {
            Commit(done);
            _first += _slope * (Int128)done;
            _joules = _joules with { First = _joules.First + (_joules.Slope * done) };
        }

        var part = Math.Clamp((double)(((Int128)now.Nanoseconds * Unit) - _position) / (double)_first, 0, 1);
        var time = (Int128)((double)_first * part);
        _busy += time;
        _stepJoules += _joules.First * part;
        if (_running == Running.Decode)
            Share(time, _joules.First * part, Generating);
        else
            Bill(_prompts, part);
        _running = Running.Nothing;
    }

    /// <summary>Joules of steps whose contexts grow evenly.</summary>
    private readonly record struct StepJoules(double First, double Slope)
    {
        public double Sum(long steps) => (steps * First) + (Slope * ((double)steps * (steps - 1) / 2));
    }

    /// <summary>A step with prompt tokens.</summary>
    private readonly record struct PromptStep(int Tokens, bool Decodes, Int128 DecodeTime, double DecodeShare);
}
