using TokenFactory.Cli.Input;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads one stream of a workload, whichever of its four kinds its keys make it.</summary>
/// <param name="folder">Where paths in the settings begin.</param>
internal sealed class WorkloadStreams(string folder)
{
    private const double MostPerSecond = 1e7;
    private const double MostSeconds = 1e9;
    private const double MostFactor = 1e6;
    private const int MostTokens = 10_000_000;
    private const int MostClients = 10_000_000;

    private static readonly Dictionary<string, ArrivalKind> Kinds = new(StringComparer.Ordinal)
    {
        ["poisson"] = ArrivalKind.Poisson,
        ["gamma"] = ArrivalKind.Gamma,
        ["weibull"] = ArrivalKind.Weibull,
        ["constant"] = ArrivalKind.Constant,
        ["at-once"] = ArrivalKind.AtOnce,
    };

    private static readonly string[] SessionKeys = ["sessions_per_second", "turns", "turns_mean", "sessions"];

    private readonly WorkloadSpreads _spreads = new(folder);
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);

    /// <summary>The stream; null after noting every mistake.</summary>
    /// <param name="settings">Its keys.</param>
    /// <param name="counted">Whether the workload ends after a number of requests.</param>
    /// <param name="timed">Whether the workload ends at a time.</param>
    public StreamPlan? Read(Settings settings, bool counted, bool timed)
    {
        var before = settings.Mistakes.Count;
        var plan = settings.Has("trace") ? Trace(settings) : Common(Made(settings), settings);
        if (plan is not null && !counted && !Ends(plan))
        {
            if (!timed)
                settings.Mistakes.Add(new(settings.Where, "this stream never ends", "Give the workload requests or duration_s"));
            else if (AllAtOnce(plan))
                settings.Note("arrivals", "is at-once without a number", "Give requests (of sessions: sessions)");
        }

        return settings.Mistakes.Count == before ? plan : null;
    }

    private StreamPlan? Made(Settings settings) =>
        settings.Has("clients") ? Closed(settings)
        : Array.Exists(SessionKeys, settings.Has) ? Sessions(settings)
        : Open(settings);

    /// <summary>Whether a stream ends by itself.</summary>
    private static bool Ends(StreamPlan plan) => plan switch
    {
        OpenPlan open => open.Requests is not null,
        SessionPlan sessions => sessions.Sessions is not null,
        ClosedPlan closed => closed.Requests is not null || closed.RequestsPerClient is not null,
        _ => true,
    };

    private static bool AllAtOnce(StreamPlan plan) =>
        ((plan as OpenPlan)?.Arrivals ?? (plan as SessionPlan)?.Arrivals)?.Kind == ArrivalKind.AtOnce;

    private OpenPlan? Open(Settings settings)
    {
        var arrivals = Arrivals(settings, "requests_per_second");
        var lengths = _spreads.Lengths(settings, "input_tokens");
        var requests = settings.Whole("requests", 1);
        return arrivals is null || lengths is null ? null : new OpenPlan
        {
            Name = Named(settings),
            Arrivals = arrivals,
            Lengths = lengths,
            Requests = requests,
        };
    }

    private ClosedPlan? Closed(Settings settings)
    {
        var clients = settings.Whole("clients", 1);
        if (clients > MostClients)
            settings.Note("clients", $"is {clients}", $"Give at most {MostClients:N0}");
        settings.Exclude("requests", "requests_per_client", "Give one of the two");
        var (all, each) = (settings.Whole("requests", 1), settings.Whole("requests_per_client", 1));
        var ramp = settings.Number("ramp_s", 0, MostSeconds) ?? 0;
        var think = _spreads.Seconds(settings, "think_s") ?? new Constant(0);
        var lengths = _spreads.Lengths(settings, "input_tokens");
        return clients is null || lengths is null ? null : new ClosedPlan
        {
            Name = Named(settings),
            Clients = clients.Value,
            Lengths = lengths,
            Think = think,
            Requests = all,
            RequestsPerClient = each,
            RampSeconds = ramp,
        };
    }

    private SessionPlan? Sessions(Settings settings)
    {
        var arrivals = Arrivals(settings, "sessions_per_second");
        var turns = _spreads.Turns(settings);
        var first = _spreads.Tokens(settings, "first_tokens");
        var lengths = _spreads.Lengths(settings, "user_tokens");
        var think = _spreads.Seconds(settings, "think_s") ?? new Constant(0);
        var least = Tokens(settings, "system_prompt_tokens", 0) + 2;
        var limit = settings.Number("max_context_tokens", least, MostTokens);
        var sessions = settings.Whole("sessions", 1);
        return arrivals is null || turns is null || lengths is null ? null : new SessionPlan
        {
            Name = Named(settings),
            Arrivals = arrivals,
            Turns = turns,
            FirstTokens = first,
            Lengths = lengths,
            Think = think,
            MaxContextTokens = (int)(limit ?? MostTokens),
            Sessions = sessions,
        };
    }

    private TracePlan? Trace(Settings settings)
    {
        var (name, most) = (Named(settings), Tokens(settings, "max_tokens", 1));
        if (settings.Text("trace") is not { } path || WorkloadTrace.Read(settings, Path.Combine(folder, path)) is not { } trace)
            return null;
        return new TracePlan { Name = name, MaxTokens = most, Lines = trace.Lines, Contents = trace.Contents, Options = trace.Options };
    }

    /// <summary>What streams that are made have in common; their keys are read even where the stream is wrong.</summary>
    private static StreamPlan? Common(StreamPlan? plan, Settings settings)
    {
        var (kind, tenant) = (settings.Text("class") ?? "default", settings.Text("tenant") ?? "default");
        var (prompt, tokens) = (settings.Text("system_prompt"), Tokens(settings, "system_prompt_tokens", 0));
        var most = Tokens(settings, "max_tokens", 1);
        if (prompt is not null)
            settings.Require("system_prompt_tokens", "Say how long the system prompt is");
        return plan is null
            ? null
            : plan with { Class = kind, Tenant = tenant, SystemPrompt = prompt, SystemPromptTokens = tokens, MaxTokens = most };
    }

    private static int Tokens(Settings settings, string key, int least)
    {
        var tokens = settings.Whole(key, least) ?? 0;
        if (tokens > MostTokens)
            settings.Note(key, $"is {tokens}", $"Give at most {MostTokens:N0} tokens");
        return Math.Min(tokens, MostTokens);
    }

    /// <summary>The name of the first stream of a class and a tenant: random numbers follow from it.</summary>
    public static string Name(string kind, string tenant) => $"{kind} of {tenant}";

    /// <summary>A name that no other stream has.</summary>
    private string Named(Settings settings)
    {
        var name = Name(settings.Text("class") ?? "default", settings.Text("tenant") ?? "default");
        var count = _names[name] = _names.GetValueOrDefault(name) + 1;
        return count == 1 ? name : $"{name} {count}";
    }

    private static ArrivalPlan? Arrivals(Settings settings, string rateKey)
    {
        var word = settings.Text("arrivals") ?? (settings.Has("arrival_cv") ? "gamma" : "poisson");
        if (!Kinds.TryGetValue(word, out var kind))
        {
            settings.Note("arrivals", $"is '{word}'", $"Write {string.Join(", ", Kinds.Keys)}");
            kind = ArrivalKind.Poisson;
        }

        var varies = kind is ArrivalKind.Gamma or ArrivalKind.Weibull;
        var least = kind == ArrivalKind.Weibull ? ArrivalPlan.LeastWeibullCv : 0;
        var cv = settings.Number("arrival_cv", least, ArrivalPlan.MostCv);
        if (settings.Has("arrival_cv") && !varies && settings.Has("arrivals"))
            settings.Note("arrival_cv", $"means nothing with arrivals {word}", "Write arrivals: gamma, or leave it out");
        if (kind == ArrivalKind.AtOnce)
            return new ArrivalPlan(kind, new RateCurve { PerSecond = 1 });
        settings.Require(rateKey, "Give how many begin per second");
        var rate = settings.Number(rateKey, double.Epsilon, MostPerSecond);
        var (daily, steps, bursts) = (Daily(settings), Steps(settings), Bursts(settings));
        var curve = new RateCurve { PerSecond = rate ?? 1, Daily = daily, Steps = steps, Bursts = bursts };
        return rate is null ? null : new ArrivalPlan(kind, curve, cv ?? 1);
    }

    private static Diurnal? Daily(Settings settings)
    {
        if (settings.Item("diurnal") is not { } daily)
            return null;
        daily.Require("peak_to_trough", "Give the highest rate over the lowest");
        var ratio = daily.Number("peak_to_trough", 1, 1e3);
        var period = daily.Number("period_s", 1, MostSeconds) ?? 86_400;
        var phase = daily.Number("phase_s", -MostSeconds, MostSeconds) ?? 0;
        return ratio is { } peak ? new Diurnal(peak, period, phase) : null;
    }

    private static List<RateStep> Steps(Settings settings)
    {
        var steps = new List<RateStep>();
        foreach (var step in settings.Items("steps"))
        {
            var at = Needed(step, "at_s", 0, MostSeconds);
            var factor = Needed(step, "factor", 0, MostFactor);
            if (steps.Count > 0 && at <= steps[^1].AtSeconds)
                step.Note("at_s", $"is {at}, not later than the step above", "Write the steps in the order of time");
            else
                steps.Add(new RateStep(at, factor));
        }

        return steps;
    }

    private static List<Burst> Bursts(Settings settings) =>
    [
        .. settings.Items("bursts").Select(burst => new Burst(
            Needed(burst, "at_s", 0, MostSeconds),
            Needed(burst, "for_s", double.Epsilon, MostSeconds),
            Needed(burst, "factor", 0, MostFactor))),
    ];

    private static double Needed(Settings settings, string key, double least, double most)
    {
        settings.Require(key, "Give it");
        return settings.Number(key, least, most) ?? least;
    }
}
