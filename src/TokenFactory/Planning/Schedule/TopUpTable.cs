namespace TokenFactory.Planning.Schedule;

/// <summary>
/// What it costs to serve so much more of one service by the hour: a covering knapsack over units of capacity. Firm work takes replicas on
/// demand; interruptible work takes what those leave, and the cheaper of spot and on demand. Exact where all capacities are multiples of
/// the unit; else capacities are rounded down to it, by less than a twenty-thousandth of the peak.
/// </summary>
internal sealed class TopUpTable
{
    private const int MostUnits = 20_000;

    private readonly int[] _uses;
    private readonly int[] _units;
    private readonly double[] _firm;
    private readonly double[] _any;
    private readonly int[] _firmChoice;
    private readonly int[] _anyChoice;
    private readonly int[] _stepEnd;

    /// <summary>Fills the table.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="hour">Uses, their prices and the penalty for work left unserved.</param>
    /// <param name="service">Which service.</param>
    public TopUpTable(ScheduleProblem problem, HourProgramme hour, int service)
    {
        var own = Enumerable.Range(0, hour.Uses.Count)
            .Where(u => problem.Shapes[hour.Uses[u].Shape].Service == problem.Services[service].Name).ToList();
        var peak = problem.Services[service].Peak;
        Unit = UnitOf([.. own.Select(u => problem.Shapes[hour.Uses[u].Shape].RequestsPerSecond)], peak);
        _uses = [.. own.Where(u => hour.Uses[u].Commitment < 0)];
        _units = [.. _uses.Select(u => Capacity(problem.Shapes[hour.Uses[u].Shape].RequestsPerSecond))];
        var size = Need(peak) + 1;
        (_firm, _any) = (new double[size], new double[size]);
        (_firmChoice, _anyChoice, _stepEnd) = (new int[size], new int[size], new int[size]);
        for (var need = 1; need < size; need++)
        {
            (_firm[need], _firmChoice[need]) = Cheapest(need, _firm, hour, spotToo: false);
            (_any[need], _anyChoice[need]) = Cheapest(need, _any, hour, spotToo: true);
        }

        _stepEnd[size - 1] = size - 1;
        for (var need = size - 2; need >= 0; need--)
            _stepEnd[need] = _firm[need] == _firm[need + 1] ? _stepEnd[need + 1] : need;
    }

    /// <summary>Requests a second in a unit.</summary>
    public double Unit { get; }

    /// <summary>Units that a replica serves.</summary>
    public int Capacity(double requestsPerSecond) => (int)Math.Floor((requestsPerSecond / Unit) + 1e-7);

    /// <summary>Units that a demand needs.</summary>
    public int Need(double requestsPerSecond) => (int)Math.Ceiling((requestsPerSecond / Unit) - 1e-7);

    /// <summary>Dollars an hour for what is left of firm work and of all work, in units.</summary>
    public double Cost(int firm, int all) => Split(firm, all).Cost;

    /// <summary>Adds the replicas of the cheapest way to the counts of all uses.</summary>
    /// <returns>Units left unserved.</returns>
    public int Fill(int firm, int all, int[] counts)
    {
        var (onDemand, _) = Split(firm, all);
        return Walk(onDemand, _firmChoice, counts) + Walk(Math.Max(0, all - onDemand), _anyChoice, counts);
    }

    /// <summary>How many units replicas on demand cover beside firm work: the end of each step of their cost is tried.</summary>
    private (int OnDemand, double Cost) Split(int firm, int all)
    {
        var (best, cost) = (0, double.PositiveInfinity);
        for (var covered = _stepEnd[Math.Max(0, firm)]; ; covered = _stepEnd[covered + 1])
        {
            var here = _firm[covered] + _any[Math.Max(0, all - covered)];
            if (here < cost)
                (best, cost) = (covered, here);
            if (covered >= all || covered + 1 >= _firm.Length || _firm[covered + 1] >= cost)
                return (best, cost);
        }
    }

    private (double Cost, int Choice) Cheapest(int need, double[] table, HourProgramme hour, bool spotToo)
    {
        var (best, choice) = ((hour.Penalty * Unit) + table[need - 1], -1);
        for (var k = 0; k < _uses.Length; k++)
        {
            if (_units[k] == 0 || (hour.Uses[_uses[k]].Spot && !spotToo))
                continue;
            var cost = hour.Prices[_uses[k]] + table[Math.Max(0, need - _units[k])];
            if (cost < best)
                (best, choice) = (cost, k);
        }

        return (best, choice);
    }

    private int Walk(int need, int[] choices, int[] counts)
    {
        var unserved = 0;
        while (need > 0)
        {
            var choice = choices[need];
            if (choice >= 0)
                counts[_uses[choice]]++;
            else
                unserved++;
            need -= choice >= 0 ? _units[choice] : 1;
        }

        return unserved;
    }

    /// <summary>The greatest unit of which all capacities are multiples, if the peak does not have too many of them.</summary>
    private static double UnitOf(IReadOnlyList<double> capacities, double peak)
    {
        for (var scale = 1L; scale <= 1_000_000 && capacities.Count > 0; scale *= 10)
        {
            if (!capacities.All(capacity => Math.Abs((capacity * scale) - Math.Round(capacity * scale)) < 1e-7))
                continue;
            var unit = capacities.Select(capacity => (long)Math.Round(capacity * scale)).Aggregate(Divisor) / (double)scale;
            if (unit > 0 && peak / unit <= MostUnits)
                return unit;
            break;
        }

        return peak > 0 ? peak / MostUnits : 1;
    }

    private static long Divisor(long left, long right)
    {
        while (right != 0)
            (left, right) = (right, left % right);
        return left;
    }
}
