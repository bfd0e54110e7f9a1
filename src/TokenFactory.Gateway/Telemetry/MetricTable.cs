namespace TokenFactory.Gateway.Telemetry;

/// <summary>
/// All metrics. Names, units and buckets of OpenTelemetry's conventions for generative AI where they have one, tokenfactory.* otherwise. No
/// label holds anything that a client chose: models, classes and replicas are configured, tenants beyond the first hundred are one "other",
/// and there are no identities of requests, no keys and no prompts.
/// </summary>
internal static class MetricTable
{
    private const string Standard = "https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/";
    private const string Operation = "gen_ai.operation.name";
    private const string Provider = "gen_ai.provider.name";
    private const string Model = "gen_ai.request.model";
    private const string Tenant = "tenant";
    private const string Status = "http.response.status_code";
    private static readonly string[] Replica = ["replica", "pool", Model];

    /// <summary>Powers of four, as the standard has them.</summary>
    private static readonly double[] TokenBounds =
        [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

    private static readonly double[] DurationBounds =
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

    private static readonly double[] FirstTokenBounds =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    /// <summary>The standard begins at 10 ms; engines of today are faster.</summary>
    private static readonly double[] EachTokenBounds =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

    private static readonly double[] WaitBounds = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

    public static readonly MetricFacts Duration = new(
        "gen_ai.server.request.duration", MetricKind.Histogram, "s",
        "Time from a request's arrival at the gateway to its last byte.", Operation, Provider, Model, "error.type")
    { Bounds = DurationBounds, Link = Standard };

    public static readonly MetricFacts FirstToken = new(
        "gen_ai.server.time_to_first_token", MetricKind.Histogram, "s",
        "Time from a request's arrival at the gateway to its first token, of streams.", Operation, Provider, Model)
    { Bounds = FirstTokenBounds, Link = Standard };

    public static readonly MetricFacts EachToken = new(
        "gen_ai.server.time_per_output_token", MetricKind.Histogram, "s",
        "Mean time per token after the first, of streams that ended in full.", Operation, Provider, Model)
    { Bounds = EachTokenBounds, Link = Standard };

    public static readonly MetricFacts TokenUsage = new(
        "gen_ai.client.token.usage", MetricKind.Histogram, "{token}",
        "Tokens per request that are billed.", Operation, Provider, Model, "gen_ai.token.type")
    { Bounds = TokenBounds, Link = Standard };

    public static readonly MetricFacts Tokens = new(
        "tokenfactory.tokens", MetricKind.Counter, "{token}",
        "Tokens in classes that do not overlap: fresh (prompt, computed), cached (prompt, from a prefix cache), output.",
        Tenant, Model, "class");

    public static readonly MetricFacts Reasoning = new(
        "tokenfactory.tokens.reasoning", MetricKind.Counter, "{token}", "Of the output, tokens of reasoning.", Tenant, Model);

    public static readonly MetricFacts Requests = new(
        "tokenfactory.requests", MetricKind.Counter, "{request}",
        "Requests that were sent to a replica, by how they ended: completed, cancelled, failed.", Tenant, Model, "outcome", Status);

    public static readonly MetricFacts Refusals = new(
        "tokenfactory.refusals", MetricKind.Counter, "{request}",
        "Answers by the gateway itself that say why not, by HTTP status and code.", Status, "code");

    public static readonly MetricFacts Sheds = new(
        "tokenfactory.sheds", MetricKind.Counter, "{request}",
        "Requests turned away from a queue, by the limit that they met.", "class", "limit");

    public static readonly MetricFacts Retries = new(
        "tokenfactory.retries", MetricKind.Counter, "{request}", "Attempts after the first: the replica before failed.", Model);

    public static readonly MetricFacts Wait = new(
        "tokenfactory.queue.wait", MetricKind.Histogram, "s", "Time from a request's arrival until it was last sent to a replica.", "class")
    { Bounds = WaitBounds };

    public static readonly MetricFacts Charged = new(
        "tokenfactory.charged", MetricKind.Counter, "USD", "Dollars charged to tenants.", Tenant, Model);

    public static readonly MetricFacts Cost = new(
        "tokenfactory.cost", MetricKind.Counter, "USD",
        "Dollars that requests cost: usage (their share of busy time) or allocation (with a share of the time that replicas idled).",
        Tenant, Model, "basis");

    public static readonly MetricFacts Energy = new(
        "tokenfactory.energy", MetricKind.Counter, "J",
        "Joules of the steps that worked for requests, with where they are measured and where they come from.",
        Tenant, Model, "at", "from");

    public static readonly MetricFacts Queue = new(
        "tokenfactory.queue.depth", MetricKind.Gauge, "{request}", "Requests that wait for a replica.", Model, "class");

    public static readonly MetricFacts Reserved = new(
        "tokenfactory.reserved", MetricKind.Gauge, "USD", "Dollars set aside for requests that run.", Tenant);

    public static readonly MetricFacts Running = new(
        "tokenfactory.tenant.running", MetricKind.Gauge, "{request}", "Requests of a tenant that run.", Tenant);

    public static readonly MetricFacts ReplicaReady = new(
        "tokenfactory.replica.ready", MetricKind.Gauge, "1", "1 for a replica that takes requests, 0 for one that does not.", Replica);

    public static readonly MetricFacts ReplicaInFlight = new(
        "tokenfactory.replica.in_flight", MetricKind.Gauge, "{request}",
        "Requests that the gateway sent it and that have not ended.", Replica);

    public static readonly MetricFacts ReplicaRunning = new(
        "tokenfactory.replica.running", MetricKind.Gauge, "{request}", "Requests that the engine says it runs.", Replica);

    public static readonly MetricFacts ReplicaWaiting = new(
        "tokenfactory.replica.waiting", MetricKind.Gauge, "{request}", "Requests that the engine says wait.", Replica);

    public static readonly MetricFacts ReplicaKv = new(
        "tokenfactory.replica.kv_held", MetricKind.Gauge, "1", "Share of the KV cache that is held, 0 to 1.", Replica);

    public static readonly MetricFacts ReplicaReportAge = new(
        "tokenfactory.replica.report_age", MetricKind.Gauge, "s", "Time since the last good look at it.", Replica);

    public static readonly MetricFacts ReplicaPower = new(
        "tokenfactory.replica.power", MetricKind.Gauge, "W",
        "Power now, from the model of its GPU, at the boundary of the ledger's meters.", Replica);

    public static readonly MetricFacts ReplicaEnergy = new(
        "tokenfactory.replica.energy", MetricKind.Counter, "J",
        "Energy since it was first seen, while busy or idle.", [.. Replica, "while"]);

    public static readonly MetricFacts ReplicaPaid = new(
        "tokenfactory.replica.paid", MetricKind.Counter, "USD",
        "Dollars paid for it since it was first seen, while busy or idle.", [.. Replica, "while"]);

    public static readonly MetricFacts ReplicaBusy = new(
        "tokenfactory.replica.busy", MetricKind.Counter, "s", "Time with at least one request.", Replica);

    public static readonly MetricFacts TokensPerWatt = new(
        "tokenfactory.tokens_per_watt", MetricKind.Gauge, "{token}/J",
        "Tokens per second per watt of requests that ended in the last minute; tokens: output or all.", Model, "tokens");

    public static readonly MetricFacts UsdPerMillionTokens = new(
        "tokenfactory.usd_per_million_tokens", MetricKind.Gauge, "USD/{token}",
        "Dollars paid in the last minute per million tokens of requests that ended in it; tokens: output or all.", Model, "tokens");

    public static readonly MetricFacts Journal = new(
        "tokenfactory.journal.waiting", MetricKind.Gauge, "By", "Records that wait for the store.");

    public static readonly MetricFacts StoreAway = new(
        "tokenfactory.store.away", MetricKind.Gauge, "1", "1 while the store cannot be reached.");

    public static readonly MetricFacts LabelsFull = new(
        "tokenfactory.labels.other", MetricKind.Gauge, "1", "1 where so many names came that new ones are counted as 'other'.", "label");
}
