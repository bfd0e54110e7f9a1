using TokenFactory.Planning.Programme;

namespace TokenFactory.Planning.Schedule;

/// <summary>
/// What to commit to for a year and what to run in each of its hours. The steps: (1) a bound and first commitments from replicas that are
/// not rounded (<see cref="CommitmentBound"/>); (2) whole replicas for every hour under them (<see cref="YearDispatch"/>); (3) commitments
/// a replica more or less, as long as that pays; (4) the plain ways to pay compete too, so that the answer is never dearer than any of
/// them. A few hours are solved as one programme instead, exactly.
/// </summary>
public static class FleetSchedule
{
    private const int SmallEnough = 200; // replicas by shape, way to pay and kind of hour
    private const int MostTrials = 16;
    private const int ExactHours = 100;

    /// <summary>The schedule of least cost that was found, with its bound.</summary>
    /// <param name="problem">Demand by the hour and the ways to meet it.</param>
    /// <exception cref="ArgumentException">A demand, price or capacity below zero, or demands of different length.</exception>
    public static YearSchedule Solve(ScheduleProblem problem)
    {
        Check(problem);
        var (hours, hour) = (new YearHours(problem), new HourProgramme(problem));
        var dispatch = new YearDispatch(problem, hours, hour);
        var useful = problem.Commitments.Select(c => Useful(problem, c)).ToArray();
        var (bound, first) = new CommitmentBound(problem, hours, hour).Solve(useful);
        var none = dispatch.Run(new int[first.Length], 0);
        var peak = Peak(problem) is { } gpus ? dispatch.Run(gpus, 0) : null;
        var best = Search(problem, dispatch, first, useful);
        foreach (var plain in new[] { none, peak })
            best = plain is not null && plain.Total < best.Total ? plain : best;
        if (hours.Distinct.Count * hour.Uses.Count <= SmallEnough)
            (best, bound) = Whole(problem, hours, hour, best, bound);
        return Answer(problem, hours, hour, dispatch, best, Math.Min(bound, best.Total), none, peak);
    }

    /// <summary>Moves each commitment by a replica while that pays, then solves the worst hours exactly.</summary>
    private static Dispatched Search(ScheduleProblem problem, YearDispatch dispatch, int[] first, double[] useful)
    {
        var best = dispatch.Run(first, 0);
        var (trials, moved) = (0, true);
        while (moved && trials < MostTrials)
        {
            moved = false;
            foreach (var next in Neighbours(problem, best.Gpus, useful))
            {
                if (trials++ >= MostTrials)
                    break;
                var found = dispatch.Run(next, 0);
                if (found.Total >= best.Total - (1e-9 * Math.Abs(best.Total)))
                    continue;
                (best, moved) = (found, true);
                break;
            }
        }

        return dispatch.Run(best.Gpus, ExactHours);
    }

    private static IEnumerable<int[]> Neighbours(ScheduleProblem problem, int[] gpus, double[] useful)
    {
        for (var c = 0; c < gpus.Length; c++)
        {
            var count = gpus[c];
            var sizes = problem.Shapes
                .Where(shape => shape.Gpu == problem.Commitments[c].Gpu)
                .Select(shape => shape.Gpus)
                .Distinct().Order();
            var steps = sizes.SelectMany(size => new[] { size - (count % size), -((count - 1) % size) - 1 });
            foreach (var step in steps.Where(step => step != 0).Distinct())
            {
                var next = (int[])gpus.Clone();
                next[c] += step;
                if (next[c] >= 0 && next[c] <= Math.Min(useful[c], problem.Commitments[c].Most ?? int.MaxValue))
                    yield return next;
            }
        }
    }

    /// <summary>GPUs of which more could never be in use: every service at its peak, in the shape that takes most.</summary>
    private static double Useful(ScheduleProblem problem, GpuCommitment commitment) => problem.Services.Sum(service =>
    {
        var shapes = problem.Shapes.Where(shape => shape.Service == service.Name && shape.Gpu == commitment.Gpu).ToList();
        return shapes.Count == 0 ? 0
            : Math.Ceiling(shapes.Max(shape => shape.Gpus / shape.RequestsPerSecond) * service.Peak)
                + (2 * shapes.Max(shape => shape.Gpus));
    });

    /// <summary>The cheapest commitments that carry every service's highest hour with nothing by the hour; null where none do.</summary>
    private static int[]? Peak(ScheduleProblem problem)
    {
        var committed = new HourProgramme(problem with { Hourly = [] });
        var programme = new IntegerProgramme();
        var gpus = problem.Commitments.Select(c => programme.Whole(c.Fixed * problem.Hours, 0, c.Most ?? double.PositiveInfinity)).ToList();
        var there = problem.Commitments.Select(c => programme.Continuous(0, c.Already, double.PositiveInfinity)).ToList();
        for (var c = 0; c < gpus.Count; c++)
            programme.Row([(there[c], 1), (gpus[c], -1)], RowSense.AtMost, problem.Commitments[c].Already);
        var demand = problem.Services.Select(service => (service.Firm.DefaultIfEmpty(0).Max(), service.Peak)).ToList();
        var variables = committed.Add(programme, demand, 1, there, whole: true);
        var optimum = programme.Solve(new SolveLimits { Nodes = 2000, Gap = 1e-4 });
        if (!optimum.Found || variables.Unserved.Any(unserved => optimum.Values[unserved] > 1e-6))
            return null;
        return [.. gpus.Select(g => (int)optimum.Values[g])];
    }

