using TokenFactory.Catalog;

namespace TokenFactory.Cli.Verbs;

/// <summary>Which power limits a GPU can keep.</summary>
internal static class PowerLimits
{
    /// <summary>Lowest power cap as a share of the thermal design power: 200 W of 700 on H100 and H200, about so elsewhere.</summary>
    private const double Least = 0.28;

    /// <summary>What is wrong with a limit in W, and the remedy; null where nothing is.</summary>
    public static (string Says, string Remedy)? Wrong(double watts, Accelerator gpu)
    {
        if (gpu.Tdp is not { Value.Value: var tdp })
        {
            return (
                $"needs the thermal design power of {gpu.Key}, which the catalog lacks",
                "Add tdp_w in a catalog of your own (--catalog DIR)");
        }

        return watts < Least * tdp
            ? ($"is {watts:0.#} W, less than {gpu.Key} can be held to", $"Give at least {Least * tdp:0} W, {Least:P0} of its {tdp:0} W")
            : null;
    }
}
