using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Cli.Verbs;

/// <summary>calibrate --kernels: constants of operators and collectives from measured kernel times.</summary>
internal sealed class CalibrateKernels
{
    private static readonly string[] Names = ["gemm.csv", "attention.csv", "mla.csv", "moe.csv", "comm.csv", "deepep_alltoall.csv"];

    /// <summary>Names of GPUs in ai-dynamo/aiconfigurator's collections that the catalog does not know them by.</summary>
    private static readonly Dictionary<string, string> OtherNames = new(StringComparer.Ordinal)
    {
        ["RTX PRO 6000 Server"] = "rtx-pro-6000",
    };

    /// <summary>What "aic:" stands for in a row's source, and the month of that commit.</summary>
    private const string Aiconfigurator = "ai-dynamo/aiconfigurator@095f58a51c4c";
    private const string AiconfiguratorMonth = "2026-09";

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _paths = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, Accelerator> _gpus;
    private readonly CatalogContents _catalog;
    private readonly string? _source;
    private readonly SourceDate _month;

    private CalibrateKernels(CatalogContents catalog, string? source, DateOnly today)
    {
        (_catalog, _source) = (catalog, source);
        _month = SourceDate.Parse(today.ToString("yyyy-MM", CultureInfo.InvariantCulture))!;
        _gpus = catalog.Accelerators.ToDictionary(gpu => gpu.Key, StringComparer.Ordinal);
    }

    private IReadOnlyList<FittedKernel> Kernels { get; set; } = [];

    private IReadOnlyList<FittedCollective> Collectives { get; set; } = [];

    /// <summary>Reads and fits a folder.</summary>
    /// <exception cref="Refusal">The folder or a table is wrong; all mistakes at once.</exception>
    public static CalibrateKernels Of(string folder, CatalogContents catalog, string? source, DateOnly today)
    {
        var run = new CalibrateKernels(catalog, source, today);
        run.Read(folder);
        run.Fit();
        return run;
    }

    /// <summary>The two tables.</summary>
    public IReadOnlyList<(string Name, string Text)> Tables() =>
    [
        ("kernels.csv", CalibrationWriter.Kernels(Kernels)),
        ("collectives.csv", CalibrationWriter.Collectives(Collectives, PublishedDispatch.Rows(From))),
    ];

    /// <summary>The report.</summary>
    public Report Report(IReadOnlyList<string> written)
    {
        var operators = Kernels.Select(fitted => (
            Operator: KernelRow.Operators[(int)fitted.Row.Operator],
            fitted.Row.Gpu,
            fitted.Row.Precision,
            fitted.Samples,
            fitted.MedianError,
            fitted.HighError));
        var collectives = Collectives.Select(fitted => (
            Operator: CollectiveRow.Operators[(int)fitted.Row.Operator],
            fitted.Row.Gpu,
            Precision: $"{fitted.Row.Ranks} ranks",
            fitted.Samples,
            fitted.MedianError,
            fitted.HighError));
        var done = written.Count == 0 ? "Nothing was written: name a folder with --out." : $"Written: {string.Join(", ", written)}.";
        var section = new Section(
            "kernels", "",
            [
                new Column("operator", "operator", Number: false),
                new Column("gpu", "GPU", Number: false),
                new Column("of", "precision or ranks", Number: false),
                new Column("samples", "shapes", 1),
                new Column("median_error", "median error"),
                new Column("p90_error", "90th percentile"),
            ],
            [
                .. operators.Concat(collectives).Select(row => (IReadOnlyList<Cell>)
                [
                    Cell.Of(row.Operator),
                    Cell.Of(row.Gpu),
                    Cell.Of(row.Precision),
                    AccuracyTables.Count(row.Samples),
                    AccuracyTables.Share(row.MedianError),
                    AccuracyTables.Share(row.HighError),
                ]),
            ],
            2);
        return new Report(
            "calibrate --kernels",
            [
                $"{Kernels.Count} operators and {Collectives.Count} collectives of "
                + $"{Kernels.Select(fitted => fitted.Row.Gpu).Distinct(StringComparer.Ordinal).Count()} "
                + "GPUs fitted, by GPU and precision or number of ranks.",
                done,
            ],
            [section],
            [
                "Errors are those of the fit on the shapes that it saw; at each shape the fastest kernel counts.",
                $"Dispatch across nodes is not measured: {PublishedDispatch.Rows(From).Count} estimated rows of aiconfigurator's fits "
                + $"follow in collectives.csv.",
            ]);
    }

    private void Read(string folder)
    {
        var mistakes = new List<Mistake>();
        var remedy = $"Name a folder with {string.Join(", ", Names)}";
        if (!Directory.Exists(folder))
            throw new Refusal("command line", $"--kernels is '{folder}', which is no folder", remedy);
        foreach (var name in Names)
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path))
                _texts[name] = Files.Text(path);
            else
                mistakes.Add(new Mistake(path, "does not exist", "Put it there, with the columns of aiconfigurator's collections"));
        }

        Refusal.IfAny(mistakes);
        foreach (var text in _texts.Values)
            Sources(text);
    }

    private void Fit()
    {
        var mistakes = new List<Mistake>();
        var reader = new KernelSampleReader(name => Find(name)?.Key, _gpus, mistakes);
        var gemms = reader.Gemms(_texts["gemm.csv"]);
        IReadOnlyList<AttentionSample> attentions = [.. reader.Attentions(_texts["attention.csv"]), .. reader.Latents(_texts["mla.csv"])];
        var experts = reader.Experts(_texts["moe.csv"]);
        IReadOnlyList<CollectiveSample> collectives =
            [.. reader.Collectives(_texts["comm.csv"]), .. reader.Dispatches(_texts["deepep_alltoall.csv"])];
        Refusal.IfAny(mistakes);
        Kernels = KernelFit.Fit(gemms, attentions, experts, _gpus, From);
        Collectives = CollectiveFit.Fit(collectives, _gpus, From);
    }

    private Accelerator? Find(string name) => _catalog.AcceleratorNames.Find(OtherNames.GetValueOrDefault(name, name));

    /// <summary>Who measured on a GPU: what the user says, else what the rows say of their source.</summary>
    private Source From(string gpu)
    {
        if (_source is not null)
            return new Source(SourceKind.Measured, _source, _month);
        var path = _paths.GetValueOrDefault(gpu, "kernel measurements");
        return path.StartsWith(Aiconfigurator, StringComparison.Ordinal)
            ? new Source(SourceKind.Measured, path, SourceDate.Parse(AiconfiguratorMonth)!)
            : new Source(SourceKind.Measured, path, _month);
    }

    /// <summary>"aic:h100_sxm/gemm/vllm/..." names the folder h100_sxm of the repository.</summary>
    private void Sources(string text)
    {
        var header = text.Split('\n', 2)[0].TrimEnd('\r').Split(',').Select(name => name.Trim()).ToList();
        if (!header.Contains("gpu") || !header.Contains("source"))
            return;
        foreach (var row in CsvTable.Read(text, "", ["gpu", "source"], header, []))
        {
            if (Find(row["gpu"]) is { } gpu && row["source"].Length > 0)
                _paths.TryAdd(gpu.Key, row["source"].Split('/')[0].Replace("aic:", Aiconfigurator + ":", StringComparison.Ordinal));
        }
    }
}
