using TokenFactory.Catalog;
using TokenFactory.Economics;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>From the board to the meter, against the figures of the InferenceX power model.</summary>
public sealed class PowerLadderTests
{
    /// <summary>
    /// The H100 chassis of an earlier revision of that model, for which it published its results:
    /// SemiAnalysisAI/InferenceX-app@250052d4e222:packages/app/src/lib/system-power-model.profiles.json.
    /// </summary>
    private static readonly ChassisModel H100Chassis = new(
        8,
        new Watts(1710.7),
        new Watts(0),
        new ChassisFans(new Watts(1100), new Watts(9500), 0.22, 0.8, 1.1),
        new Watts(19_800),
        new Watts(19_800),
        [new(0.05, 0.885), new(0.1, 0.92), new(0.2, 0.94), new(0.5, 0.96), new(1, 0.955)]);

    private static readonly Sourced<Pue> Pue = Said(new Pue(1.2), SourceKind.Measured);

    [Fact]
    public void H100_chassis_at_4_kilowatts_of_gpus()
    {
        var load = PowerLadder.Load(H100Chassis, new Watts(4000));
        Assert.Equal(6228.2, load.Ac.Value, 0.05);
        Assert.Equal(7473.8, (load.It * new Pue(1.2)).Value, 0.05);
        Assert.Equal(load.Ac, load.It);
        Nearly.Equal(4000 + 1710.7 + load.FanDc.Value, load.Dc.Value);
    }

    [Fact]
    public void Twice_the_gpu_watts_are_not_twice_the_wall_watts()
    {
        var (half, full) = (PowerLadder.Load(H100Chassis, new Watts(4000)).Ac, PowerLadder.Load(H100Chassis, new Watts(8000)).Ac);
        Assert.NotEqual(2 * half, full);
        Assert.InRange(full / half, 1.6, 1.9);
    }

    [Fact]
    public void A_busier_chassis_always_draws_more() => Cases.Check(500, dice =>
    {
        var watts = new Watts(dice.Real(0, 10_000));
        var (low, high) = (PowerLadder.Load(H100Chassis, watts), PowerLadder.Load(H100Chassis, watts + new Watts(dice.Real(1, 500))));
        Assert.True(high.Ac > low.Ac && high.FanDc >= low.FanDc && low.Ac > low.Dc);
    });

    [Theory] // below, on, between and above the points of the curve, with fans that draw nothing
    [InlineData(100, 0.885)]
    [InlineData(1980, 0.92)]
    [InlineData(6930, 0.95)]
    [InlineData(25_000, 0.955)]
    public void Supplies_are_as_efficient_as_their_load_lets_them(double dc, double efficiency)
    {
        var still = H100Chassis with { FixedDc = default, Fans = H100Chassis.Fans with { Nameplate = default }, Network = new Watts(100) };
        var load = PowerLadder.Load(still, new Watts(dc));
        Nearly.Equal(dc / efficiency, load.Ac.Value);
        Nearly.Equal(load.Ac.Value + 100, load.It.Value);
    }

    [Fact]
    public void B200_deployments_in_a_gigawatt()
    {
        var site = new Power(new Watts(1e9), PowerBoundary.Facility);
        var headroom = new Fraction(0.1);
        var facility = new Watts(4837.2) * new Pue(1.3);
        Nearly.Equal(6288.36, facility.Value);

        // The source rounds to 6,288.4 W before it adds the headroom: 6,917.24 W and 144,566 deployments. Unrounded it is one more.
        var rounded = new Power(new Watts(Math.Round(facility.Value, 1)), PowerBoundary.Facility);
        Nearly.Equal(6917.24, (rounded.Watts * 1.1).Value);
        Assert.Equal(144_566, PowerLadder.DeploymentsThatFit(site, rounded, headroom));
        Assert.Equal(144_567, PowerLadder.DeploymentsThatFit(site, new Power(facility, PowerBoundary.Facility), headroom));
    }

