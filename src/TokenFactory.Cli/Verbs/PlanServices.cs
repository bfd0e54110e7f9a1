using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Planning.Deploy;
using TokenFactory.Workload;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads what a plan serves: models, traffic and promises.</summary>
internal sealed class PlanServices(Terms terms, CatalogContents catalog, List<string> assumed)
{
    private const double MostSeconds = 1e9;
    private const int PlainRequests = 20_000;
    private const double PlainSeconds = 60;
    private const double PlainVariation = 0.7;
    private const string PlainClass = "default";

    private static readonly string[] PlainKeys =
        ["requests_per_second", "input_tokens", "output_tokens", "system_prompt_tokens", "length_cv"];
    private static readonly string[] PromiseKeys = ["ttft_s", "tpot_ms", "end_to_end_s", "deadline_s", "percentile"];

    /// <summary>Whether watts are what counts, so that lower clocks are worth a look.</summary>
    public bool CountsWatts { get; init; }

    /// <summary>What each service is sent, as the workload block of a scenario.</summary>
    public Dictionary<string, DocMap> Workloads { get; } = new(StringComparer.Ordinal);

    /// <summary>The services; every mistake is noted.</summary>
    public IReadOnlyList<PlanService> Read()
    {
        if (terms.File is not { } file || !file.Has("services"))
            return One("default", terms.File, true) is { } only ? [only] : [];
        Beside("services", ["model", .. PlainKeys, .. PromiseKeys]);
        var (services, names) = (new List<PlanService>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var item in file.Items("services"))
        {
            item.Require("name", "Name the service");
            var name = item.Text("name") ?? "";
            if (name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter != '-'))
                item.Note("name", $"is '{name}'", "Use letters, digits and hyphens: it names files too");
            if (!names.Add(name))
                item.Note("name", $"is '{name}' a second time", "Give every service its own");
            if (One(name, item, false) is not { } service)
                continue;
            foreach (var promise in service.Promises.SelectMany(promise => services.SelectMany(one => one.Promises)
                .Where(other => other.Class == promise.Class && other != promise).Select(_ => promise)))
            {
                var what = $"promise class '{promise.Class}' something else than a service before does";
                item.Note(item.Has("promises") ? "promises" : "name", what, "Give the class of each its own name");
            }

            services.Add(service);
        }

