using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Planning.Deploy;

namespace TokenFactory.Cli.Verbs;

/// <summary>A factory file as read.</summary>
/// <param name="Setup">What the gateway runs by.</param>
/// <param name="Remarks">What was assumed, where prices come from, and what is to be told of what the file says: a sentence each.</param>
internal sealed record Factory(GatewaySetup Setup, IReadOnlyList<string> Remarks);

/// <summary>Reads a factory file; every mistake is noted with its line before anything starts.</summary>
internal sealed class ServeInput(Settings file, CatalogContents catalog, CalibrationInput calibration, DateOnly today)
{
    private readonly List<string> _remarks = [];

    /// <summary>The factory.</summary>
    /// <exception cref="Refusal">Something is wrong; all mistakes at once.</exception>
    public Factory Read()
    {
        var name = file.Text("name") ?? Path.GetFileNameWithoutExtension(file.Name);
        var reader = new SimulatePools(catalog, calibration, today) { ProviderMayBeRemark = true };
        file.Require("pools", "Give one pool of replicas or more; see docs/guide/serve.md");
        var serve = new ServePools(reader);
        List<(PoolSetup Pool, string Model)> pools = [.. file.Items("pools").Select(serve.Read).OfType<(PoolSetup, string)>()];
        CheckNames();
        var models = Models(pools);
        var classes = Classes();
        var policies = file.Item("policies");
        var (routing, router) = SimulateInput.Router(policies);
        var setup = new GatewaySetup
        {
            Name = name,
            Listen = ServeLimits.Listen(file),
            Models = models,
            Classes = classes,
            Policies = new PolicySetup(routing, router, SimulateInput.Eligible(policies), SimulateInput.Recover(policies)),
            Tenants = ServeTenants.Read(file, models, classes.Select(one => one.Name).ToHashSet(StringComparer.Ordinal)),
            Store = ServeLimits.Store(file),
            FirstKey = SimulateInput.Truth(file, "first_key", true),
            Limits = ServeLimits.Limits(file),
            Health = ServeLimits.Health(file),
            Telemetry = ServeLimits.Telemetry(file),
            CacheSalt = SimulateInput.Truth(file, "cache_salt", true),
            FleetText = FleetText(),
        };
        file.RefuseUnknownKeys();
        Refusal.IfAny(file.Mistakes);
        if (reader.Assumed.Count > 0)
            _remarks.Add($"Assumed, as you did not say: {string.Join("; ", reader.Assumed)}.");
        _remarks.AddRange(reader.Prices.Where(price => price.Provider != SimulatePrice.Given).Select(Words));
        _remarks.AddRange(reader.Remarks);
        return new Factory(setup, _remarks);
    }

    private static string Words(SimulatePrice price)
    {
        var stale = price.Stale ? $", which may be older than {Offer.FreshDays} days" : "";
        return $"Pool {price.Pool} costs {Spell.Dollars(price.UsdPerGpuHour.Value)} per GPU-hour, the catalog's cheapest {price.Billing} offer "
            + $"({price.Provider}{stale}): give usd_per_gpu_hour if you pay another.";
    }

    /// <summary>What of the file decides on fleets: all but prices, tenants, most limits, and which replicas there are.</summary>
    private string FleetText()
    {
        var names = file.Items("models").Select(model => $"{model.Text("name")}: {string.Join(' ', model.Texts("pools"))}");
        var pools = (file.Copy("pools") as DocList ?? []).OfType<DocMap>().Select(PoolText);
        var parts = ((string[])["classes", "policies", "health"]).Select(key => file.Copy(key) is { } part ? Yaml.Write(part) : "");
        var limits = ((string[])["wait_s", "waiting", "drain_s"]).Select(key => file.Item("limits")?.Text(key));
        return string.Join('\n', [.. names, .. pools, .. parts, .. limits]);
    }

    private static string PoolText(DocMap pool)
    {
        var text = new DocMap { { "virtual", pool["endpoints"] is null } };
        foreach (var entry in pool.Where(entry => entry.Key is not ("endpoints" or "replicas")))
            text.Add(entry.Key, entry.Value);
        return Yaml.Write(text);
    }

