using TokenFactory.Catalog;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Cli.Input;

/// <summary>What calibration knows, as a run sees it.</summary>
/// <param name="Kernels">Constants of kernels.</param>
/// <param name="Set">Factors of the serving model.</param>
/// <param name="Source">What the factors were fitted to.</param>
/// <param name="Bands">How wrong predictions were on cells that the fit had not seen.</param>
internal sealed record CalibrationInput(KernelTable Kernels, CalibrationSet Set, Source? Source, IReadOnlyList<ErrorBand> Bands)
{
    /// <summary>The folder of a catalog layer that holds calibration.</summary>
    public const string Folder = "calibration";

    /// <summary>The files of that folder.</summary>
    public static IReadOnlyList<string> FileNames { get; } = ["kernels.csv", "collectives.csv", "serving.csv", "errors.csv"];

    /// <summary>Reads the tables; a layer's file replaces the same file of the layers before it.</summary>
    /// <param name="layers">Folders, the built-in catalog first.</param>
    /// <param name="accelerators">What the tables may name.</param>
    /// <param name="mistakes">Where mistakes go.</param>
    public static CalibrationInput Read(
        IReadOnlyList<string> layers, IReadOnlyList<Accelerator> accelerators, ICollection<Mistake> mistakes)
    {
        var texts = FileNames.ToDictionary(name => name, name => Text(layers, name), StringComparer.Ordinal);
        var kernels = KernelTable.Read(texts["kernels.csv"], texts["collectives.csv"], accelerators, mistakes);
        var (set, source) = CalibrationTables.Read(texts["serving.csv"], $"{Folder}/serving.csv", mistakes);
        var bands = CalibrationTables.ReadErrors(texts["errors.csv"], $"{Folder}/errors.csv", mistakes);
        return new CalibrationInput(kernels, set, source, bands);
    }

    private static string Text(IReadOnlyList<string> layers, string name) =>
        Files.Text(layers.Select(layer => Path.Combine(layer, Folder, name)).Last(File.Exists));
}
