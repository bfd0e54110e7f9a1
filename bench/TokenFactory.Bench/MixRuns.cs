using System.Diagnostics;
using TokenFactory.Planning.Mix;
using TokenFactory.Planning.Programme;
using TokenFactory.Planning.Schedule;

namespace TokenFactory.Bench;

/// <summary>
/// Fleet mixes of typical sizes, beside cbc on the same programmes where it is installed; and schedules of a year of hours.
/// </summary>
internal static class MixRuns
{
    private static readonly string[] Gpus = ["h100", "h200", "b200", "l40s", "a100"];
    private static readonly double[] Prices = [2.9, 3.7, 6, 0.9, 1.6];
    private static readonly double[] Speeds = [1, 1.35, 2.3, 0.2, 0.45];
    private static readonly double[] Watts = [1400, 1400, 2000, 600, 800];

    public static void Run()
    {
        FleetMix.Solve(Mix(1, 4, 6, 1, 0, 0)); // compiles
        foreach (var (buckets, options, services, spare, pools) in
            new[] { (4, 6, 1, 0, 0), (8, 12, 2, 0, 0), (8, 16, 2, 1, 0), (12, 20, 3, 1, 2) })
            Compare(buckets, options, services, spare, pools);
        for (var services = 1; services <= 3; services++)
            Year(services);
    }

    private static void Compare(int buckets, int options, int services, int spare, int pools)
    {
        var (ours, theirs, nodes, columns, proven) = (new List<double>(), new List<double>(), 0, 0, 0);
        const int Cases = 5;
        for (var seed = 1; seed <= Cases; seed++)
        {
            var problem = Mix(seed, buckets, options, services, spare, pools);
            var clock = Stopwatch.StartNew();
            var answer = FleetMix.Solve(problem, new SolveLimits { Nodes = 20_000 });
            ours.Add(clock.Elapsed.TotalMilliseconds);
            (nodes, proven) = (nodes + answer.Nodes, proven + (answer.Proven ? 1 : 0));
            var programme = FleetMix.Programme(problem);
            columns += programme.Variables.Count;
            if (Cbc(programme) is { } took)
                theirs.Add(took);
        }

        var ratio = theirs.Count > 0
            ? $"cbc {theirs.Average():F0} ms, ratio {ours.Average() / theirs.Average():F2}"
            : "cbc is not installed";
        Console.WriteLine($"mix of {buckets} buckets, {options} options, {services} services, "
            + $"{spare} spare, {pools} spot pools: {columns / Cases} columns, "
            + $"{ours.Average():F0} ms (worst {ours.Max():F0}), {nodes / Cases} programmes, {proven} of {Cases} proven; {ratio}");
    }

    private static double? Cbc(IntegerProgramme programme)
    {
        var folder = Directory.CreateTempSubdirectory("tokenfactory-bench-").FullName;
        try
        {
            var model = Path.Combine(folder, "m.lp");
            File.WriteAllText(model, LpFile.Write(programme));
            var clock = Stopwatch.StartNew();
            using var process = Process.Start(new ProcessStartInfo("cbc", [model, "ratioGap", "0", "sec", "120", "solve"])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return clock.Elapsed.TotalMilliseconds;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static MixProblem Mix(int seed, int count, int options, int services, int spare, int pools)
    {
        var dice = new Random(seed);
        var buckets = Enumerable.Range(0, count).Select(i => new MixBucket
        {
            Name = $"bucket {i}",
            RequestsPerSecond = Math.Exp(dice.NextDouble() * 4),
            LostTolerated = i % 5 == 4 ? 1 : 0.001,
        }).ToList();
        MixOption Option(int j)
        {
            var (gpu, tensor, spot) = (dice.Next(Gpus.Length), 1 << dice.Next(4), pools > 0 && j % 4 == 3);
            var price = Math.Round(Prices[gpu] * tensor * (0.8 + (0.5 * dice.NextDouble())) * (spot ? 0.45 : 1), 2);
            var speed = Speeds[gpu] * Math.Pow(tensor, 0.9) * (0.7 + (0.3 * dice.NextDouble()));
            return new MixOption
            {
                Name = $"option {j}",
                Gpu = Gpus[gpu],
                Gpus = tensor,
                UsdPerHour = price,
                PaidUsdPerHour = price,
                Watts = Watts[gpu] * tensor,
                Draws = new Dictionary<string, int> { [Gpus[gpu]] = tensor },
                Interruptible = spot,
                Pool = spot ? $"pool {j / 4 % pools}" : "",
                Unavailable = spot ? 0.05 : 0,
                Loads = [.. Enumerable.Range(0, count).Select(i => i % services != j % services ? double.PositiveInfinity
                    : 0.35 * (0.3 + (i % 4)) / (speed * (0.8 + (0.4 * dice.NextDouble()))))],
            };
        }

        return new MixProblem
        {
            Buckets = buckets,
            Options = [.. Enumerable.Range(0, options).Select(Option)],
            Spare = spare,
            Stocks = Gpus.ToDictionary(gpu => gpu, gpu => gpu == "h100" ? 64 : 400),
        };
    }

    private static void Year(int services)
    {
        const int Hours = 8760;
        var dice = new Random(5);
        double Wave(int hour, int service) =>
            1 + (0.6 * Math.Sin(2 * Math.PI * (hour + (4 * service)) / 24))
            + (0.2 * Math.Sin(2 * Math.PI * hour / 168));
        var demand = Enumerable.Range(0, services).Select(s => ServiceHours.Of($"service {s}", 40 + (20 * s), s == 1 ? 15 : 5,
            [.. Enumerable.Range(0, Hours).Select(hour => Wave(hour, s) + (0.2 * dice.NextDouble()))])).ToList();
        var problem = new ScheduleProblem
        {
            Services = demand,
            Shapes = [.. from service in demand
                         from gpu in Enumerable.Range(0, Gpus.Length)
                         from size in new[] { 1, 4, 8 }
                         select new ScheduleShape(
                             $"{service.Name} on {size} {Gpus[gpu]}", service.Name, Gpus[gpu], size,
                             Math.Round(1.3 * Speeds[gpu] * Math.Pow(size, 0.95), 2))],
            Hourly = [.. Gpus.Select((gpu, k) => new HourlyGpu(gpu, Prices[k], Prices[k] / 2))],
            Commitments = [.. Gpus.SelectMany((gpu, k) =>
                new[]
                {
                    new GpuCommitment("reserved-1y", gpu, Prices[k] * 0.7),
                    new GpuCommitment("reserved-3y", gpu, Prices[k] / 2),
                }),
                new GpuCommitment("owned", "h100", 1.2, 0.15, 16, 0)],
        };
        var clock = Stopwatch.StartNew();
        var schedule = FleetSchedule.Solve(problem);
        Console.WriteLine($"year of {Hours} hours, {services} services, {problem.Shapes.Count} shapes, "
            + $"{problem.Commitments.Count} commitments: "
            + $"{clock.Elapsed.TotalSeconds:F1} s, gap {schedule.Gap:P2}, "
            + $"{schedule.Cost.Total / schedule.AllOnDemand.Cost.Total:P0} of all on demand");
    }
}
