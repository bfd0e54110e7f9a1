using TokenFactory.Planning.Mix;

namespace TokenFactory.Tests.Planning.Mix;

/// <summary>Examples that others have published.</summary>
public sealed class AnchorTests
{
    private const double Never = double.PositiveInfinity;

    /// <summary>
    /// Melange's example (tyler-griggs/melange-release, main.py at commit b5e6eb5, and the output in its README): two GPU types, four
    /// buckets, 16 requests a second, whole buckets; "A10G 10, A100 0, cost 10.1". Ours may split buckets, and finds no better here.
    /// </summary>
    [Fact]
    public void Melange_takes_ten_A10G()
    {
        var answer = FleetMix.Solve(Melange([0.25, 0.5, 0.25, 0.25]));
        Assert.Equal([10, 0], answer.Replicas);
        Assert.Equal(10.1, answer.UsdPerHour, 1e-9);
        Assert.True(answer.Proven);
    }

    /// <summary>The example as it stands today (commit 1fc682c), with other shares; its programme with binary shares gives five A10G too.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Melange_of_today_takes_five_A10G_however_buckets_are_sliced(int slices)
    {
        var problem = Melange([0.25, 0.125, 0.375, 0.25]);
        Assert.Equal([5, 0], FleetMix.Solve(problem).Replicas);
        Assert.Equal(5.05, MelangeProgramme.Solve(problem, slices), 1e-9);
    }

    /// <summary>Splitting a bucket freely is never dearer than in slices, and slices never dearer than whole buckets.</summary>
    [Fact]
    public void Free_shares_are_never_dearer_than_Melange_s_slices() => Laws.Cases.Check(60, dice =>
    {
        var problem = Melange([.. Enumerable.Range(0, 4).Select(_ => dice.Whole(1, 8) / 16.0)]);
        var free = FleetMix.Solve(problem).UsdPerHour;
        var (fine, coarse) = (MelangeProgramme.Solve(problem, 4), MelangeProgramme.Solve(problem, 1));
        Assert.True(free <= fine + 1e-9 && fine <= coarse + 1e-9, $"{free}, {fine}, {coarse}");
    });

    /// <summary>llm-d/llm-d-autoscaling issue 1251: 100 needed; A costs 10 for 200, B 6 for 100. By efficiency one takes A and pays 10.</summary>
    [Fact]
    public void The_last_replica_is_not_the_most_efficient_one()
    {
        var answer = FleetMix.Solve(Variants(100, (10, 200), (6, 100)));
        Assert.Equal([0, 1], answer.Replicas);
        Assert.Equal(6, answer.UsdPerHour, 1e-9);
        Assert.Equal(10, Greedy(100, (10, 200), (6, 100)), 1e-9);
    }

    [Theory]
    [InlineData(300, 16, 20)] // one A for the bulk, one B for what is left
    [InlineData(500, 26, 30)]
    [InlineData(400, 20, 20)] // nothing left over: greedy is right
    [InlineData(190, 10, 10)] // one A is cheaper than two B
    [InlineData(401, 26, 30)]
    public void Nor_after_a_bulk_of_it(double needed, double best, double greedy)
    {
        Assert.Equal(best, FleetMix.Solve(Variants(needed, (10, 200), (6, 100))).UsdPerHour, 1e-9);
        Assert.Equal(greedy, Greedy(needed, (10, 200), (6, 100)), 1e-9);
    }

    [Fact]
    public void Greedy_is_never_cheaper_on_any_variants() => Laws.Cases.Check(1000, dice =>
    {
        var variants = dice.Many(1, 5, () => ((double)dice.Whole(1, 40), (double)dice.Whole(1, 40) * 10)).ToArray();
        var needed = dice.Whole(1, 1500);
        var best = FleetMix.Solve(Variants(needed, variants)).UsdPerHour;
        Assert.True(best <= Greedy(needed, variants) + 1e-9);
        Assert.Equal(Knapsack(needed, variants), best, 1e-6);
    });

    private static MixProblem Melange(double[] shares) => new()
    {
        Options =
        [
            new MixOption { Name = "A10G", UsdPerHour = 1.01, Loads = [1 / 5.0, 1 / 1.0, 1 / 10.0, 1 / 5.0] },
            new MixOption { Name = "A100", UsdPerHour = 3.67, Loads = [1 / 20.0, 1 / 2.0, 1 / 50.0, 1 / 20.0] },
        ],
        Buckets = [.. shares.Select((share, i) => new MixBucket { Name = $"bucket {i}", RequestsPerSecond = 16 * share })],
    };

    private static MixProblem Variants(double needed, params (double Cost, double Capacity)[] variants) => new()
    {
        Options = [.. variants.Select((v, j) => new MixOption { Name = $"{j}", UsdPerHour = v.Cost, Loads = [1 / v.Capacity] })],
        Buckets = [new MixBucket { Name = "all", RequestsPerSecond = needed }],
    };

    /// <summary>The most efficient variant, as many as it takes.</summary>
    private static double Greedy(double needed, params (double Cost, double Capacity)[] variants)
    {
        var (cost, capacity) = variants.OrderBy(v => v.Cost / v.Capacity).First();
        return Math.Ceiling(needed / capacity) * cost;
    }

    /// <summary>Least cost that covers the need, by a table over capacity.</summary>
    private static double Knapsack(int needed, (double Cost, double Capacity)[] variants)
    {
        var least = new double[needed + 1];
        for (var need = 1; need <= needed; need++)
            least[need] = variants.Min(v => v.Cost + least[Math.Max(0, need - (int)v.Capacity)]);
        return least[needed];
    }
}
