using TokenFactory.Catalog;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Watts per GPU at the wall of its chassis.</summary>
/// <param name="WattsPerGpu">How much.</param>
/// <param name="How">By which model.</param>
internal readonly record struct WallPower(double WattsPerGpu, string How)
{
    /// <summary>Climbs from the board to the chassis' AC input: by its chassis model, else by an assumed host share.</summary>
    public static WallPower Of(Accelerator gpu, double boardWatts, SiteDefaults site)
    {
        if (gpu.Chassis?.Value is { } chassis)
        {
            var load = PowerLadder.Load(chassis, new Watts(boardWatts * chassis.Gpus));
            return new WallPower(load.Ac.Value / chassis.Gpus, $"chassis model of {gpu.Key}, {chassis.Gpus} GPUs");
        }

        var it = Ladder(gpu, boardWatts, site).It!.Value;
        return new WallPower(it.Value.Watts.Value, $"no chassis model of {gpu.Key}: host as the catalog assumes");
    }

    /// <summary>Predicted watts of a board at every boundary up to the site's meter.</summary>
    public static PowerLadder Ladder(Accelerator gpu, double boardWatts, SiteDefaults site)
    {
        var predicted = new Source(SourceKind.Estimated, "predicted", SourceDate.On(DateOnly.MinValue));
        var board = new Sourced<Power>(new Power(new Watts(boardWatts), PowerBoundary.Board), Provenance.Of(predicted));
        return PowerLadder.Climb(gpu, board, site, site.PueOf(gpu));
    }
}