    private void CheckNames()
    {
        foreach (var twin in file.Items("pools").GroupBy(pool => pool.Text("name") ?? "", StringComparer.Ordinal).Where(same => same.Key.Length > 0))
        {
            foreach (var pool in twin.Skip(1))
                pool.Note("name", $"is '{twin.Key}' a second time", "Give each pool its own name");
        }
    }

    /// <summary>The models that the file names, or else those of its pools.</summary>
    private List<ModelSetup> Models(List<(PoolSetup Pool, string Model)> pools)
    {
        var read = new List<ModelSetup>();
        var complete = pools.Count == file.Items("pools").Count; // else what lacks follows from another mistake
        foreach (var item in file.Items("models"))
        {
            item.Require("name", "Name the model as clients are to ask for it");
            var name = item.Text("name") ?? "";
            if (read.Exists(model => model.Name == name))
                item.Note("name", $"is '{name}' a second time", "Give every model its own");
            var named = item.Texts("pools");
            var wrong = named.Where(pool => !file.Items("pools").Any(known => known.Text("name") == pool)).ToList();
            foreach (var pool in wrong)
                item.Note("pools", $"names '{pool}'", "Name pools of this file");
            complete &= wrong.Count == 0;
            var served = pools.Where(pool => named.Count > 0 ? named.Contains(pool.Pool.Facts.Name) : pool.Model == name).Select(pool => pool.Pool).ToList();
            if (served.Count == 0 && complete)
                item.Note("name", $"is '{name}', and no pool serves it", "Name its pools with 'pools: [...]'");
            read.Add(Model(name, served, Price(item)));
        }

        CheckServed(read, complete);
        if (!file.Has("models"))
            read.AddRange(pools.GroupBy(pool => pool.Model, StringComparer.Ordinal).Select(one => Model(one.Key, [.. one.Select(pool => pool.Pool)], null)));
        foreach (var free in read.Where(model => model.Price is null))
            _remarks.Add($"Model {free.Name} has no price: its tenants are charged nothing; what it costs is metered all the same.");
        return read;
    }

    /// <summary>Each pool serves one model: its replicas are paid for, and watched, once.</summary>
    private void CheckServed(List<ModelSetup> models, bool complete)
    {
        foreach (var pool in file.Items("pools").Where(_ => complete && file.Has("models")))
        {
            var by = models.Where(model => model.Pools.Any(one => one.Facts.Name == pool.Text("name"))).Select(model => model.Name).ToList();
            if (by.Count == 0)
                pool.Note("name", $"is '{pool.Text("name")}', and no model has it", "Name it under 'pools' of a model, or take it out");
            else if (by.Count > 1)
                pool.Note("name", $"is '{pool.Text("name")}', which models {string.Join(" and ", by)} share", "Give each model pools of its own");
        }
    }

    private static ModelSetup Model(string name, IReadOnlyList<PoolSetup> pools, TokenPrice? price) => new(name, pools)
    {
        Price = price,
        ContextTokens = (int)Math.Min(int.MaxValue, pools.Count > 0 ? pools.Max(pool => Math.Min(pool.Facts.LongestTokens, pool.Facts.KvTokens)) : 1),
    };

    private static TokenPrice? Price(Settings item)
    {
        const double most = 1e6;
        var input = item.Number("usd_per_million_input", 0, most);
        var cached = item.Number("usd_per_million_cached", 0, most);
        var output = item.Number("usd_per_million_output", 0, most);
        if ((input ?? cached ?? output) is null)
            return null;
        item.Require("usd_per_million_input", "Give what a million prompt tokens is charged, or no price at all");
        item.Require("usd_per_million_output", "Give what a million tokens of answers is charged, or no price at all");
        return new TokenPrice((decimal)(input ?? 0), (decimal)(cached ?? input ?? 0), (decimal)(output ?? 0));
    }

    private List<ServiceClass> Classes()
    {
        var classes = new List<ServiceClass>();
        foreach (var item in file.Items("classes"))
        {
            item.Require("name", "Name the class");
            var one = SimulateInput.Class(item, item.Text("name") ?? "");
            if (classes.Exists(other => other.Name == one.Name))
                item.Note("name", $"is '{one.Name}' a second time", "Give every class its own");
            classes.Add(one);
        }

        if (classes.Count > 64)
            file.Note("classes", $"are {classes.Count}", "Give at most 64");
        return classes.Count > 0 ? classes : [new ServiceClass("default")];
    }
}
