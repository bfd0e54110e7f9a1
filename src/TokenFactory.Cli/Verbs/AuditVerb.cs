using System.CommandLine;
using System.Diagnostics;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance;
using TokenFactory.Planning.Audit;

namespace TokenFactory.Cli.Verbs;

/// <summary>audit: what each lever would save on a fleet as it runs, alone and together.</summary>
internal static class AuditVerb
{
    /// <summary>The command.</summary>
    public static Command Command(Terminal terminal)
    {
        var command = new Command(
            "audit", "What each lever of a running fleet would save at its promises, on its own traffic, alone and together.");
        var file = new Argument<string>("FILE.yaml") { Description = "A scenario as for simulate: the fleet as it runs today." };
        var trace = Option("--trace", "TRACE", "Sends this recorded trace instead of the file's workload.");
        var seed = Option("--seed", "N", "What chance follows from. Default: the file's, else 1.");
        var seeds = Option("--seeds", "N", "How many seeds the answer is held against. Default: the file's, else 3.");
        var requests = Option("--requests", "N", "Most requests on which levers are judged, the busiest. Default: the file's, else 8000.");
        var html = Option("--html", "FILE.html", "Writes a page with a bar per lever.");
        var set = new Option<string[]>("--set")
        {
            HelpName = "KEY=VALUE",
            Description = "Sets a key of the file: pools.0.replicas=4, audit.four_bits=true. May be repeated.",
            Arity = ArgumentArity.OneOrMore,
        };
        command.Arguments.Add(file);
        foreach (var option in (Option[])[trace, seed, seeds, requests, html, set])
            command.Options.Add(option);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal, "points", "api-prices", "tiers", "engines");
            var calibration = common.Calibration(parsed, terminal, catalog);
            var numbers = new AuditFlags(
                SimulateVerb.Whole("--seed", parsed.GetValue(seed), 0),
                (int?)SimulateVerb.Whole("--seeds", parsed.GetValue(seeds), 1),
                (int?)SimulateVerb.Whole("--requests", parsed.GetValue(requests), 100));
            var changes = SimulateChanges.Read(parsed.GetValue(set) ?? [], parsed.GetValue(trace));
            var settings = Settings.OfFile(parsed.GetValue(file)!, changes);
            var input = AuditInput.Read(settings, catalog);
            var scenario = new SimulateInput(settings, catalog, calibration, common.Today(parsed, terminal)).Read();
            var asked = Asked(scenario, input, numbers, catalog, calibration, common.Today(parsed, terminal));
            using var page = new AuditFile(parsed.GetValue(html), settings.Name, parsed.GetValue(trace));
            var result = Run(terminal, scenario, asked);
            var report = AuditReport.Of(result, scenario);
            page.Keep(() => AuditPage.Of(scenario.Plan.Name, result, report));
            App.Print(report, terminal, common, parsed);
            return result.Today.Count > 0 && result.Today[0].OutputTokensPerSecond > 0 ? App.Done : App.AnswerIsNo;
        });
        return command;
    }

    private static Option<string?> Option(string name, string value, string what) => new(name) { HelpName = value, Description = what };

    private static AuditAsked Asked(
        SimulateScenario scenario,
        AuditInput input,
        AuditFlags flags,
        CatalogContents catalog,
        CalibrationInput calibration,
        DateOnly today)
    {
        var given = $"given in {scenario.File.WhereIs(AuditInput.Key)}";
        var said = Provenance.Of(new Source(SourceKind.Estimated, given, SourceDate.On(today)));
        var prices = new AuditPrices(catalog, scenario.Prices, input, said);
        var models = new Dictionary<(Deployment, bool), ReplicaModel?>();
        var first = flags.Seed ?? scenario.Seed;
        return new AuditAsked
        {
            Models = Model,
            Prices = prices.Of,
            Routers = scenario.Routers,
            Seeds = [.. Enumerable.Range(0, flags.Seeds ?? input.Seeds ?? AuditAsked.UsualSeeds).Select(i => first + (ulong)i)],
            Requests = flags.Requests ?? input.Requests ?? AuditAsked.UsualRequests,
            CheckRequests = input.CheckRequests ?? AuditAsked.UsualCheckRequests,
            KeptShare = input.Kept ?? AuditAsked.UsualKeptShare,
            Spare = input.Spare,
            Acceptance = input.Acceptance ?? Performance.Measured.PointInterpreter.DefaultAcceptance,
            HostBytesPerGpu = input.HostGigabytesPerGpu * 1e9 ?? AuditAsked.UsualHostBytesPerGpu,
            FourBits = input.FourBits,
            ThreeYears = input.ThreeYears,
            Spot = input.Spot ?? SpotTerms.Usual,
            LeftOut = input.LeftOut,
            Gpus = input.Gpus,
            GpuPrices = (gpu, billing) =>
                BillingNames.Parse(billing) is { } known ? catalog.Cheapest(gpu, known)?.PerGpu.Value.Value : null,
        };

        ReplicaModel? Model(Deployment deployment, bool split)
        {
            if (!models.TryGetValue((deployment, split), out var model))
            {
                model = calibration.Kernels.For(deployment.Gpu) is { } kernels
                    ? new ReplicaModel(deployment, kernels, calibration.Set, split)
                    : null;
                models.Add((deployment, split), model);
            }

            return model;
        }
    }

    private static AuditResult Run(Terminal terminal, SimulateScenario scenario, AuditAsked asked)
    {
        var watch = Stopwatch.StartNew();
        var next = 1.0;
        var result = Auditor.Run(new AuditedFleet(scenario.Plan, scenario.Orders), asked, Told);
        terminal.Err.WriteLine($"{result.Runs:N0} runs of the twin, {result.Requests:N0} requests in {watch.Elapsed.TotalSeconds:0.00} s");
        return result;

        bool Told(AuditProgress now)
        {
            if (watch.Elapsed.TotalSeconds >= next)
            {
                next = watch.Elapsed.TotalSeconds + 1;
                terminal.Err.WriteLine($"{scenario.Plan.Name}: {now.What}, {now.Runs:N0} runs, {now.Requests:N0} requests");
            }

            return !terminal.Stopped();
        }
    }
}

/// <summary>Numbers that flags give.</summary>
/// <param name="Seed">The first seed.</param>
/// <param name="Seeds">How many.</param>
/// <param name="Requests">Most requests on which levers are judged.</param>
internal readonly record struct AuditFlags(ulong? Seed, int? Seeds, int? Requests);

/// <summary>The page that is asked for: opened before the audit, in its place only when it is whole.</summary>
internal sealed class AuditFile : IDisposable
{
    private readonly StagedFile? _page;

    /// <summary>Opens it.</summary>
    /// <param name="path">Where it goes; null for nowhere.</param>
    /// <param name="read">Files that are read, which it may not replace; null for none.</param>
    /// <exception cref="Refusal">It cannot be written.</exception>
    public AuditFile(string? path, params IEnumerable<string?> read)
    {
        FilePlaces.Apart(read, ("--html", path));
        _page = path is null ? null : StagedFile.Open(path, "--html");
    }

    /// <summary>Writes it, where it is asked for.</summary>
    public void Keep(Func<string> page)
    {
        _page?.Writer.Write(page());
        _page?.Keep();
    }

    /// <inheritdoc/>
    public void Dispose() => _page?.Dispose();
}
