using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>Who stands in for an accelerator that nobody measured.</summary>
internal static class Kinship
{
    /// <summary>
    /// The measured kin of an accelerator: itself; its architecture with its kind of memory; its vendor with its kind of memory; all with
    /// its kind of memory; all. In each circle the nearest in memory bandwidth comes first, then the first in the alphabet.
    /// </summary>
    public static IEnumerable<IReadOnlyList<Accelerator>> Circles(Accelerator gpu, IEnumerable<Accelerator> measured)
    {
        var all = measured
            .OrderBy(other => Math.Abs(Math.Log(Bandwidth(other) / Bandwidth(gpu))))
            .ThenBy(other => other.Key, StringComparer.Ordinal)
            .ToList();
        yield return [.. all.Where(other => other.Key == gpu.Key)];
        yield return [.. all.Where(other => Family(other) == Family(gpu) && IsStacked(other) == IsStacked(gpu))];
        yield return [.. all.Where(other => other.Vendor == gpu.Vendor && IsStacked(other) == IsStacked(gpu))];
        yield return [.. all.Where(other => IsStacked(other) == IsStacked(gpu))];
        yield return all;
    }

    /// <summary>Circles from which one is taken; of the wider ones the median is.</summary>
    public const int SingleCircles = 3;

    /// <summary>The generation without what it is paired with: "Blackwell" of "Blackwell Ultra+Grace".</summary>
    private static string Family(Accelerator gpu) => gpu.Vendor + " " + gpu.Architecture.Split('+', ' ')[0];

    /// <summary>Whether its memory is stacked (HBM) rather than on the board (GDDR, LPDDR).</summary>
    public static bool IsStacked(Accelerator gpu) =>
        gpu.MemoryType?.StartsWith("HBM", StringComparison.OrdinalIgnoreCase) ?? Bandwidth(gpu) > 1.9e12;

    private static double Bandwidth(Accelerator gpu) => gpu.MemoryBandwidth?.Value.Value ?? 1e12;
}
