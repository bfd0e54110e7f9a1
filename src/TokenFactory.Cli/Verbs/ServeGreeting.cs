using System.Text;
using System.Text.Json;
using TokenFactory.Cli.Output;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Gateway.Setup;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a gateway says once it answers: where it is, what it serves, its first keys, and a command that works.</summary>
internal sealed class ServeGreeting(GatewayHost host, Factory factory)
{
    private const string UsualFolder = ".tokenfactory";
    private const string UsualAdmin = "http://127.0.0.1:8081";

    /// <summary>For people.</summary>
    public string Text()
    {
        var setup = factory.Setup;
        var text = new StringBuilder();
        text.AppendLine($"Token Factory serves '{setup.Name}' on {Bare(host.Address)}, admin on {Bare(host.AdminAddress)}, ledger in {host.Ledger}.");
        text.AppendLine();
        foreach (var model in setup.Models)
            Model(text, model);
        text.AppendLine();
        var before = host.Tenants.HasKeys ? "keys were made before, another is made" : "none yet, one is made";
        Key(text, host.FirstKeyTenant is { } tenant ? $"API key of tenant '{tenant}'" : "API key", host.FirstKey, $"{before} with '{Keys}'");
        Key(text, "Admin key", host.FirstAdminKey, $"in {Path.Combine(setup.Store.Folder, "admin-key")}");
        foreach (var remark in factory.Remarks)
            text.AppendLine($"Note: {remark}");
        text.AppendLine();
        text.AppendLine("Try");
        text.AppendLine($"  curl -N {Bare(host.Address)}/v1/chat/completions -H 'Authorization: Bearer {host.FirstKey ?? "YOUR-KEY"}' \\");
        text.AppendLine("    -H 'Content-Type: application/json' \\");
        text.AppendLine($$"""    -d '{"model":"{{setup.Models[0].Name}}","stream":true,"max_tokens":40,"messages":[{"role":"user","content":"Hello"}]}'""");
        text.AppendLine($"  {Report}");
        text.AppendLine();
        text.AppendLine("Ctrl-C stops it, once answers that run have ended.");
        return text.ToString();
    }

    /// <summary>For machines: one line.</summary>
    public string Json() => JsonSerializer.Serialize(new
    {
        name = factory.Setup.Name,
        address = Bare(host.Address),
        admin = Bare(host.AdminAddress),
        ledger = host.Ledger,
        api_key = host.FirstKey,
        admin_key = host.FirstAdminKey,
        models = factory.Setup.Models.Select(model => model.Name),
    }) + "\n";

    /// <summary>Verbs look in the usual places: elsewhere they must be told.</summary>
    private string Report => factory.Setup.Store switch
    {
        { Postgres: not null } => "tokenfactory report --postgres-env NAME",
        { Folder: UsualFolder } => "tokenfactory report",
        { Folder: var folder } => $"tokenfactory report --store {folder}",
    };

    private string Keys
    {
        get
        {
            var admin = Bare(host.AdminAddress) == UsualAdmin ? "" : $" --admin {Bare(host.AdminAddress)}";
            var store = factory.Setup.Store.Folder == UsualFolder ? "" : $" --store {factory.Setup.Store.Folder}";
            return $"tokenfactory keys create --tenant NAME{admin}{store}";
        }
    }

    private static string Bare(Uri address) => address.ToString().TrimEnd('/');

    private static void Model(StringBuilder text, ModelSetup model)
    {
        var price = model.Price is { } usd
            ? $"{Spell.Dollars((double)usd.Input)} in, {Spell.Dollars((double)usd.Cached)} cached, {Spell.Dollars((double)usd.Output)} out per million tokens"
            : "not charged for";
        text.AppendLine($"  {model.Name}: {price}");
        foreach (var pool in model.Pools)
        {
            var replicas = pool.Discover is { } name ? $"found at {name}, each " : pool.Replicas.Count == 1 ? "" : $"{pool.Replicas.Count} replicas, each ";
            var isVirtual = pool.Engine == EngineKind.Virtual ? ", virtual" : "";
            text.AppendLine($"    {pool.Facts.Name}: {replicas}{pool.What}{isVirtual}, {Spell.Dollars(pool.Facts.UsdPerHour)}/h");
        }
    }

    private static void Key(StringBuilder text, string what, string? key, string otherwise) =>
        text.AppendLine(key is null ? $"{what}: {otherwise}" : $"{what}, shown this once: {key}");
}
