using TokenFactory.Catalog;
using TokenFactory.Planning.Schedule;
using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>A plan over a year of hours: what to commit to, and what runs in each hour.</summary>
/// <param name="Problem">What was asked, replica by replica.</param>
/// <param name="Schedule">The answer.</param>
/// <param name="Names">Names of the replicas, for people.</param>
public sealed record YearPlan(ScheduleProblem Problem, YearSchedule Schedule, IReadOnlyList<PlanUnit> Names)
{
    /// <summary>
    /// The schedule for fleets that the twin has sized: a replica carries what its share of the sized fleet carries, in every hour.
    /// </summary>
    /// <param name="answer">The plan for the traffic as it is.</param>
    /// <param name="hours">Requests per second of each service, by hour.</param>
    /// <param name="supplies">What may be bought by the hour and for the year, and what is owned.</param>
    public static YearPlan? Of(PlanAnswer answer, IReadOnlyList<IReadOnlyList<double>> hours, IReadOnlyList<Supply> supplies)
    {
        var shapes = Shapes(answer).ToList();
        if (shapes.Count == 0)
            return null;
        var gpus = shapes.Select(shape => shape.Unit.Pools[0].Supply.Gpu.Key).Distinct(StringComparer.Ordinal).ToList();
        var problem = new ScheduleProblem
        {
            Services = [.. answer.Searches.Select((search, i) => Hours(search, hours[i]))],
            Shapes = [.. shapes.Select(shape => shape.Shape)],
            Hourly = [.. gpus.Select(gpu => new HourlyGpu(
                gpu, Cheapest(supplies, gpu, Billing.OnDemand), Cheapest(supplies, gpu, Billing.Spot), Stock(supplies, gpu)))],
            Commitments = [.. Commitments(supplies, gpus)],
        };
        return new YearPlan(problem, FleetSchedule.Solve(problem), [.. shapes.Select(shape => shape.Unit)]);
    }

    /// <summary>Units on one kind of GPU, of fleets that keep the promises.</summary>
    private static IEnumerable<(ScheduleShape Shape, PlanUnit Unit)> Shapes(PlanAnswer answer)
    {
        var fleets = answer.Searches.Count == 1
            ? answer.Finalists.Where(fleet => fleet.Kept && fleet.Units.Count == 1)
            : answer.Finalists.Take(1);
        foreach (var fleet in fleets.Where(fleet => fleet.Kept || fleet.Runs.Count == 0))
        {
            foreach (var (unit, _) in fleet.Units.DistinctBy(chosen => (chosen.Unit.Service, chosen.Unit.Look)))
            {
                var search = answer.Searches[unit.Service];
                var needed = unit.Needed(search.Profile) * fleet.Factor;
                if (unit.Pools.Select(pool => pool.Supply.Gpu.Key).Distinct().Count() == 1 && double.IsFinite(needed))
                {
                    var (gpu, rate) = (unit.Pools[0].Supply.Gpu.Key, search.Profile.RequestsPerSecond / needed);
                    yield return (new ScheduleShape(unit.Look, search.Service.Name, gpu, unit.Gpus, rate), unit);
                }
            }
        }
    }

    private static ServiceHours Hours(ServiceSearch search, IReadOnlyList<double> rates)
    {
        var interruptible = search.Profile.Buckets
            .Where(bucket => search.PromiseOf(bucket).Interruptible)
            .Sum(bucket => bucket.RequestsPerSecond)
            / search.Profile.RequestsPerSecond;
        return new ServiceHours(
            search.Service.Name,
            [.. rates.Select(rate => rate * (1 - interruptible))],
            [.. rates.Select(rate => rate * interruptible)]);
    }

    private static double? Cheapest(IReadOnlyList<Supply> supplies, string gpu, Billing billing) =>
        supplies.Where(supply => supply.Gpu.Key == gpu && supply.Billing == billing && !supply.Sunk)
            .Select(supply => (double?)supply.Marginal.Value).Min();

    private static int? Stock(IReadOnlyList<Supply> supplies, string gpu)
    {
        var hourly = supplies
            .Where(supply => supply.Gpu.Key == gpu && !supply.Sunk && supply.Billing is Billing.OnDemand or Billing.Spot)
            .ToList();
        return hourly.Count == 0 || hourly.Exists(supply => supply.Stock is null) ? null : hourly.DistinctBy(supply => supply.StockKey).Sum(supply => supply.Stock!.Value);
    }

    /// <summary>Ways to pay for every hour: the cheapest of each, and what is bought already.</summary>
    private static IEnumerable<GpuCommitment> Commitments(IReadOnlyList<Supply> supplies, List<string> gpus)
    {
        foreach (var gpu in gpus)
        {
            foreach (var billing in (Billing[])[Billing.Reserved1Year, Billing.Reserved3Year, Billing.Owned])
            {
                var offered = supplies.Where(supply => supply.Gpu.Key == gpu && supply.Billing == billing && !supply.Sunk)
                    .OrderBy(supply => supply.PerGpu.Value.Value).FirstOrDefault();
                var bought = supplies
                    .Where(supply => supply.Gpu.Key == gpu && supply.Billing == billing && supply.Sunk)
                    .Sum(supply => supply.Stock ?? 0);
                if (offered is not null || bought > 0)
                    yield return new GpuCommitment(
                        billing.Text(),
                        gpu,
                        offered?.PerGpu.Value.Value ?? 0,
                        Already: bought,
                        Most: offered is null ? 0 : offered.Stock);
            }
        }
    }
}
