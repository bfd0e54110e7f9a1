using TokenFactory.Cli.Output;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Performance;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a factory file comes to: models and prices, pools and where they are, tenants and limits.</summary>
internal static class ServeReport
{
    /// <summary>The report of 'serve --check'.</summary>
    public static Report Of(Factory factory, string path)
    {
        var setup = factory.Setup;
        var replicas = setup.Models.SelectMany(model => model.Pools).Distinct().Sum(pool => pool.Replicas.Count);
        return new Report(
            "serve",
            [$"{path} is right: '{setup.Name}' serves {Count(setup.Models.Count, "model")} from {Count(replicas, "replica")} on {setup.Listen.Address}, "
                + $"admin on {setup.Listen.Admin}, routed by {setup.Policies.Routing}."],
            [Models(setup), Pools(setup), Classes(setup), Tenants(setup)],
            [.. factory.Remarks]);
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";

    private static Section Models(GatewaySetup setup) => new(
        "models",
        "Models, and dollars charged per million tokens",
        [
            new("model", "model", Number: false), new("pools", "pools", Number: false), new("context_tokens", "context"),
            new("usd_per_million_input", "input"), new("usd_per_million_cached", "cached"), new("usd_per_million_output", "output"),
        ],
        [.. setup.Models.Select(IReadOnlyList<Cell> (model) =>
        [
            Cell.Of(model.Name),
            Cell.Of(string.Join(", ", model.Pools.Select(pool => pool.Facts.Name))),
            new(model.ContextTokens, Spell.Number(model.ContextTokens)),
            Price(model.Price?.Input),
            Price(model.Price?.Cached),
            Price(model.Price?.Output),
        ])]);

    private static Cell Price(decimal? usd) => usd is { } price ? new(price, Spell.Dollars((double)price)) : new(null, "free");

    private static Section Pools(GatewaySetup setup) => new(
        "pools",
        "Pools: what they are, what a replica costs and how fast it is alone with 1,024 prompt tokens, by the model (estimated)",
        [
            new("pool", "pool", Number: false), new("what", "what", Number: false), new("at", "answers at", 2, Number: false),
            new("replicas", "replicas"), new("usd_per_hour", "$/h"), new("ttft_s", "TTFT s"), new("tpot_ms", "TPOT ms"), new("kv_tokens", "KV tokens", 1),
        ],
        [.. setup.Models.SelectMany(model => model.Pools).DistinctBy(pool => pool.Facts.Name).Select(Pool)]);

    private static IReadOnlyList<Cell> Pool(PoolSetup pool)
    {
        const int prompt = 1024;
        var model = pool.Facts.Model;
        var first = model.FrontSeconds(prompt) + new StepTable(model).Prompt(prompt, 0, 0);
        var token = model.Decode(1, 1, prompt).Seconds * 1e3;
        var at = pool.Discover ?? (pool.Engine == EngineKind.Virtual && pool.Replicas.All(replica => replica.Address is null)
            ? "virtual, inside the gateway"
            : string.Join(", ", pool.Replicas.Select(replica => replica.Address?.Authority)));
        return
        [
            Cell.Of(pool.Facts.Name),
            Cell.Of(pool.What),
            Cell.Of(at),
            pool.Discover is null ? new(pool.Replicas.Count, pool.Replicas.Count.ToString()) : new(null, "found"),
            new(pool.Facts.UsdPerHour, Spell.Dollars(pool.Facts.UsdPerHour)),
            new(first, Spell.Number(first)),
            new(token, Spell.Number(token)),
            new(pool.Facts.KvTokens, Spell.Number(pool.Facts.KvTokens)),
        ];
    }

    private static Section Classes(GatewaySetup setup) => new(
        "classes",
        "Service classes; the first is that of requests that name none",
        [
            new("class", "class", Number: false), new("priority", "priority"), new("ttft_s", "TTFT s"), new("tpot_ms", "TPOT ms"),
            new("max_wait_s", "waits s"), new("max_waiting", "waiting"), new("fills_slack", "fills slack", Number: false),
        ],
        [.. setup.Classes.Select(IReadOnlyList<Cell> (one) => Class(one, setup.Limits))]);

    private static IReadOnlyList<Cell> Class(ServiceClass one, LimitSetup limits) =>
    [
        Cell.Of(one.Name),
        new(one.Priority, one.Priority.ToString()),
        Number(one.TtftSeconds),
        Number(one.TpotSeconds * 1e3),
        Number(one.MaxWaitSeconds ?? limits.WaitSeconds),
        Number(one.MaxWaiting ?? limits.Waiting),
        new(one.FillsSlack, one.FillsSlack ? "yes" : "no"),
    ];

    private static Section Tenants(GatewaySetup setup) => new(
        "tenants",
        "Tenants of the file",
        [
            new("tenant", "tenant", Number: false), new("models", "models", Number: false), new("requests_per_minute", "requests/min"),
            new("tokens_per_minute", "tokens/min"), new("usd_per_hour", "$/h"), new("usd_per_day", "$/day"), new("usd_per_month", "$/month"),
        ],
        [.. setup.Tenants.Select(IReadOnlyList<Cell> (one) => Tenant(one.Tenant))]);

    private static IReadOnlyList<Cell> Tenant(TenantRecord one) =>
    [
        Cell.Of(one.Name),
        Cell.Of(one.Models.Count == 0 ? "all" : string.Join(", ", one.Models)),
        Number(one.RequestsPerMinute),
        Number(one.TokensPerMinute),
        Number((double?)one.UsdPerHour?.Value),
        Number((double?)one.UsdPerDay?.Value),
        Number((double?)one.UsdPerMonth?.Value),
    ];

    private static Cell Number(double? number) => number is { } value ? new(value, Spell.Number(value)) : Cell.None;
}
