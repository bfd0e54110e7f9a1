using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>Who stands in for an accelerator that nobody measured.</summary>
internal static class Kinship
{
    /// <summary>
    /// The nearest measured kin: itself, its architecture with its kind of memory, its vendor with its kind of memory. The nearest in memory
    /// bandwidth is chosen among several, then the first in the alphabet.
    /// </summary>
    /// <returns>The circle of kin, nearest first: each a list of accelerators in order of preference.</returns>
    public static IEnumerable<IReadOnlyList<Accelerator>> Circles(Accelerator gpu, IEnumerable<Accelerator> measured)
    {
        var all = measured
            .OrderBy(other => Math.Abs(Math.Log(Bandwidth(other) / Bandwidth(gpu))))
            .ThenBy(other => other.Key, StringComparer.Ordinal)
            .ToList();
        yield return [.. all.Where(other => other.Key == gpu.Key)];
        yield return [.. all.Where(other => Family(other) == Family(gpu) && Stacked(other) == Stacked(gpu))];
        yield return [.. all.Where(other => other.Vendor == gpu.Vendor && Stacked(other) == Stacked(gpu))];
        yield return [.. all.Where(other => Stacked(other) == Stacked(gpu))];
        yield return all;
    }

    /// <summary>Circles from which one is taken; of the wider ones the median is.</summary>
    public const int SingleCircles = 3;

    /// <summary>The generation without what it is paired with: "Blackwell" of "Blackwell Ultra+Grace".</summary>
    private static string Family(Accelerator gpu) => gpu.Vendor + " " + gpu.Architecture.Split('+', ' ')[0];

    /// <summary>Whether its memory is stacked (HBM) rather than on the board (GDDR, LPDDR).</summary>
    private static bool Stacked(Accelerator gpu) =>
        gpu.MemoryType?.StartsWith("HBM", StringComparison.OrdinalIgnoreCase) ?? Bandwidth(gpu) > 1.9e12;

    private static double Bandwidth(Accelerator gpu) => gpu.MemoryBandwidth?.Value.Value ?? 1e12;
}
