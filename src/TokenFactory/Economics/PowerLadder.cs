using TokenFactory.Catalog;
using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>A chassis under load, step by step.</summary>
/// <param name="Dc">DC power of accelerators, host and fans.</param>
/// <param name="FanDc">Of it, the fans.</param>
/// <param name="Ac">At the power supplies' input: the chassis boundary.</param>
/// <param name="It">With its share of the network: the IT boundary.</param>
public readonly record struct ChassisLoad(Watts Dc, Watts FanDc, Watts Ac, Watts It);

/// <summary>Power per GPU at the boundaries that could be reached from the one that was given.</summary>
/// <param name="Board">At the board; null where the given figure was wider.</param>
/// <param name="It">All IT power per GPU; null where the given figure was wider.</param>
/// <param name="Facility">At the site's meter.</param>
public sealed record PowerLadder(Sourced<Power>? Board, Sourced<Power>? It, Sourced<Power> Facility)
{
    /// <summary>Power per GPU at a boundary, or null where it cannot be reached.</summary>
    public Sourced<Power>? At(PowerBoundary boundary) => boundary switch
    {
        PowerBoundary.Chip or PowerBoundary.Board => Board,
        PowerBoundary.Chassis or PowerBoundary.It => It,
        _ => Facility,
    };

    /// <summary>
    /// Climbs from a measured or rated power to the facility's meter: chassis model where there is one, else modelled IT power less TDP
    /// as a constant on top of the board, else a share of TDP; then PUE.
    /// </summary>
    /// <param name="gpu">The accelerator.</param>
    /// <param name="perGpu">
    /// Power per GPU at any boundary. Chip counts as board: no source tells them apart.
    /// Chassis counts as IT: its share of the network is left out.
    /// </param>
    /// <param name="site">Assumptions where the catalog has no model.</param>
    /// <param name="pue">Facility over IT power.</param>
    public static PowerLadder Climb(Accelerator gpu, Sourced<Power> perGpu, SiteDefaults site, Sourced<Pue> pue)
    {
        switch (perGpu.Value.Boundary)
        {
            case PowerBoundary.Facility:
                return new PowerLadder(null, null, perGpu);
            case PowerBoundary.It or PowerBoundary.Chassis:
                return new PowerLadder(null, perGpu, AtMeter(perGpu, pue));
            default:
                var it = ItPower(gpu, perGpu, site);
                return new PowerLadder(perGpu, it, AtMeter(it, pue));
        }
    }

    /// <summary>What a chassis draws when its accelerators draw so much together.</summary>
    /// <param name="model">The chassis.</param>
    /// <param name="accelerators">All its accelerators together, board boundary.</param>
    public static ChassisLoad Load(ChassisModel model, Watts accelerators)
    {
        var beforeFans = accelerators + model.FixedDc;
        var fans = model.Fans;
        var load = Math.Min(1, beforeFans / fans.FullCoolingLoad);
        var speed = fans.MinSpeed + ((fans.MaxSpeed - fans.MinSpeed) * Math.Pow(load, fans.Exponent));
        var fanDc = fans.Nameplate * Math.Pow(speed, 3);
        var dc = beforeFans + fanDc;
        var ac = dc / Efficiency(model.PsuEfficiency, dc / model.PsuCapacity);
        return new ChassisLoad(dc, fanDc, ac, ac + model.Network);
    }

    /// <summary>Whole deployments that a site's power carries: floor(site / (facility power x (1 + headroom))).</summary>
    public static long DeploymentsThatFit(Power site, Power deployment, Fraction headroom) =>
        (long)Math.Floor(site.Watts / (deployment.Watts * (1 + headroom.Value)));

    private static Sourced<Power> ItPower(Accelerator gpu, Sourced<Power> board, SiteDefaults site)
    {
        if (gpu.Chassis is { } chassis)
        {
            return board.With(
                chassis,
                (power, model) => new Power(Load(model, power.Watts * model.Gpus).It / model.Gpus, PowerBoundary.It));
        }

        if (gpu is { ItPower: { } rated, Tdp: { } tdp } && rated.Value > tdp.Value)
        {
            var host = rated.With(tdp, (it, limit) => it - limit);
            return board.With(host, (power, share) => new Power(power.Watts + share, PowerBoundary.It));
        }

        var reference = gpu.Tdp ?? board.Select(power => power.Watts);
        var estimate = reference.With(site.HostShareOfTdp, (limit, share) => limit * share);
        return board.With(estimate, (power, share) => new Power(power.Watts + share, PowerBoundary.It));
    }

    private static Sourced<Power> AtMeter(Sourced<Power> it, Sourced<Pue> pue) =>
        it.With(pue, (power, ratio) => new Power(power.Watts * ratio, PowerBoundary.Facility));

    private static double Efficiency(IReadOnlyList<EfficiencyPoint> curve, double load)
    {
        if (load <= curve[0].Load)
            return curve[0].Efficiency;
        for (var i = 1; i < curve.Count; i++)
        {
            var (left, right) = (curve[i - 1], curve[i]);
            if (load <= right.Load)
                return left.Efficiency + ((right.Efficiency - left.Efficiency) * (load - left.Load) / (right.Load - left.Load));
        }

        return curve[^1].Efficiency;
    }
}
