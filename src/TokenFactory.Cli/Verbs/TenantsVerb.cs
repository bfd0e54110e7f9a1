using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>tenants: who is served by a running gateway, up to which limits, and what they spent.</summary>
internal static class TenantsVerb
{
    private static readonly Flag[] Numbers =
    [
        new("requests_per_minute", "Most requests in any 60 seconds."),
        new("tokens_per_minute", "Most tokens, prompts and answers, in any 60 seconds."),
        new("concurrency", "Most requests at once."),
        new("usd_per_hour", "Most dollars per clock hour (UTC)."),
        new("usd_per_day", "Most dollars per day (UTC)."),
        new("usd_per_month", "Most dollars per calendar month (UTC)."),
        new("max_output_tokens", "Tokens that an answer may have where its request declares none, and at most."),
    ];

    private static readonly Flag[] Lists =
    [
        new("models", "Models it may use, with commas between; all unless given."),
        new("classes", "Service classes that its requests may name, with commas between."),
    ];

    private static readonly Flag Class = new("class", "Service class of its requests unless they name another.");

    private static readonly Column[] Columns =
    [
        new("name", "Tenant", Number: false), new("state", "State", Number: false), new("in", "In", 6, Number: false),
        new("models", "Models", 5, Number: false), new("class", "Class", 7, Number: false),
        new("spent_usd_hour", "This hour", 1), new("spent_usd_day", "Today", 1), new("spent_usd_month", "This month", 1),
        new("reserved_usd", "Reserved", 2), new("running", "Running", 2), new("requests_per_minute", "Requests/min", 3),
        new("tokens_per_minute", "Tokens/min", 3), new("concurrency", "At once", 4),
    ];

    private static readonly Column[] Limits =
    [
        new("name", ""), new("classes", ""), new("usd_per_hour", ""), new("usd_per_day", ""), new("usd_per_month", ""),
        new("max_output_tokens", ""), new("shows_decisions", ""),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("tenants", "Tenants of a running gateway: their limits, and what they spent.");
        Listing(command, terminal);
        var list = new Command("list", "All tenants, of factory file and store.");
        Listing(list, terminal);
        command.Subcommands.Add(list);
        command.Subcommands.Add(Set(terminal));
        command.Subcommands.Add(Remove(terminal));
        return command;
    }

