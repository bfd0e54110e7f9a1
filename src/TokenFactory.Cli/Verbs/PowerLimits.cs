using TokenFactory.Catalog;
using TokenFactory.Performance;

namespace TokenFactory.Cli.Verbs;

/// <summary>Which power limits a GPU can keep.</summary>
internal static class PowerLimits
{
    /// <summary>What is wrong with a limit in W, and the remedy; null where nothing is.</summary>
    public static (string Says, string Remedy)? Wrong(double watts, Accelerator gpu)
    {
        if (gpu.Tdp is not { Value.Value: var tdp })
        {
            return (
                $"needs the thermal design power of {gpu.Key}, which the catalog lacks",
                "Add tdp_w in a catalog of your own (--catalog DIR)");
        }

        const double least = Deployment.LeastPowerCap;
        return watts < least * tdp
            ? ($"is {watts:0.#} W, less than {gpu.Key} can be held to", $"Give at least {least * tdp:0} W, {least:P0} of its {tdp:0} W")
            : null;
    }
}
