using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Planning;
using TokenFactory.Planning.Deploy;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>An ask as read.</summary>
/// <param name="Ask">What is asked.</param>
/// <param name="Assumed">What was assumed where nobody said.</param>
/// <param name="Terms">Flags and file.</param>
/// <param name="Demand">The file of demand by the hour; null for none.</param>
internal sealed record PlanRequest(PlanAsk Ask, IReadOnlyList<string> Assumed, Terms Terms, string? Demand)
{
    /// <summary>What each service is sent, as the workload block of a scenario.</summary>
    public IReadOnlyDictionary<string, DocMap> Workloads { get; init; } = new Dictionary<string, DocMap>(StringComparer.Ordinal);

    /// <summary>Confidence with which promises must be kept, 0.5 to 0.99; null for that of the prediction at its word.</summary>
    public double? Confidence { get; init; }

    /// <summary>Prices of the user's by ways to pay that the plan may not use: a schedule over the year may.</summary>
    public IReadOnlyList<Supply> Beyond { get; init; } = [];
}

/// <summary>Reads an ask from YAML and flags; every mistake is noted with its line before anything is searched.</summary>
internal sealed class PlanInput(Terms terms, CatalogContents catalog, CalibrationInput calibration)
{
    private static readonly (string Word, PlanObjective Objective)[] Objectives =
        [("cost", PlanObjective.Cost), ("tokens-per-watt", PlanObjective.TokensPerWatt), ("profit", PlanObjective.Profit)];

    private readonly List<string> _assumed = [];

    /// <summary>The ask.</summary>
    /// <exception cref="Refusal">Something is wrong; all mistakes at once.</exception>
    public PlanRequest Read()
    {
        var file = terms.File;
        var objective = Objective();
        var reader = new PlanServices(terms, catalog, _assumed) { CountsWatts = objective == PlanObjective.TokensPerWatt };
        var services = reader.Read();
        var interruptible = services.SelectMany(service => service.Promises).Any(promise => promise.Interruptible);
        var market = new PlanSupplies(terms, catalog, calibration, _assumed);
        var supplies = market.Read(interruptible);
        var limits = Limits(file?.Item("limits"), out var pue);
        var (routing, router) = Router(file?.Item("policies"));
        var usual = new PlanAsk { Name = "", Services = [], Supplies = [] };
        var ask = new PlanAsk
        {
            Name = Name(file),
            Services = services,
            Supplies = supplies,
            Limits = limits,
            Objective = objective,
            Spare = Whole("spare_replicas", 0, 1000) ?? 0,
            Pue = pue,
            Router = router,
            Routing = routing,
            Seed = (ulong)(Whole("seed", 0, int.MaxValue) ?? 1),
            TwinRequests = Whole("verify_requests", 0, 1_000_000) ?? usual.TwinRequests,
            TwinSeconds = terms.Of("verify_requests") is null ? usual.TwinSeconds : 0,
            Finalists = Whole("finalists", 1, 100) ?? usual.Finalists,
        };
        if (ask.Objective == PlanObjective.Profit && limits.MostWatts is null && limits.Gpus is null)
            (terms.Of("objective") ?? terms.Flags).Note(
                "objective",
                "is profit without a limit on power or GPUs",
                "Give mw, or gpus under limits");
        var demand = Demand();
        var confidence = terms.Number("confidence", 50, 99)?.Value / 100;
        terms.Conclude();
        return new PlanRequest(ask, _assumed, terms, demand)
        {
            Workloads = reader.Workloads,
            Beyond = market.Beyond,
            Confidence = confidence,
        };
    }

    private static string Name(Settings? file)
    {
        var text = file is null ? "plan" : file.Text("name") ?? Path.GetFileNameWithoutExtension(file.Name);
        var plain = new string([.. text.ToLowerInvariant().Select(letter => char.IsAsciiLetterOrDigit(letter) ? letter : '-')]).Trim('-');
        return plain.Length > 0 ? plain : "plan";
    }

    private PlanLimits Limits(Settings? block, out Sourced<Pue>? pue)
    {
        var usd = Number("usd_per_month", double.Epsilon, 1e12);
        var power = Number("mw", double.Epsilon, 1e6) * 1e6;
        var grams = Number("carbon_g_per_kwh", 0, 1e5);
        var kilograms = Number("carbon_kg_per_month", double.Epsilon, 1e12);
        if (kilograms is not null && grams is null)
            Of("carbon_kg_per_month")!.Note("carbon_kg_per_month", "needs the carbon of a kWh", "Give carbon_g_per_kwh too");
        pue = Number("pue", 1, 10) is { } factor ? new Sourced<Pue>(new Pue(factor), terms.Said(Of("pue")!)) : null;
        return new PlanLimits
        {
            UsdPerMonth = usd,
            FacilityWatts = power,
            CarbonGramsPerKwh = grams,
            CarbonKgPerMonth = kilograms,
            Gpus = Of("gpus") is { } settings ? settings.Whole("gpus", 1) : null,
        };

        Settings? Of(string key) => terms.Of(key, block);

        double? Number(string key, double least, double most) => Of(key)?.Number(key, least, most);
    }

    /// <summary>A path in a file begins where the file lies; on the command line, where the user stands.</summary>
    private string? Demand()
    {
        if (terms.Of("demand") is not { } settings || settings.Text("demand") is not { } name)
            return null;
        var path = settings == terms.File && !Path.IsPathRooted(name)
            ? Path.Combine(Path.GetDirectoryName(settings.Name) ?? "", name)
            : name;
        if (!File.Exists(path))
            settings.Note("demand", $"is '{name}', which does not exist", "Name a CSV with a row for each hour");
        return path;
    }

    private PlanObjective Objective()
    {
        if (terms.Of("objective") is not { } settings || settings.Text("objective") is not { } text)
        {
            _assumed.Add("objective cost");
            return PlanObjective.Cost;
        }

        foreach (var (word, objective) in Objectives)
        {
            if (word == text)
                return objective;
        }

        settings.Note("objective", $"is '{text}'", $"Write one of {string.Join(", ", Objectives.Select(one => one.Word))}");
        return PlanObjective.Cost;
    }

    private int? Whole(string key, int least, int most)
    {
        if (terms.Of(key) is not { } settings || settings.Whole(key, least) is not { } number)
            return null;
        if (number <= most)
            return number;
        settings.Note(key, $"is {number:N0}", $"Give at most {most:N0}");
        return null;
    }

    private static (string Name, Func<IRouter>? Router) Router(Settings? policies) =>
        policies is null ? ("marginal-cost", null) : SimulateInput.Router(policies);
}
