using TokenFactory.Economics;
using TokenFactory.Planning.Programme;

namespace TokenFactory.Planning.Schedule;

/// <summary>What runs in each kind of hour, and what that costs.</summary>
/// <param name="Gpus">GPUs committed, besides those committed before.</param>
/// <param name="Counts">Replicas by use, for each kind of hour.</param>
/// <param name="Costs">Dollars of each kind of hour, unserved work at its penalty.</param>
/// <param name="Total">Dollars of all hours, with what is paid for the commitments.</param>
internal sealed record Dispatched(int[] Gpus, int[][] Counts, double[] Costs, double Total);

/// <summary>
/// Runs whole replicas in every hour under given commitments. The hour's linear programme says how the services share the committed GPUs;
/// its whole replicas are kept, the rest of those GPUs goes where a replica saves most per GPU, and what is still left is topped up by the
/// hour from <see cref="TopUpTable"/>. Hours that lose most against their linear programme are then solved exactly.
/// </summary>
internal sealed class YearDispatch
{
    private readonly ScheduleProblem _problem;
    private readonly YearHours _hours;
    private readonly HourProgramme _hour;
    private readonly TopUpTable[] _tables;
    private readonly BoundedSimplex _simplex;
    private readonly HourVariables _variables;
    private readonly int[] _columns;
    private readonly int[] _serviceOf;
    private readonly int[] _gpusOf;
    private readonly int[] _unitsOf;

    public YearDispatch(ScheduleProblem problem, YearHours hours, HourProgramme hour)
    {
        (_problem, _hours, _hour) = (problem, hours, hour);
        _tables = [.. hour.Services.Select(s => new TopUpTable(problem, hour, s))];
        var shapes = hour.Uses.Select(use => problem.Shapes[use.Shape]).ToList();
        _serviceOf = [.. shapes.Select(shape => hour.Services.First(s => problem.Services[s].Name == shape.Service))];
        _gpusOf = [.. shapes.Select(shape => shape.Gpus)];
        _unitsOf = [.. shapes.Select((shape, u) => _tables[_serviceOf[u]].Capacity(shape.RequestsPerSecond))];
        var programme = new IntegerProgramme();
        _columns = [.. problem.Commitments.Select(_ => programme.Continuous(0, 0, 0))];
        _variables = hour.Add(programme, [.. problem.Services.Select(_ => (0.0, 0.0))], 1, _columns, whole: false);
        _simplex = BranchAndBound.Simplex(programme);
    }

    /// <summary>All hours under so many committed GPUs.</summary>
    /// <param name="gpus">GPUs committed, besides those committed before.</param>
    /// <param name="exact">Kinds of hours at most to solve exactly.</param>
    public Dispatched Run(int[] gpus, int exact)
    {
        var there = gpus.Select((count, c) => count + _problem.Commitments[c].Already).ToArray();
        for (var c = 0; c < there.Length; c++)
            _simplex.Bound(_columns[c], there[c], there[c]);
        var kinds = _hours.Distinct.Count;
        var (counts, costs, losses) = (new int[kinds][], new double[kinds], new double[kinds]);
        for (var h = 0; h < kinds; h++)
        {
            var (demand, weight) = _hours.Distinct[h];
            Relax(demand);
            counts[h] = Round(demand, there);
            costs[h] = Cost(counts[h], demand);
            losses[h] = (costs[h] - _simplex.Objective) * weight;
        }

        var overdrawn = costs.Count(double.IsPositiveInfinity);
        var worst = Enumerable.Range(0, kinds).Where(h => losses[h] > 1e-9).OrderByDescending(h => losses[h]);
        foreach (var h in worst.Take(Math.Max(exact, overdrawn)).ToList())
            Improve(h, there, counts, costs);
        var paid = gpus.Select((count, c) => count * _problem.Commitments[c].Fixed * _problem.Hours).Sum();
        return new Dispatched(gpus, counts, costs, paid + costs.Select((cost, h) => cost * _hours.Distinct[h].Weight).Sum());
    }

    private void Relax((double Firm, double All)[] demand)
    {
        for (var s = 0; s < demand.Length; s++)
        {
            _simplex.Bound(_variables.Firm[s], demand[s].Firm, demand[s].Firm);
            _simplex.Bound(_variables.All[s], demand[s].All, demand[s].All);
        }

        _simplex.Solve();
    }

    private int[] Round((double Firm, double All)[] demand, int[] there)
    {
        var counts = new int[_hour.Uses.Count];
        var firm = demand.Select((d, s) => _tables[s].Need(d.Firm)).ToArray();
        var all = demand.Select((d, s) => _tables[s].Need(d.All)).ToArray();
        var left = (int[])there.Clone();
        for (var u = 0; u < counts.Length; u++)
        {
            var commitment = _hour.Uses[u].Commitment;
            if (commitment < 0 || _variables.Uses[u] < 0)
                continue;
            var whole = (int)(_simplex.Value(_variables.Uses[u]) + 1e-6);
            Place(u, Math.Min(whole, left[commitment] / _gpusOf[u]), counts, firm, all, left);
        }

        while (Best(firm, all, left) is var use and >= 0)
            Place(use, 1, counts, firm, all, left);
        for (var s = 0; s < firm.Length; s++)
            _tables[s].Fill(Math.Max(0, firm[s]), Math.Max(0, all[s]), counts);
        return counts;
    }