    /// <summary>All hours and the commitments as one programme.</summary>
    private static (Dispatched Best, double Bound) Whole(
        ScheduleProblem problem, YearHours hours, HourProgramme hour, Dispatched best, double bound)
    {
        var programme = new IntegerProgramme();
        var gpus = problem.Commitments.Select(c => programme.Whole(
            c.Fixed * problem.Hours, 0, Math.Min(c.Most ?? double.PositiveInfinity, Useful(problem, c)))).ToList();
        var there = problem.Commitments.Select(c => programme.Continuous(0, c.Already, double.PositiveInfinity)).ToList();
        for (var c = 0; c < gpus.Count; c++)
            programme.Row([(there[c], 1), (gpus[c], -1)], RowSense.AtMost, problem.Commitments[c].Already);
        var variables = hours.Distinct.Select(kind => hour.Add(programme, kind.Demand, kind.Weight, there, whole: true)).ToList();
        var optimum = programme.Solve(new SolveLimits { Nodes = 20_000 });
        if (!optimum.Found || optimum.Objective >= best.Total)
            return (best, Math.Max(bound, optimum.Bound));
        var counts = variables.Select(kind => kind.Uses.Select(u => (int)optimum.Values[u]).ToArray()).ToArray();
        var costs = variables.Select(kind => kind.Uses.Select((_, u) => hour.Prices[u] * optimum.Values[kind.Uses[u]]).Sum()
            + (hour.Penalty * kind.Unserved.Sum(unserved => optimum.Values[unserved]))).ToArray();
        var committed = gpus.Select(g => (int)optimum.Values[g]).ToArray();
        return (new Dispatched(committed, counts, costs, optimum.Objective), Math.Max(bound, optimum.Bound));
    }

    private static YearSchedule Answer(
        ScheduleProblem problem, YearHours hours, HourProgramme hour, YearDispatch dispatch,
        Dispatched best, double bound, Dispatched none, Dispatched? peak)
    {
        dispatch.Trim(best);
        var (cost, unserved) = Account(problem, hours, hour, dispatch, best);
        PlainWay Plain(Dispatched way)
        {
            var (paid, left) = Account(problem, hours, hour, dispatch, way);
            return new PlainWay(way.Gpus, paid, left);
        }

        return new YearSchedule
        {
            Committed = best.Gpus,
            Uses = hour.Uses,
            Replicas = [.. Enumerable.Range(0, problem.Hours).Select(h => best.Counts[hours.Kind(h)])],
            Cost = cost,
            Bound = unserved > 0 ? 0 : bound,
            Unserved = unserved,
            AllOnDemand = Plain(none),
            ReservePeak = peak is null ? null : Plain(peak),
        };
    }

    private static (ScheduleCost Cost, double Unserved) Account(
        ScheduleProblem problem, YearHours hours, HourProgramme hour, YearDispatch dispatch, Dispatched plan)
    {
        var (committed, onDemand, spot, unserved) = (0.0, 0.0, 0.0, 0.0);
        for (var h = 0; h < hours.Distinct.Count; h++)
        {
            var (demand, weight) = hours.Distinct[h];
            unserved += weight * 3600 * dispatch.Unserved(plan.Counts[h], demand);
            for (var u = 0; u < hour.Uses.Count; u++)
            {
                var paid = weight * plan.Counts[h][u] * hour.Prices[u];
                committed += hour.Uses[u].Commitment >= 0 ? paid : 0;
                onDemand += hour.Uses[u].OnDemand ? paid : 0;
                spot += hour.Uses[u].Spot ? paid : 0;
            }
        }

        var fixedCost = plan.Gpus.Select((count, c) => count * problem.Commitments[c].Fixed * problem.Hours).Sum();
        var sunk = problem.Commitments.Sum(c => c.Already * c.Fixed * problem.Hours);
        return (new ScheduleCost(fixedCost, committed, onDemand, spot, sunk), unserved);
    }

    private static void Check(ScheduleProblem problem)
    {
        if (problem.Services.Any(service => service.Firm.Count != problem.Hours || service.Interruptible.Count != problem.Hours))
            throw new ArgumentException("All services have as many hours.", nameof(problem));
        if (problem.Services.Any(service => service.Firm.Concat(service.Interruptible).Any(rate => !(rate >= 0))))
            throw new ArgumentException("Demand is zero or more.", nameof(problem));
        if (problem.Shapes.Any(shape => shape.Gpus < 1 || !(shape.RequestsPerSecond > 0)
            || problem.Services.All(service => service.Name != shape.Service)))
            throw new ArgumentException("A shape has GPUs, serves something, and belongs to a service.", nameof(problem));
        if (problem.Hourly.Any(gpu => gpu.OnDemand < 0 || gpu.Spot < 0)
            || problem.Commitments.Any(c => !(c.Fixed >= 0) || !(c.WhileUsed >= 0) || c.Already < 0 || c.Most < 0))
            throw new ArgumentException("Prices and GPUs are zero or more.", nameof(problem));
    }
}