    [Fact]
    public void The_chassis_model_carries_the_board_to_the_meter()
    {
        var gpu = Gpu() with { Chassis = Said(H100Chassis, SourceKind.Estimated) };
        var ladder = PowerLadder.Climb(gpu, Said(Board(500), SourceKind.Measured), Site, Pue);
        Assert.Equal(Board(500), ladder.Board!.Value.Value);
        Assert.Equal(PowerBoundary.It, ladder.It!.Value.Value.Boundary);
        Assert.Equal(6228.2 / 8, ladder.It.Value.Value.Watts.Value, 0.05);
        Assert.Equal(PowerBoundary.Facility, ladder.Facility.Value.Boundary);
        Assert.Equal(7473.8 / 8, ladder.Facility.Value.Watts.Value, 0.05);
        Assert.Equal(SourceKind.Measured, ladder.Board.Value.From.Kind);
        Assert.Equal(SourceKind.Estimated, ladder.Facility.From.Kind);
    }

    [Fact]
    public void Without_a_chassis_the_host_is_a_constant_on_top()
    {
        var gpu = Gpu() with { Tdp = Said(new Watts(700), SourceKind.Datasheet), ItPower = Said(new Watts(1370), SourceKind.Estimated) };
        var ladder = PowerLadder.Climb(gpu, Said(Board(500), SourceKind.Measured), Site, Pue);
        Nearly.Equal(500 + 670, ladder.It!.Value.Value.Watts.Value);
        Nearly.Equal(1170 * 1.2, ladder.Facility.Value.Watts.Value);
        Assert.Equal(SourceKind.Estimated, ladder.It.Value.From.Kind);
    }

    [Fact]
    public void Without_either_the_host_is_a_share_of_tdp()
    {
        var gpu = Gpu() with { Tdp = Said(new Watts(700), SourceKind.Datasheet) };
        var ladder = PowerLadder.Climb(gpu, Said(Board(500), SourceKind.Measured), Site, Pue);
        Nearly.Equal(500 + (700 * Site.HostShareOfTdp.Value), ladder.It!.Value.Value.Watts.Value);
        Assert.Equal(SourceKind.Estimated, ladder.Facility.From.Kind);
    }

    [Fact]
    public void What_was_measured_at_the_meter_is_not_climbed_again()
    {
        var meter = Said(new Power(new Watts(900), PowerBoundary.Facility), SourceKind.Measured);
        var ladder = PowerLadder.Climb(Gpu(), meter, Site, Pue);
        Assert.Equal(meter.Value, ladder.Facility.Value);
        Assert.Null(ladder.Board);
        Assert.Null(ladder.It);
        Assert.Null(ladder.At(PowerBoundary.Board));
        Assert.Equal(meter.Value, ladder.At(PowerBoundary.Facility)!.Value.Value);
    }

    [Fact]
    public void Pue_is_applied_once_to_what_was_measured_as_IT()
    {
        var ladder = PowerLadder.Climb(Gpu(), Said(new Power(new Watts(1000), PowerBoundary.It), SourceKind.Measured), Site, Pue);
        Nearly.Equal(1200, ladder.Facility.Value.Watts.Value);
        Assert.Null(ladder.Board);
    }

    [Fact]
    public void Every_accelerator_of_the_catalog_climbs()
    {
        var catalog = CatalogFiles.Shipped;
        foreach (var gpu in catalog.Accelerators.Where(gpu => gpu.Tdp is not null))
        {
            var ladder = PowerLadder.Climb(gpu, gpu.Tdp!.Value.Select(watts => new Power(watts, PowerBoundary.Board)), catalog.Site, Pue);
            var (board, it, facility) = (ladder.Board!.Value.Value.Watts, ladder.It!.Value.Value.Watts, ladder.Facility.Value.Watts);
            Assert.True(it > board && facility > it && it < board * 4, $"{gpu.Key}: {board} {it} {facility}");
        }
    }

    private static SiteDefaults Site => CatalogFiles.Shipped.Site;

    private static Power Board(double watts) => new(new Watts(watts), PowerBoundary.Board);

    private static Sourced<T> Said<T>(T value, SourceKind kind) =>
        new(value, Provenance.Of(new Source(kind, $"{kind} {typeof(T).Name}", SourceDate.Parse("2026-11")!)));

    private static Accelerator Gpu() => new() { Key = "gpu", Name = "GPU", Aliases = [], Vendor = "vendor", Architecture = "architecture" };
}
