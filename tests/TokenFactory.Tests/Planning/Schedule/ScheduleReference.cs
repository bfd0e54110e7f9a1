using TokenFactory.Planning.Schedule;

namespace TokenFactory.Tests.Planning.Schedule;

/// <summary>The least cost of a few hours by trying every commitment and, in every hour, every number of committed replicas.</summary>
internal static class ScheduleReference
{
    public static double Least(ScheduleProblem problem)
    {
        var most = problem.Commitments.Select(c => Math.Min(c.Most ?? int.MaxValue, Useful(problem, c.Gpu))).ToArray();
        var gpus = new int[most.Length];
        var best = double.PositiveInfinity;
        while (true)
        {
            var total = gpus.Select((count, c) => count * problem.Commitments[c].Fixed * problem.Hours).Sum();
            for (var h = 0; h < problem.Hours && total < best; h++)
                total += Hour(problem, h, 0, [.. gpus.Select((count, c) => count + problem.Commitments[c].Already)], new int[problem.Services.Count]);
            best = Math.Min(best, total);
            var digit = 0;
            while (digit < gpus.Length && ++gpus[digit] > most[digit])
                gpus[digit++] = 0;
            if (digit == gpus.Length)
                return best;
        }
    }

    private static int Useful(ScheduleProblem problem, string gpu) => problem.Services.Sum(service =>
        problem.Shapes.Where(shape => shape.Service == service.Name && shape.Gpu == gpu)
            .Select(shape => shape.Gpus * (int)Math.Ceiling(Enumerable.Range(0, problem.Hours).Max(h => service.Firm[h] + service.Interruptible[h]) / shape.RequestsPerSecond))
            .DefaultIfEmpty(0).Max());

    /// <summary>Pairs of shape and commitment take their replicas one after the other; the rest is paid by the hour.</summary>
    private static double Hour(ScheduleProblem problem, int hour, int pair, int[] left, int[] served)
    {
        if (pair == problem.Shapes.Count * problem.Commitments.Count)
            return Enumerable.Range(0, problem.Services.Count).Sum(s => ByTheHour(problem, s,
                (int)problem.Services[s].Firm[hour] - served[s], (int)(problem.Services[s].Firm[hour] + problem.Services[s].Interruptible[hour]) - served[s]));
        var (shape, c) = (problem.Shapes[pair % problem.Shapes.Count], pair / problem.Shapes.Count);
        var service = problem.Services.ToList().FindIndex(s => s.Name == shape.Service);
        var all = problem.Services[service].Firm[hour] + problem.Services[service].Interruptible[hour];
        var best = double.PositiveInfinity;
        for (var count = 0; ; count++)
        {
            best = Math.Min(best, (count * shape.Gpus * problem.Commitments[c].WhileUsed) + Hour(problem, hour, pair + 1, left, served));
            if (shape.Gpu != problem.Commitments[c].Gpu || (count + 1) * shape.Gpus > left[c] + (count * shape.Gpus) || served[service] >= all)
            {
                left[c] += count * shape.Gpus;
                served[service] -= count * (int)shape.RequestsPerSecond;
                return best;
            }

            left[c] -= shape.Gpus;
            served[service] += (int)shape.RequestsPerSecond;
        }
    }

    private static double ByTheHour(ScheduleProblem problem, int service, int firm, int all)
    {
        if (firm <= 0 && all <= 0)
            return 0;
        var best = double.PositiveInfinity;
        foreach (var shape in problem.Shapes.Where(shape => shape.Service == problem.Services[service].Name))
        {
            var (capacity, price) = ((int)shape.RequestsPerSecond, problem.Hourly.First(gpu => gpu.Gpu == shape.Gpu));
            if (price.OnDemand is { } onDemand)
                best = Math.Min(best, (shape.Gpus * onDemand) + ByTheHour(problem, service, firm - capacity, all - capacity));
            if (price.Spot is { } spot && firm <= 0)
                best = Math.Min(best, (shape.Gpus * spot) + ByTheHour(problem, service, firm, all - capacity));
        }

        return best;
    }
}
