using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Performance;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a factory file comes to: models and prices, pools and where they are, tenants and limits.</summary>
internal static class ServeReport
{
    /// <summary>Addresses of a pool that are shown.</summary>
    private const int MostShown = 3;

    /// <summary>The report of 'serve --check'.</summary>
    public static Report Of(Factory factory, string path)
    {
        var setup = factory.Setup;
        return new Report(
            "serve",
            [
                $"{path} is right: '{setup.Name}' serves {Count(setup.Models.Count, "model")} from {Replicas(setup)} on {setup.Listen.Address}, "
                    + $"admin on {setup.Listen.Admin}, routed by {setup.Policies.Routing}.",
                $"Records go to {(setup.Store.Postgres is null ? "SQLite" : "PostgreSQL")}, with a journal in {setup.Store.Folder}; each "
                    + (setup.Store.Sync ? "is on the disk before its answer ends." : "has left the process before its answer ends: it survives a crash, not a power cut."),
            ],
            [Models(setup), Pools(setup), Places(setup), Classes(setup), Tenants(setup)],
            [.. factory.Remarks]);
    }

    private static IReadOnlyList<PoolSetup> All(GatewaySetup setup) =>
        [.. setup.Models.SelectMany(model => model.Pools).DistinctBy(pool => pool.Facts.Name)];

    private static string Replicas(GatewaySetup setup)
    {
        var (named, found) = (All(setup).Sum(pool => pool.Replicas.Count), All(setup).Any(pool => pool.Discover is not null));
        return !found ? Count(named, "replica") : named == 0 ? "replicas found by name" : $"{Count(named, "replica")} and those found by name";
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
            new("pool", "pool", Number: false), new("what", "what", Number: false), new("replicas", "replicas"),
            new("usd_per_hour", "$/h"), new("ttft_s", "TTFT s"), new("tpot_ms", "TPOT ms"), new("kv_tokens", "KV tokens", 1),
        ],
        [.. All(setup).Select(Pool)]);

    private static IReadOnlyList<Cell> Pool(PoolSetup pool)
    {
        const int prompt = 1024;
        var model = pool.Facts.Model;
        var first = model.FrontSeconds(prompt) + new StepTable(model).Prompt(prompt, 0, 0);
        var token = model.Decode(1, 1, prompt).Seconds * 1e3;
        return
        [
            Cell.Of(pool.Facts.Name),
            Cell.Of(pool.What),
            pool.Discover is null ? new(pool.Replicas.Count, pool.Replicas.Count.ToString()) : new(null, "found"),
            new(pool.Facts.UsdPerHour, Spell.Dollars(pool.Facts.UsdPerHour)),
            new(first, Spell.Number(first)),
            new(token, Spell.Number(token)),
            new(pool.Facts.KvTokens, Spell.Number(pool.Facts.KvTokens)),
        ];
    }

    private static Section Places(GatewaySetup setup) => new(
        "places",
        "Where replicas answer",
        [
            new("pool", "pool", Number: false), new("software", "software", Number: false), new("engine_model", "calls the model", 2, Number: false),
            new("billing", "billing", 1, Number: false), new("key", "asks for a key", 3, Number: false), new("at", "answers at", Number: false),
        ],
        [.. All(setup).Select(IReadOnlyList<Cell> (pool) =>
        [
            Cell.Of(pool.Facts.Name),
            Cell.Of(ServePools.WordOf(pool.Engine)),
            Cell.Of(pool.EngineModel ?? "as clients do"),
            Cell.Of(pool.Billing),
            new(pool.ApiKey is not null, pool.ApiKey is null ? "no" : "yes"),
            Cell.Of(At(pool)),
        ])]);

    private static string At(PoolSetup pool)
    {
        if (pool.Discover is { } name)
            return name;
        if (pool.Engine == EngineKind.Virtual && pool.Replicas.All(replica => replica.Address is null))
            return "inside the gateway";
        var shown = string.Join(", ", pool.Replicas.Take(MostShown).Select(replica => replica.Address?.Authority));
        return pool.Replicas.Count <= MostShown ? shown : $"{shown} and {pool.Replicas.Count - MostShown} more";
    }

    private static Section Classes(GatewaySetup setup) => new(
        "classes",
        "Service classes; the first is that of requests that name none",
        [
            new("class", "class", Number: false), new("priority", "priority"), new("ttft_s", "TTFT s"), new("tpot_ms", "TPOT ms"),
            new("end_to_end_s", "whole s", 1), new("deadline_s", "deadline s", 1),
            new("max_wait_s", "waits s"), new("max_waiting", "waiting"), new("fills_slack", "fills slack", Number: false),
        ],
        [.. setup.Classes.Select(IReadOnlyList<Cell> (one) => Class(one, setup.Limits))]);

    private static IReadOnlyList<Cell> Class(ServiceClass one, LimitSetup limits) =>
    [
        Cell.Of(one.Name),
        new(one.Priority, one.Priority.ToString()),
        Number(one.TtftSeconds),
        Number(one.TpotSeconds * 1e3),
        Number(one.EndToEndSeconds),
        Number(one.DeadlineSeconds),
        Number(one.MaxWaitSeconds ?? (one.FillsSlack && one.DeadlineSeconds is not null ? null : limits.WaitSeconds)),
        Whole(one.MaxWaiting ?? limits.Waiting),
        new(one.FillsSlack, one.FillsSlack ? "yes" : "no"),
    ];

    private static Section Tenants(GatewaySetup setup) => new(
        "tenants",
        "Tenants of the file",
        [
            new("tenant", "tenant", Number: false), new("models", "models", Number: false), new("class", "class", 1, Number: false),
            new("keys", "keys here", 2), new("requests_per_minute", "requests/min"), new("tokens_per_minute", "tokens/min"),
            new("concurrency", "at once", 1), new("max_output_tokens", "longest answer", 1), new("usd_per_hour", "$/h"), new("usd_per_day", "$/day"), new("usd_per_month", "$/month"),
        ],
        [.. setup.Tenants.Select(IReadOnlyList<Cell> (one) => Tenant(one.Tenant, one.KeyHashes.Count, setup.Classes[0].Name))]);

    private static IReadOnlyList<Cell> Tenant(TenantRecord one, int keys, string first) =>
    [
        Cell.Of(one.Name),
        Cell.Of(one.Models.Count == 0 ? "all" : string.Join(", ", one.Models)),
        Cell.Of(string.Join(", ", one.Classes.Prepend(one.Class ?? first).Distinct())),
        Whole(keys),
        Whole(one.RequestsPerMinute),
        Whole(one.TokensPerMinute),
        Whole(one.Concurrency),
        Whole(one.MaxOutputTokens),
        Number((double?)one.UsdPerHour?.Value),
        Number((double?)one.UsdPerDay?.Value),
        Number((double?)one.UsdPerMonth?.Value),
    ];

    private static Cell Whole(long? number) => number is { } value ? new(value, value.ToString("N0", CultureInfo.InvariantCulture)) : Cell.None;

    private static Cell Number(double? number) => number is { } value ? new(value, Spell.Number(value)) : Cell.None;
}
