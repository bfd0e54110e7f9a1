using TokenFactory.Performance.Calibration;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.Calibration;

/// <summary>Corrections: nothing for strangers, a part of what was seen often, never more than the limit.</summary>
public sealed class CorrectionsTests
{
    private const double Noise = 0.05;

    private static readonly Traits Known = new("llama", "h100", "vllm", "NVIDIA", "Hopper", "8", "tp", "aggregated", "none");

    private static readonly Traits Stranger = new("other", "mi300x", "sglang", "AMD", "CDNA3", "16", "dp", "disaggregated", "mtp");

    [Fact]
    public void Strangers_keep_the_models_time_exactly()
    {
        var fit = Corrections.Fit([(Known, 0.3), (Known with { Gpu = "h200" }, 0.3)], Calibrator.TimeLikenesses, Noise);
        Assert.Equal(1, fit.Factor(Stranger));
        Assert.Equal(1, Corrections.None.Factor(Known));
        Assert.Equal(1, Corrections.Fit([], Calibrator.TimeLikenesses, Noise).Factor(Known));
        Assert.Equal(1, new Corrections(Calibrator.WattLikenesses, new Dictionary<string, double>()).Factor(Known));
    }

    [Fact]
    public void What_is_seen_again_is_recovered_in_part_and_seen_more_often_more_of_it() => Cases.Check(100, dice =>
    {
        var log = dice.Real(0.05, 0.5) * (dice.Chance(0.5) ? 1 : -1);
        var last = 0.0;
        foreach (var groups in new[] { 1, 2, 4, 8, 16 })
        {
            var rows = Enumerable.Range(0, groups).Select(i => (Known with { Gpu = $"gpu {i}" }, log));
            var recovered = Math.Log(Corrections.Fit(rows, Calibrator.TimeLikenesses, Noise).Factor(Known with { Gpu = "another" })) / log;
            Assert.True(recovered > last && recovered < 1, $"{recovered} of {log} after {groups} groups, {last} before");
            last = recovered;
        }

        Assert.True(last > 0.8);
    });

    [Fact]
    public void A_likeness_in_part_moves_less_than_one_in_full()
    {
        var fit = Corrections.Fit([(Known, 0.4), (Known with { Gpu = "h200" }, 0.4)], Calibrator.TimeLikenesses, Noise);
        var (same, cousin) = (fit.Factor(Known), fit.Factor(Stranger with { Model = Known.Model, Bits = Known.Bits }));
        Assert.True(same > cousin && cousin > 1, $"{same}, {cousin}");
    }

    [Fact]
    public void No_factor_leaves_the_limit() => Cases.Check(200, dice =>
    {
        var rows = Rows(dice, 10);
        var fit = Corrections.Fit(rows, Calibrator.TimeLikenesses, Noise);
        var table = new Corrections(Calibrator.TimeLikenesses, fit.LogFactors.ToDictionary(pair => pair.Key, pair => pair.Value * 20));
        foreach (var (traits, _) in rows)
        {
            Assert.InRange(fit.Factor(traits), Math.Exp(-Corrections.Limit), Math.Exp(Corrections.Limit));
            Assert.InRange(table.Factor(traits), Math.Exp(-Corrections.Limit), Math.Exp(Corrections.Limit));
        }
    });

    [Fact]
    public void The_order_of_rows_does_not_matter() => Cases.Check(100, dice =>
    {
        var rows = Rows(dice, 1);
        var (one, other) = (Fit(rows), Fit(dice.Shuffled(rows)));
        Assert.Equal(one.Keys.Order(), other.Keys.Order());
        foreach (var (level, log) in one)
            Assert.True(Math.Abs(other[level] - log) < 1e-9, $"{level}: {log}, shuffled {other[level]}");

        static IReadOnlyDictionary<string, double> Fit(List<(Traits, double)> rows) =>
            Corrections.Fit(rows, Calibrator.TimeLikenesses, Noise).LogFactors;
    });

    [Fact]
    public void One_wild_row_among_many_moves_nothing()
    {
        var rows = Enumerable.Range(0, 9).Select(_ => (Known, 0.1)).ToList();
        var (calm, wild) = (Corrections.Fit(rows, Calibrator.TimeLikenesses, Noise), Corrections.Fit([.. rows, (Known, 50)], Calibrator.TimeLikenesses, Noise));
        Assert.InRange(wild.Factor(Known) / calm.Factor(Known), 1, 1.001);
    }

    [Fact]
    public void Levels_name_their_traits_and_unknown_traits_are_refused()
    {
        Assert.Equal("model=llama bits=8 engine=vllm", new Likeness("model+bits+engine", 0.02).Level(Known));
        Assert.Equal("gpu=h100 architecture=Hopper spread=tp", new Likeness("gpu+architecture+spread", 0.02).Level(Known));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Likeness("colour", 0.02).Level(Known));
    }

    private static List<(Traits, double)> Rows(Dice dice, double most) => dice.Many(1, 40, () => (
        Known with
        {
            Model = $"m{dice.Whole(0, 4)}",
            Gpu = $"g{dice.Whole(0, 4)}",
            Engine = dice.Chance(0.5) ? "vllm" : "sglang",
            Bits = dice.Chance(0.5) ? "8" : "4",
            Speculation = dice.Chance(0.3) ? "mtp" : "none",
        },
        dice.Real(-most, most)));
}