    private static void Listing(Command command, Terminal terminal)
    {
        var admin = new AdminFlags();
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            Show(admin.Client(parsed), null, _ => true, admin, terminal, parsed);
            return App.Done;
        });
    }

    private static Command Set(Terminal terminal)
    {
        var name = Name();
        var command = new Command("set", "Sets limits of a tenant, and makes it where it is not there. What is not given stays.") { name };
        var options = Numbers.Concat(Lists).Append(Class).ToDictionary(
            flag => flag.Key,
            flag => new Option<string?>(flag.Name) { Description = $"{flag.Help} 'none' takes it away.", HelpName = "VALUE" },
            StringComparer.Ordinal);
        var disabled = new Option<bool?>("--disabled") { Description = "Whether it is refused for now: true or false.", HelpName = "BOOL" };
        var shows = new Option<bool?>("--shows-decisions")
        {
            Description = "Whether answers say in headers where and why they were computed: true or false.",
            HelpName = "BOOL",
        };
        foreach (var option in options.Values)
            command.Options.Add(option);
        command.Options.Add(disabled);
        command.Options.Add(shows);
        var admin = new AdminFlags();
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var body = Body(options.Select(each => (each.Key, parsed.GetValue(each.Value))));
            if (parsed.GetValue(disabled) is { } off)
                body["disabled"] = off;
            if (parsed.GetValue(shows) is { } tells)
                body["shows_decisions"] = tells;
            var (client, tenant) = (admin.Client(parsed), parsed.GetRequiredValue(name));
            client.Ask("PATCH", $"tenants/{AdminClient.Part(tenant)}", body, out var made);
            Show(client, $"Tenant '{tenant}' is {(made ? "made" : "changed")}.", each => each == tenant, admin, terminal, parsed);
            return App.Done;
        });
        return command;
    }

    private static Command Remove(Terminal terminal)
    {
        var name = Name();
        var admin = new AdminFlags();
        var command = new Command("remove", "Removes a tenant and its keys. Its usage stays in the ledger.") { name };
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var (client, tenant) = (admin.Client(parsed), parsed.GetRequiredValue(name));
            client.Ask("DELETE", $"tenants/{AdminClient.Part(tenant)}");
            Show(client, $"Tenant '{tenant}' and its keys are removed.", _ => true, admin, terminal, parsed);
            return App.Done;
        });
        return command;
    }

    private static Argument<string> Name() => new("NAME") { Description = "Name of the tenant." };

    /// <summary>What is to be set.</summary>
    /// <exception cref="Refusal">A number is none; all of them at once.</exception>
    private static JsonObject Body(IEnumerable<(string Key, string? Value)> given)
    {
        var (body, mistakes) = (new JsonObject(), new List<Mistake>());
        foreach (var (key, value) in given)
        {
            if (value is null)
                continue;
            if (value == "none")
                body[key] = null;
            else if (Array.Exists(Lists, flag => flag.Key == key))
                body[key] = new JsonArray([.. value.Split(',', StringSplitOptions.TrimEntries).Select(each => JsonValue.Create(each))]);
            else if (!Array.Exists(Numbers, flag => flag.Key == key))
                body[key] = value;
            else if (decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                body[key] = number;
            else
                mistakes.Add(new("command line", $"--{key.Replace('_', '-')} is '{value}'", "Give a number, or 'none' for no limit"));
        }

        Refusal.IfAny(mistakes);
        return body;
    }

    private static void Show(
        AdminClient client, string? answer, Func<string, bool> wanted, AdminFlags admin, Terminal terminal, ParseResult parsed)
    {
        var usage = client.Ask("GET", "usage").GetProperty("usage").EnumerateArray().ToDictionary(each => each.Text("tenant"));
        var tenants = client.Ask("GET", "tenants").GetProperty("tenants").EnumerateArray()
            .Where(each => wanted(each.Text("name")) && usage.ContainsKey(each.Text("name")))
            .ToList();
        answer ??= tenants.Count == 0
            ? "No tenants. 'tokenfactory tenants set NAME' makes one."
            : $"{KeysVerb.Counted(tenants.Count, "tenant")}.";
        var section = new Section("tenants", "", Columns, [.. tenants.Select(each => Row(each, usage[each.Text("name")]))]);
        var limits = new Section("limits", "", Limits, [.. tenants.Select(LimitRow)]) { For = Audience.Machines };
        admin.Print(new Report("tenants", [answer], [section, limits], []), terminal, parsed);
    }

    private static IReadOnlyList<Cell> LimitRow(JsonElement tenant) =>
    [
        tenant.Words("name"), tenant.Names("classes"), tenant.Dollars("usd_per_hour"), tenant.Dollars("usd_per_day"),
        tenant.Dollars("usd_per_month"), tenant.Count("max_output_tokens"),
        new Cell(tenant.GetProperty("shows_decisions").GetBoolean(), ""),
    ];

    private static IReadOnlyList<Cell> Row(JsonElement tenant, JsonElement usage) =>
    [
        tenant.Words("name"),
        Cell.Of(tenant.GetProperty("disabled").GetBoolean() ? "disabled" : "served"),
        Cell.Of(tenant.GetProperty("in_file").GetBoolean() ? "file" : "store"),
        tenant.Names("models"),
        tenant.Words("class"),
        AdminCells.Budget(usage, "spent_usd_hour", "usd_per_hour"),
        AdminCells.Budget(usage, "spent_usd_day", "usd_per_day"),
        AdminCells.Budget(usage, "spent_usd_month", "usd_per_month"),
        usage.Dollars("reserved_usd"),
        usage.Count("running"),
        tenant.Count("requests_per_minute"),
        tenant.Count("tokens_per_minute"),
        tenant.Count("concurrency"),
    ];
}
