using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Tests.Performance.Kernels;

/// <summary>The tables as they are shipped, read once.</summary>
internal static class ShippedTables
{
    public static IReadOnlyDictionary<string, Accelerator> Accelerators { get; } = ReadAccelerators();

    public static KernelTable Table { get; } = ReadTable();

    public static KernelSet Set(string gpu) => Table.For(Accelerators[gpu]) ?? throw new InvalidOperationException(gpu);

    private static Dictionary<string, Accelerator> ReadAccelerators()
    {
        var mistakes = new List<Mistake>();
        var read = Directory.GetFiles(Repository.Path("catalog", "accelerators"), "*.json")
            .Select(file => EntryReader.Open(new CatalogFile(Path.GetFileName(file), File.ReadAllText(file)), mistakes)!)
            .Select(AcceleratorReader.Read)
            .ToDictionary(gpu => gpu.Key, StringComparer.Ordinal);
        Assert.Empty(mistakes);
        return read;
    }

    private static KernelTable ReadTable()
    {
        var mistakes = new List<Mistake>();
        var table = KernelTable.Read(
            Repository.Text("catalog", "calibration", "kernels.csv"),
            Repository.Text("catalog", "calibration", "collectives.csv"),
            [.. Accelerators.Values],
            mistakes);
        Assert.Empty(mistakes);
        return table;
    }
}
