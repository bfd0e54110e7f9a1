using System.Collections.Concurrent;
using System.Globalization;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Bench;

/// <summary>
/// Routing policies at equal promises: for each trace and fleet the highest rate at which a policy keeps its promises to 95 % of the
/// requests, what a million output tokens then cost, and how far that is from what nobody can beat.
/// </summary>
internal static class PolicyRuns
{
    private const double Kept = 0.95;
    private const double LeastSeconds = 180;
    private const int Halvings = 7;

    private static readonly (string Name, Func<IRouter> New)[] Policies =
    [
        ("round-robin", () => new RoundRobinRouter()),
        ("least-outstanding", () => new LeastOutstandingRouter()),
        ("power-of-two", () => new PowerOfTwoRouter()),
        ("prefix-affinity", () => new PrefixAffinityRouter()),
        ("marginal-cost", () => new MarginalCostRouter()),
        ("oracle", () => new MarginalCostRouter()),
    ];

    /// <summary>policies FOLDER: words, with commas between, select the traces, fleets and policies that contain one.</summary>
    public static void Run(string[] arguments)
    {
        if (arguments is [] or ["--help"])
        {
            Console.Error.WriteLine("policies FOLDER [--seeds N] [--trace WORD] [--fleet WORD] [--policy WORD] [--load SHARE_OF_BOUND]");
            return;
        }

        var seeds = int.Parse(Option(arguments, "--seeds") ?? "3", CultureInfo.InvariantCulture);
        double? load = Option(arguments, "--load") is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
        var files = Directory.GetFiles(arguments[0]).Order(StringComparer.Ordinal).Where(file => Wanted(file, "--trace"));
        var traces = files.Select(file => new ReplayedTrace(file)).ToList();
        var fleets = BenchFleets.All().Where(fleet => Wanted(fleet.Name, "--fleet")).ToList();
        var policies = Policies.Where(policy => Wanted(policy.Name, "--policy")).ToList();
        var cells = fleets.SelectMany(fleet => traces.Select(trace => new Cell(fleet, trace))).ToList();
        var jobs = cells.SelectMany(cell => policies.SelectMany(policy =>
            Enumerable.Range(1, seeds).Select(seed => (Cell: cell, Policy: policy, Seed: (ulong)seed)))).ToList();
        var found = new ConcurrentDictionary<(Cell, string, ulong), Point>();
        Parallel.ForEach(Partitioner.Create(jobs, EnumerablePartitionerOptions.NoBuffering), new() { MaxDegreeOfParallelism = 2 }, job =>
        {
            var point = load is { } share
                ? Fixed(job.Cell, job.Policy.Name, job.Policy.New, job.Seed, share)
                : Search(job.Cell, job.Policy.Name, job.Policy.New, job.Seed);
            found[(job.Cell, job.Policy.Name, job.Seed)] = point;
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{found.Count}/{jobs.Count} {job.Cell.Fleet.Name}, {job.Cell.Trace.Name}, {job.Policy.Name}, seed {job.Seed}: "
                + $"{point.Rate:0.00}/s of {job.Cell.Bound.Rate:0.00}, kept {point.Run.Requests.KeptShare:0.000}, hits {point.Run.Requests.HitShare:0.00}, TTFT p95 {point.Run.Requests.Ttft.P95:0.00} s, TPOT p95 {point.Run.Requests.Tpot.P95 * 1e3:0.0} ms; "
                + $"{Pools(point.Run)}"));
        });
        foreach (var cell in cells)
            Print(cell, [.. policies.Select(policy => (policy.Name, Enumerable.Range(1, seeds).Select(seed => found[(cell, policy.Name, (ulong)seed)]).ToArray()))]);

        bool Wanted(string name, string option) => Option(arguments, option) is not { } words
            || words.Split(',').Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));
    }

    private static string Pools(RunReport run) => string.Join("; ", run.Pools.Select((pool, i) => string.Create(
        CultureInfo.InvariantCulture,
        $"{pool.Name} busy {pool.Utilisation:0.00}, batch {pool.MeanBatch:0.0}, KV held {pool.KvHeld:0.00}, kept {run.PoolRequests[i].Kept} "
        + $"of {run.PoolRequests[i].Requests.Completed}, TTFT p95 {run.PoolRequests[i].Ttft.P95:0.00} s, TPOT p95 {run.PoolRequests[i].Tpot.P95 * 1e3:0.0} ms")));

    private static string? Option(string[] arguments, string name) =>
        Array.IndexOf(arguments, name) is >= 0 and var at && at + 1 < arguments.Length ? arguments[at + 1] : null;

    /// <summary>The highest rate at which promises are kept, between a fiftieth of the bound and the bound.</summary>
    private static Point Search(Cell cell, string policy, Func<IRouter> router, ulong seed)
    {
        var (low, high) = (cell.Bound.Rate / 50, cell.Bound.Rate);
        var best = new Point(low, At(cell, policy, router, seed, low));
        for (var i = 0; i < Halvings; i++)
        {
            var rate = i == 0 ? high * 0.6 : (low + high) / 2;
            var run = At(cell, policy, router, seed, rate);
            if (!run.Partial && run.Requests.KeptShare >= Kept)
                (low, best) = (rate, new Point(rate, run));
            else
                high = rate;
        }

        return best;
    }

    /// <summary>At a share of the bound, whatever becomes of promises.</summary>
    private static Point Fixed(Cell cell, string policy, Func<IRouter> router, ulong seed, double load) =>
        new(cell.Bound.Rate * load, At(cell, policy, router, seed, cell.Bound.Rate * load, stops: false));

    /// <summary>A run is stopped once so many promises are broken that the rest cannot mend it.</summary>
    private static RunReport At(Cell cell, string policy, Func<IRouter> router, ulong seed, double rate, bool stops = true)
    {
        var oracle = policy == "oracle";
        var promise = cell.Fleet.Promise(cell.Trace.Name);
        var plan = cell.Fleet.Plan with
        {
            Router = router,
            Classes = [.. ReplayedTrace.ClassNames(oracle).Select(name => promise with { Name = name })],
            Traffic = cell.Trace.At(rate, LeastSeconds, oracle),
        };
        long broken = 0;
        var most = 1.1 * (1 - Kept) * rate * Math.Max(LeastSeconds, cell.Trace.Seconds * cell.Trace.Rate / rate);
        return Simulator.Run(plan, seed, new RunHooks
        {
            Row = row => broken += row.Kept ? 0 : 1,
            Progress = _ => !stops || broken < most,
        });
    }

    private static void Print(Cell cell, (string Policy, Point[] Points)[] rows)
    {
        var promise = cell.Fleet.Promise(cell.Trace.Name);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\n{cell.Trace.Name} on {cell.Fleet.Name}; TTFT {promise.TtftSeconds:0.#} s, TPOT {promise.TpotSeconds * 1e3:0} ms to {Kept:0%}\n"));
        Console.WriteLine("| policy | requests/s | of the bound | kept | $/M output, allocation | $/M output, usage | TTFT p99, s | TPOT p99, ms | prefix hits | J/output token, boards |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var (policy, points) in rows)
        {
            string Mean(Func<Point, double> of, string format = "0.00") => Spelled([.. points.Select(of)], format);
            Console.WriteLine(
                $"| {policy} | {Mean(point => point.Rate)} | {Mean(point => point.Rate / cell.Bound.Rate * 100, "0")} % "
                + $"| {Mean(point => point.Run.Requests.KeptShare * 100, "0.0")} % "
                + $"| {Mean(point => point.Run.UsdPerMillionOutput, "0.000")} | {Mean(point => point.Run.UsageUsdPerMillionOutput, "0.000")} "
                + $"| {Mean(point => point.Run.Requests.Ttft.P99)} | {Mean(point => point.Run.Requests.Tpot.P99 * 1e3, "0.0")} "
                + $"| {Mean(point => point.Run.Requests.HitShare * 100, "0")} % "
                + $"| {Mean(point => point.Run.BoardJoulesPerOutput)} |");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| bound (fluid) | {cell.Bound.Rate:0.00} | 100 % | 100 % | {cell.Bound.UsdPerMillion:0.000} | {cell.Bound.CheapestUsdPerMillion:0.000} | - | - | - | - |"));
    }

    private static string Spelled(double[] values, string format)
    {
        var mean = values.Average();
        var plain = CultureInfo.InvariantCulture;
        if (values.Length < 2)
            return mean.ToString(format, plain);
        var spread = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
        return $"{mean.ToString(format, plain)} ± {spread.ToString(format, plain)}";
    }

    private sealed class Cell(BenchFleet fleet, ReplayedTrace trace)
    {
        public BenchFleet Fleet => fleet;

        public ReplayedTrace Trace => trace;

        public FluidBound Bound { get; } = new(fleet.Plan, trace, fleet.Promise(trace.Name).TpotSeconds);
    }

    private readonly record struct Point(double Rate, RunReport Run);
}