    private void Place(int use, int replicas, int[] counts, int[] firm, int[] all, int[] left)
    {
        counts[use] += replicas;
        firm[_serviceOf[use]] -= replicas * _unitsOf[use];
        all[_serviceOf[use]] -= replicas * _unitsOf[use];
        left[_hour.Uses[use].Commitment] -= replicas * _gpusOf[use];
    }

    /// <summary>The committed replica that saves most per GPU; below zero where none saves anything.</summary>
    private int Best(int[] firm, int[] all, int[] left)
    {
        var (best, most) = (-1, 1e-9);
        for (var u = 0; u < _hour.Uses.Count; u++)
        {
            var (c, s) = (_hour.Uses[u].Commitment, _serviceOf[u]);
            if (c < 0 || left[c] < _gpusOf[u] || all[s] <= 0)
                continue;
            var saved = _tables[s].Cost(Math.Max(0, firm[s]), all[s])
                - _tables[s].Cost(Math.Max(0, firm[s] - _unitsOf[u]), Math.Max(0, all[s] - _unitsOf[u])) - _hour.Prices[u];
            if (saved / _gpusOf[u] > most)
                (best, most) = (u, saved / _gpusOf[u]);
        }

        return best;
    }

    private void Improve(int kind, int[] there, int[][] counts, double[] costs)
    {
        const int Nodes = 60;
        var programme = new IntegerProgramme();
        var columns = there.Select(count => programme.Continuous(0, count, count)).ToList();
        var variables = _hour.Add(programme, _hours.Distinct[kind].Demand, 1, columns, whole: true);
        var optimum = programme.Solve(new SolveLimits { Nodes = Nodes, Gap = 1e-4 });
        if (!optimum.Found || optimum.Objective >= costs[kind])
            return;
        counts[kind] = [.. variables.Uses.Select(u => (int)optimum.Values[u])];
        costs[kind] = Cost(counts[kind], _hours.Distinct[kind].Demand);
    }

    private double Cost(int[] counts, (double Firm, double All)[] demand)
    {
        var cost = 0.0;
        for (var u = 0; u < counts.Length; u++)
            cost += counts[u] * _hour.Prices[u];
        return Overdrawn(counts) ? double.PositiveInfinity : cost + (_hour.Penalty * Unserved(counts, demand));
    }

    /// <summary>Whether more GPUs are taken by the hour than there are; such an hour is solved exactly.</summary>
    private bool Overdrawn(int[] counts) => _problem.Hourly.Any(gpu => gpu.MostGpus is { } most && most < counts
        .Select((count, u) => _hour.Uses[u].Commitment < 0 && Gpu(u) == gpu.Gpu ? count * _gpusOf[u] : 0).Sum());

    private string Gpu(int use) => _problem.Shapes[_hour.Uses[use].Shape].Gpu;

    /// <summary>Takes out replicas that nothing needs: they may cost nothing, but they are not run either. The dearest go first.</summary>
    public void Trim(Dispatched plan)
    {
        var order = Enumerable.Range(0, _hour.Uses.Count).OrderByDescending(u => _hour.Prices[u]).ThenByDescending(u => u).ToList();
        for (var h = 0; h < plan.Counts.Length; h++)
        {
            var (counts, demand) = (plan.Counts[h], _hours.Distinct[h].Demand);
            var unserved = Unserved(counts, demand);
            foreach (var u in order.Where(u => counts[u] > 0))
            {
                do
                    counts[u]--;
                while (counts[u] >= 0 && Unserved(counts, demand) <= unserved);
                counts[u]++;
            }
        }
    }

    /// <summary>Requests a second that the replicas leave.</summary>
    public double Unserved(int[] counts, (double Firm, double All)[] demand)
    {
        var unserved = 0.0;
        for (var s = 0; s < demand.Length; s++)
        {
            var (firm, all) = (demand[s].Firm, demand[s].All);
            for (var u = 0; u < counts.Length; u++)
            {
                if (_serviceOf[u] != s)
                    continue;
                var served = counts[u] * _problem.Shapes[_hour.Uses[u].Shape].RequestsPerSecond;
                firm -= _hour.Uses[u].Spot ? 0 : served;
                all -= served;
            }

            unserved += Math.Max(0, Math.Max(firm, all) - (1e-7 * Math.Max(1, demand[s].All)));
        }

        return unserved;
    }
}
