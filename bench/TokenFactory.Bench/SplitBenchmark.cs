using BenchmarkDotNet.Attributes;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Bench;

/// <summary>The split of a year of hourly demand, 8,760 points (aim: under 50 ms), against one evaluation of its cost.</summary>
[InProcess]
[MemoryDiagnoser]
public class SplitBenchmark
{
    private const int HoursOfYear = 8760;

    private static readonly PriceMenu Menu = new(
        new UsdPerHour(2.9),
        new UsdPerHour(0.85),
        [new Commitment("reserved-1y", new UsdPerHour(2.03), default), new Commitment("reserved-3y", new UsdPerHour(1.45), default), new Commitment("owned", new UsdPerHour(1.7), new UsdPerHour(0.1))]);

    private List<Demand> _year = [];

    [GlobalSetup]
    public void Setup()
    {
        var dice = new Random(7);
        _year = [.. Enumerable.Range(0, HoursOfYear).Select(hour =>
        {
            var wave = 1 + Math.Sin(2 * Math.PI * hour / 24);
            var gpus = Math.Round((400 * wave) + (dice.NextDouble() * 200));
            return new Demand(1, Math.Round(gpus * 0.7), Math.Round(gpus * 0.3));
        })];
    }

    [Benchmark]
    public BillingPlan Split() => BillingSplit.Best(_year, Menu);

    [Benchmark(Baseline = true)]
    public BillingCost CostOfOnePlan() => BillingSplit.Cost(_year, Menu, [new Committed(Menu.Commitments[1], 500)]);
}
