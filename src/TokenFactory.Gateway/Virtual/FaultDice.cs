using TokenFactory.Workload;

namespace TokenFactory.Gateway.Virtual;

/// <summary>What befalls one request.</summary>
internal readonly record struct RequestFaults()
{
    public bool Reset { get; init; }

    /// <summary>The status to answer with; 0 for none.</summary>
    public int Status { get; init; }

    public bool Hang { get; init; }

    /// <summary>Tokens after which the connection breaks; the largest number for never.</summary>
    public long BreakAfter { get; init; } = long.MaxValue;

    public bool Garbage { get; init; }

    public UsageFault Usage { get; init; }
}

/// <summary>Decides whom faults befall: from a seed, in the order in which requests come.</summary>
internal sealed class FaultDice
{
    private readonly Lock _gate = new();
    private readonly Draws _draws;
    private FaultPlan _plan = FaultPlan.None;
    private int[] _left = [];

    public FaultDice(ulong seed) => _draws = new Draws(seed, "faults");

    /// <summary>What may go wrong from now on.</summary>
    public FaultPlan Plan
    {
        get
        {
            lock (_gate)
                return _plan;
        }

        set
        {
            lock (_gate)
                (_plan, _left) = (value, [.. value.Rules.Select(rule => rule.Next ?? int.MaxValue)]);
        }
    }

    /// <summary>Whether a fault of a kind befalls whoever asks now.</summary>
    public bool Befalls(FaultKind kind)
    {
        lock (_gate)
        {
            for (var i = 0; i < _left.Length; i++)
            {
                if (_plan.Rules[i].Kind == kind && Takes(i))
                    return true;
            }
        }

        return false;
    }

    /// <summary>What befalls the next request: the first fault that ends it otherwise than it should, and until then how usage is
    /// told.</summary>
    public RequestFaults Next()
    {
        var faults = new RequestFaults();
        lock (_gate)
        {
            for (var i = 0; i < _left.Length; i++)
            {
                var rule = _plan.Rules[i];
                if (rule.Kind is FaultKind.Refuse or FaultKind.Slow or FaultKind.Health || !Takes(i))
                    continue;
                faults = Add(faults, rule);
                if (rule.Kind is not (FaultKind.WrongUsage or FaultKind.NoUsage))
                    return faults;
            }
        }

        return faults;
    }

    private static RequestFaults Add(RequestFaults faults, FaultRule rule) => rule.Kind switch
    {
        FaultKind.Reset => faults with { Reset = true },
        FaultKind.Status => faults with { Status = (int)rule.Value },
        FaultKind.Hang => faults with { Hang = true },
        FaultKind.Break => faults with { BreakAfter = (long)rule.Value },
        FaultKind.Garbage => faults with { Garbage = true },
        FaultKind.WrongUsage => faults with { Usage = UsageFault.Wrong },
        _ => faults with { Usage = UsageFault.Missing },
    };

    private bool Takes(int rule)
    {
        if (_left[rule] == 0 || (_plan.Rules[rule].Share < 1 && _draws.Share() >= _plan.Rules[rule].Share))
            return false;
        _left[rule] -= _left[rule] < int.MaxValue ? 1 : 0;
        return true;
    }
}
