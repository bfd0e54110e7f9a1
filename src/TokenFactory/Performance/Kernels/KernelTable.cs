using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>
/// The measured constants of operators and collectives. <see cref="For"/> resolves them for any accelerator: constants are shares of the
/// data sheet, so that one never measured takes the shares of its nearest kin.
/// </summary>
public sealed class KernelTable
{
    private readonly IReadOnlyDictionary<string, Accelerator> _gpus;

    private KernelTable(
        IReadOnlyList<KernelRow> kernels, IReadOnlyList<CollectiveRow> collectives, IReadOnlyDictionary<string, Accelerator> gpus) =>
        (Kernels, Collectives, _gpus) = (kernels, collectives, gpus);

    /// <summary>The rows of kernels.csv.</summary>
    public IReadOnlyList<KernelRow> Kernels { get; }

    /// <summary>The rows of collectives.csv.</summary>
    public IReadOnlyList<CollectiveRow> Collectives { get; }

    /// <summary>Reads both tables; mistakes are noted and their rows left out.</summary>
    /// <param name="kernelsCsv">Text of catalog/calibration/kernels.csv.</param>
    /// <param name="collectivesCsv">Text of catalog/calibration/collectives.csv.</param>
    /// <param name="accelerators">The accelerators that the rows speak of.</param>
    /// <param name="mistakes">Where mistakes go.</param>
    public static KernelTable Read(
        string kernelsCsv, string collectivesCsv, IReadOnlyList<Accelerator> accelerators, ICollection<Mistake> mistakes)
    {
        var gpus = accelerators.ToDictionary(gpu => gpu.Key, StringComparer.Ordinal);
        var keys = gpus.Keys.ToHashSet(StringComparer.Ordinal);
        var kernels = KernelRow.Read(kernelsCsv, "calibration/kernels.csv", keys, mistakes);
        var collectives = CollectiveRow.Read(collectivesCsv, "calibration/collectives.csv", keys, mistakes);
        var named = kernels.Select(row => $"{KernelRow.Operators[(int)row.Operator]} {row.Gpu} {row.Precision}");
        RefuseTwice(named, "calibration/kernels.csv", mistakes);
        named = collectives.Select(row => $"{CollectiveRow.Operators[(int)row.Operator]} {row.Gpu} {row.Ranks} ranks");
        RefuseTwice(named, "calibration/collectives.csv", mistakes);
        return new KernelTable(kernels, collectives, gpus);
    }

    /// <summary>A table of rows in hand, for fits.</summary>
    public static KernelTable Of(
        IReadOnlyList<KernelRow> kernels, IReadOnlyList<CollectiveRow> collectives, IReadOnlyList<Accelerator> accelerators) =>
        new(kernels, collectives, accelerators.ToDictionary(gpu => gpu.Key, StringComparer.Ordinal));

    /// <summary>
    /// The constants of one accelerator. What was not measured on it comes from, in this order: the same architecture and memory type, the
    /// same vendor and memory type (the nearest in memory bandwidth for both), the median of all with that memory type, the median of all.
    /// </summary>
    /// <returns>
    /// Null where the data sheet names no memory bandwidth or no arithmetic rate, or where the tables hold no row that could stand in.
    /// </returns>
    public KernelSet? For(Accelerator gpu)
    {
        var resolver = new KernelResolver(this, _gpus, gpu);
        return resolver.CanResolve ? new KernelSet(gpu, resolver) : null;
    }

    private static void RefuseTwice(IEnumerable<string> keys, string where, ICollection<Mistake> mistakes)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in keys.Where(key => !seen.Add(key)))
            mistakes.Add(new Mistake(where, $"'{key}' stands twice", "Keep one row of each"));
    }
}