        return services;
    }

    /// <summary>Notes flags that a block of the file leaves without a meaning.</summary>
    private void Beside(string block, IEnumerable<string> keys)
    {
        foreach (var key in keys.Where(terms.Flags.Has))
            terms.Flags.Note(key, $"stands beside the file's {block}", "Change the file with --set");
    }

    private PlanService? One(string name, Settings? settings, bool alone)
    {
        var model = Model(settings, alone);
        var (traffic, classes) = Traffic(name, settings, alone);
        var promises = Promises(settings, alone, classes);
        var choices = settings?.Item("search") ?? (settings is null || settings == terms.File ? null : terms.File?.Item("search"));
        var space = new PlanSpace(terms, choices, assumed) { CountsWatts = CountsWatts }.Read(model);
        if (model is null || traffic is null)
            return null;
        if (PlanEmit.Workload(settings) is { } block)
            Workloads[name] = block;
        return new PlanService
        {
            Name = name,
            Model = model,
            Traffic = traffic,
            Promises = promises,
            Space = space,
            RejectsTooLong = settings?.Item("workload")?.Text(SimulateContext.Key) == "reject",
            Unlimited = settings is not null && SimulateInput.Truth(settings, "unlimited_demand"),
        };
    }

    private ModelShape? Model(Settings? settings, bool alone)
    {
        var from = alone ? terms.Of("model") : settings!.Has("model") ? settings : null;
        if (from is null)
        {
            (settings ?? terms.Flags).Require("model", "Name what is served; see 'catalog list models'");
            return null;
        }

        return from.Text("model") is { } text && Lookup.Model(from, "model", text, catalog) is { } key
            ? catalog.ModelNames.Find(key)
            : null;
    }

    /// <summary>A workload block, or a rate and two lengths.</summary>
    private (Func<ulong, ITraffic>? Traffic, IReadOnlyList<string> Classes) Traffic(string name, Settings? settings, bool alone)
    {
        if (settings?.Item("workload") is { } block)
        {
            if (alone)
                Beside("workload", PlainKeys);
            block.Has(SimulateContext.Key);
            return WorkloadInput.Read(block) is { } read
                ? (read.Traffic, [.. read.Classes.Select(one => one.Name)])
                : (null, []);
        }

        if (settings?.Has("workload") == true)
            return (null, []);
        var (rate, input, output) = (Plain("requests_per_second"), Plain("input_tokens"), Plain("output_tokens"));
        var shared = Number("system_prompt_tokens", 0, DeploymentInput.MostTokens) ?? 0;
        var variation = Number("length_cv", 0, 5) ?? PlainVariation;
        if (Of("length_cv") is null)
            assumed.Add($"length_cv {PlainVariation}: how much lengths vary");
        if (rate is not { } perSecond || input is not { } prompt || output is not { } answer)
            return (null, []);
        var kind = alone ? PlainClass : name;
        var plan = new OpenPlan
        {
            Name = WorkloadStreams.Name(kind, PlainClass),
            Class = kind,
            Arrivals = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = perSecond }),
            Lengths = new PairedLengths(Around(prompt), Around(answer)),
            Requests = (long)Math.Clamp(perSecond * PlainSeconds, PlainRequests, PlanAsk.MostTwinRequests),
            SystemPromptTokens = (int)shared,
        };
        Workloads[name] = Block(kind, perSecond, prompt, answer, variation, (int)shared);
        return (plan.Traffic, [kind]);

        double? Plain(string key)
        {
            if (Of(key) is { } from)
                return from.Number(key, double.Epsilon, DeploymentInput.MostTokens);
            (settings ?? terms.Flags).Require(key, "Give requests_per_second, input_tokens and output_tokens, or a workload");
            return null;
        }

        double? Number(string key, double least, double most) => Of(key)?.Number(key, least, most);

        Settings? Of(string key) => alone ? terms.Of(key) : settings!.Has(key) ? settings : null;

        TokenFactory.Workload.Spread Around(double mean) => variation > 0 ? Lognormal.OfMean(mean, variation, 1) : new Constant(mean);
    }

    private static DocMap Block(string kind, double perSecond, double prompt, double answer, double variation, int shared)
    {
        return new DocMap
        {
            { "requests", PlainRequests },
            {
                "streams", new DocList
                {
                    new DocMap
                    {
                        { "class", kind },
                        { "requests_per_second", perSecond },
                        { "input_tokens", Around(prompt) },
                        { "output_tokens", Around(answer) },
                        { "system_prompt_tokens", shared },
                    },
                }
            },
        };

        Doc Around(double mean) => variation > 0
            ? new DocMap { { "lognormal", new DocMap { { "mean", mean }, { "cv", variation } } } }
            : mean;
    }

    /// <summary>A list of promises by class, or flat keys where there is one class.</summary>
    private List<Promise> Promises(Settings? settings, bool alone, IReadOnlyList<string> classes)
    {
        if (settings?.IsList("promises") == true)
        {
            if (alone)
                Beside("promises", PromiseKeys);
            var promises = settings.Items("promises").Select(item => Named(item, classes)).ToList();
            foreach (var twice in promises.GroupBy(one => one.Class, StringComparer.Ordinal).Where(same => same.Count() > 1))
                settings.Note("promises", $"name class '{twice.Key}' twice", "Put them together");
            return [.. promises, .. classes.Where(name => !promises.Exists(one => one.Class == name)).Select(name => new Promise(name))];
        }

        if (settings?.Has("promises") == true)
            settings.Items("promises");
        var flat = Flat(key => alone ? terms.Of(key) : settings!.Has(key) ? settings : null, classes.Count == 1 ? classes[0] : "");
        if (flat is { } promise && classes.Count > 1 && (promise.Targets.Any || promise.DeadlineSeconds is not null))
            (settings ?? terms.Flags).Note(
                "promises",
                $"are missing, and the workload has classes {string.Join(", ", classes)}",
                "Give promises by class");
        return [.. classes.Select(name => flat with { Class = name })];
    }

    private static Promise Named(Settings item, IReadOnlyList<string> classes)
    {
        item.Require("class", "Name the class as the workload does");
        var name = item.Text("class") ?? "";
        if (name.Length > 0 && classes.Count > 0 && !classes.Contains(name))
            item.Note(
                "class",
                $"is '{name}', and no stream of the workload sends that class",
                $"The workload sends {string.Join(", ", classes)}");
        return Flat(key => item.Has(key) ? item : null, name);
    }

    private static Promise Flat(Func<string, Settings?> of, string name)
    {
        var usual = Percentile(of, "percentile") ?? LatencyTargets.None.TtftShare;
        return new Promise(name)
        {
            Targets = new LatencyTargets
            {
                Ttft = of("ttft_s")?.Number("ttft_s", double.Epsilon, MostSeconds),
                TtftShare = Percentile(of, "ttft_percentile") ?? usual,
                Tpot = of("tpot_ms")?.Number("tpot_ms", double.Epsilon, MostSeconds) / 1e3,
                TpotShare = Percentile(of, "tpot_percentile") ?? usual,
                EndToEnd = of("end_to_end_s")?.Number("end_to_end_s", double.Epsilon, MostSeconds),
                EndToEndShare = Percentile(of, "end_to_end_percentile") ?? usual,
            },
            DeadlineSeconds = of("deadline_s")?.Number("deadline_s", double.Epsilon, MostSeconds),
            UsdPerMillionOutput = of("usd_per_million_output")?.Number("usd_per_million_output", 0),
            UsdPerMillionInput = of("usd_per_million_input")?.Number("usd_per_million_input", 0),
        };
    }

    private static double? Percentile(Func<string, Settings?> of, string key)
    {
        if (of(key) is not { } settings || settings.Number(key, 1, 100) is not { } number)
            return null;
        if (Percentiles.Known.Any(share => Math.Abs((share * 100) - number) < 1e-9))
            return number / 100;
        settings.Note(key, $"is {number}", "Write 50, 90, 95 or 99");
        return null;
    }
}
