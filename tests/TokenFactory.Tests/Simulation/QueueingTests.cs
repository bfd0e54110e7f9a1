using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Simulation;

/// <summary>
/// Queueing theory knows how long customers wait who come at random and are each served for the same time. Requests with equal prompts and
/// one token to answer, on replicas that run one at a time, are such customers: the twin must make them wait as long.
/// </summary>
/// <remarks>
/// The sampling error is that of the mean over independent seeds, from their spread; means must agree within four of it (which a right twin misses
/// once in a few hundred tries, and these seeds do not), and it must be below 6 % of the wait, so that the test can fail.
/// </remarks>
public sealed class QueueingTests
{
    private const int Prompt = 1000;
    private const long Requests = 8000;
    private const double Errors = 4;
    private const double LargestError = 0.06;

    private static readonly PoolPlan One = Plan(1);

    private static readonly double Service =
        One.Facts.Model.Step(new StepShape(0, 0, Prompt, Prompt * (Prompt / 2.0), 1)).Seconds;

    private static readonly double Front = One.Facts.Model.FrontSeconds(Prompt);

    private static int Seeds => Cases.Long ? 100 : 8;

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(0.7)]
    [InlineData(0.85)]
    public void One_replica_makes_wait_as_theory_says(double utilisation)
    {
        // Pollaczek and Khinchine: the mean wait is rho / (2 (1 - rho)) services.
        var exact = utilisation / (2 * (1 - utilisation));
        Assert.Equal(exact, TheoreticalWait(1, utilisation), 1e-6);
        Agrees(exact, Waits(1, utilisation, InEngines(), Service));
    }

    /// <summary>
    /// Served for equal times, those who come first also leave first, and every c-th customer gets the same replica: one queue for all and taking turns are
    /// the same, M/D/c and c queues of kind E_c/D/1 alike.
    /// </summary>
    [Theory]
    [InlineData(2, 0.5)]
    [InlineData(2, 0.8)]
    [InlineData(4, 0.7)]
    [InlineData(8, 0.85)]
    public void Replicas_that_take_turns_make_wait_as_theory_says(int replicas, double utilisation) =>
        Agrees(TheoreticalWait(replicas, utilisation), Waits(replicas, utilisation, InEngines(), Service));

    /// <summary>
    /// One queue at the gateway, and replicas that are sent the next request when they are done with one: the way to the engine is then a part of the service,
    /// and so is the nanosecond in which the gateway reacts.
    /// </summary>
    [Theory]
    [InlineData(1, 0.6)]
    [InlineData(3, 0.6)]
    [InlineData(4, 0.85)]
    public void One_queue_for_all_makes_wait_as_theory_says(int replicas, double utilisation) => Agrees(
        TheoreticalWait(replicas, utilisation),
        Waits(replicas, utilisation, () => new LeastOutstandingRouter(new Eligibility { LeastQueued = 0, QueueShare = 0 }), Service + Front + 1e-9));

    [Fact]
    public void Two_servers_make_wait_a_little_less_than_half_as_long_as_one()
    {
        foreach (var utilisation in (double[])[0.5, 0.8, 0.9])
            Assert.InRange(TheoreticalWait(2, utilisation) / TheoreticalWait(1, utilisation), 0.3, 0.5);
    }

    private static void Agrees(double exact, List<double> waits)
    {
        var mean = waits.Average();
        var error = Math.Sqrt(waits.Sum(wait => (wait - mean) * (wait - mean)) / (waits.Count - 1) / waits.Count);
        Assert.True(error < LargestError * exact, $"the sampling error of {error} is too large to tell anything of {exact}");
        Assert.True(Math.Abs(mean - exact) < Errors * error, $"mean wait {mean} services, by theory {exact}, sampling error {error}");
    }

    /// <summary>Mean waits in services, a run each; the first eighth of each run is left out, as the queue begins empty.</summary>
    private static List<double> Waits(int replicas, double utilisation, Func<IRouter> router, double service)
    {
        var plan = Fleets.Plan(Fleets.Poisson(utilisation * replicas / service, Requests, Prompt, 1), Plan(replicas)) with { Router = router, ReportSeconds = 0 };
        return [.. Enumerable.Range(1, Seeds).Select(seed =>
        {
            double sum = 0;
            long count = 0;
            Simulator.Run(plan, (ulong)seed, new RunHooks
            {
                Row = row =>
                {
                    if (count++ >= Requests / 8)
                        sum += row.FirstTokenSeconds - row.ArrivalSeconds - Front - Service;
                },
            });
            Assert.Equal(Requests, count);
            return sum / (count - (Requests / 8)) / service;
        })];
    }

    /// <summary>Everybody waits in the engines, which take turns.</summary>
    private static Func<IRouter> InEngines() => () => new RoundRobinRouter(new Eligibility { LeastQueued = int.MaxValue / 2, KvShare = 1e9 });

    /// <summary>
    /// Mean wait in services in an M/D/c queue. Seen a service apart, whoever was being served has left and nobody who came since has: the number inside
    /// follows N' = max(N - c, 0) + Poisson(c rho) (Crommelin 1932). Its limit, found by iteration, and Little's law give the wait.
    /// </summary>
    private static double TheoreticalWait(int servers, double utilisation)
    {
        var most = 100 + (int)(20 * servers / (1 - utilisation));
        var arrivals = new double[most];
        arrivals[0] = Math.Exp(-servers * utilisation);
        for (var i = 1; i < most; i++)
            arrivals[i] = arrivals[i - 1] * servers * utilisation / i;
        var inside = new double[most];
        inside[0] = 1;
        for (var (before, mean) = (-1.0, 0.0); Math.Abs(mean - before) > 1e-12;)
        {
            var next = new double[most];
            for (var n = 0; n < most; n++)
            {
                var left = Math.Max(n - servers, 0);
                for (var i = 0; left + i < most && (arrivals[i] > 1e-18 || i < servers); i++)
                    next[left + i] += inside[n] * arrivals[i];
            }

            inside = next;
            (before, mean) = (mean, inside.Select((share, n) => share * n).Sum());
        }

        return (inside.Select((share, n) => share * n).Sum() / (servers * utilisation)) - 1;
    }

    private static PoolPlan Plan(int replicas)
    {
        var order = Fleets.Order(Fleets.Small);
        var engine = EngineSettings.Of(Fleets.Small) with { MaxSequences = 1 };
        return (order with { Replicas = replicas, Engine = engine }).Plan();
    }
}
