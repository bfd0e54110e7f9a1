using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>The watts of predict at every boundary, from the boards to the site's meter.</summary>
internal static class PredictPower
{
    /// <summary>The table.</summary>
    /// <param name="answer">What was predicted.</param>
    /// <param name="site">What is assumed where the catalog has no chassis model.</param>
    public static Section Of(PredictAnswer answer, SiteDefaults site)
    {
        var gpu = answer.Decode.Gpu;
        return new Section(
            "power", "Where the watts are counted",
            [
                new Column("boundary", "boundary", Number: false),
                new Column("watts_per_gpu", "W/GPU"),
                new Column("kilowatts", "kW in all"),
                new Column("joules_per_output_token", "J/output token"),
                new Column("output_tokens_per_joule", "output tokens/J"),
                new Column("how", "how", 1, Number: false),
            ],
            gpu.Tdp is null ? [] : [.. Rows(answer, gpu, site)]);
    }

    private static IEnumerable<IReadOnlyList<Cell>> Rows(PredictAnswer answer, Accelerator gpu, SiteDefaults site)
    {
        var watts = answer.Prediction.WattsPerGpu;
        var ladder = WallPower.Ladder(gpu, watts, site);
        yield return Row(answer, "boards", watts, "predicted");
        if (gpu.Chassis?.Value is { } chassis)
        {
            var wall = PowerLadder.Load(chassis, new Watts(watts * chassis.Gpus)).Ac.Value / chassis.Gpus;
            yield return Row(answer, "chassis", wall, $"host, fans and power supplies of {chassis.Gpus} GPUs");
        }

        yield return Row(answer, "it", ladder.It!.Value.Value.Watts.Value, Host(gpu));
        yield return Row(answer, "facility", ladder.Facility.Value.Watts.Value, $"PUE {Spell.Number(site.PueOf(gpu).Value.Value)}");
    }

    private static string Host(Accelerator gpu) => gpu switch
    {
        { Chassis: not null } => "chassis and its share of the network",
        { ItPower: not null } => "modelled IT power less TDP, on top of the boards",
        _ => "an assumed share of TDP for the host",
    };

    private static IReadOnlyList<Cell> Row(PredictAnswer answer, string boundary, double watts, string how)
    {
        var (gpus, tokens) = (answer.Prediction.Gpus, answer.Prediction.OutputTokensPerSecond);
        var all = watts * gpus;
        return
        [
            Cell.Of(boundary),
            new Cell(watts, Spell.Number(watts)),
            new Cell(all / 1e3, Spell.Number(all / 1e3)),
            tokens > 0 ? new Cell(all / tokens, Spell.Number(all / tokens)) : Cell.None,
            tokens > 0 ? new Cell(tokens / all, Spell.Number(tokens / all)) : Cell.None,
            Cell.Of(how),
        ];
    }
}
