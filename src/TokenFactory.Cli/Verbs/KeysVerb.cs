using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>keys: who may call a running gateway.</summary>
internal static class KeysVerb
{
    private static readonly Column[] Columns =
    [
        new("id", "Key", Number: false), new("tenant", "Tenant", Number: false), new("label", "Label", 2, Number: false),
        new("state", "State", Number: false), new("created", "Created (UTC)", 3, Number: false),
        new("expires", "Expires (UTC)", 1, Number: false),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("keys", "API keys of a running gateway: list, create, rotate, disable, enable, remove.");
        Listing(command, terminal);
        var list = new Command("list", "All keys of the store; those of the factory file stand there.");
        Listing(list, terminal);
        command.Subcommands.Add(list);
        command.Subcommands.Add(Create(terminal));
        command.Subcommands.Add(Rotate(terminal));
        command.Subcommands.Add(Change(terminal, "disable", "Refuses a key for now.", "disabled", "POST", "/disable"));
        command.Subcommands.Add(Change(terminal, "enable", "Takes a key again.", "enabled", "POST", "/enable"));
        command.Subcommands.Add(Change(terminal, "remove", "Removes a key.", "removed", "DELETE", ""));
        return command;
    }

    private static void Listing(Command command, Terminal terminal)
    {
        var tenant = new Option<string?>("--tenant") { Description = "Only those of this tenant.", HelpName = "NAME" };
        var admin = new AdminFlags();
        command.Options.Add(tenant);
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var of = parsed.GetValue(tenant);
            var keys = admin.Client(parsed).Ask("GET", "keys" + (of is null ? "" : $"?tenant={AdminClient.Part(of)}")).GetProperty("keys");
            var rows = keys.EnumerateArray().Select(Row).ToList();
            var tenants = keys.EnumerateArray().Select(key => key.Text("tenant")).Distinct(StringComparer.Ordinal).Count();
            var answer = rows.Count == 0 ? "No keys. 'tokenfactory keys create --tenant NAME' makes one."
                : $"{Counted(rows.Count, "key")} of {Counted(tenants, "tenant")}.";
            admin.Print(new Report("keys", [answer], [new Section("keys", "", Columns, rows)], []), terminal, parsed);
            return App.Done;
        });
    }

    private static Command Create(Terminal terminal)
    {
        var tenant = new Option<string>("--tenant") { Description = "Whose key it is.", HelpName = "NAME", Required = true };
        var label = new Option<string?>("--label") { Description = "What it is for.", HelpName = "TEXT" };
        var expires = new Option<string?>("--expires")
        {
            Description = "When it ends: 30d, 12h, 45m, or a time such as 2026-12-31. Default: never.",
            HelpName = "WHEN",
        };
        var admin = new AdminFlags();
        var command = new Command("create", "Makes a key, and prints it: the only time that it is told.") { tenant, label, expires };
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var body = new JsonObject { ["tenant"] = parsed.GetRequiredValue(tenant), ["label"] = parsed.GetValue(label) ?? "" };
            if (parsed.GetValue(expires) is { } when)
            {
                var seconds = TimeSpans.Seconds(when);
                if (seconds is < 1 or > TimeSpans.MostSeconds)
                {
                    throw new Refusal(
                        "command line", $"--expires is '{when}'", $"Give 1s to {TimeSpans.Most}, or a time such as 2026-12-31");
                }

                body[seconds is null ? "expires" : "expires_in_s"] = seconds is { } within ? within : when;
            }

            var made = admin.Client(parsed).Ask("POST", "keys", body);
            Tell(made, $"Key of tenant '{parsed.GetRequiredValue(tenant)}', told this once:", admin, terminal, parsed);
            return App.Done;
        });
        return command;
    }

    private static Command Rotate(Terminal terminal)
    {
        var id = Id();
        var grace = new Option<string>("--grace")
        {
            Description = "How long the old key still works: 1d, 12h, 45m, 0s. Default: 1d.",
            HelpName = "TIME",
            DefaultValueFactory = _ => "1d",
        };
        var admin = new AdminFlags();
        var command = new Command("rotate", "Makes a key in the place of another, which still works for a while.") { id, grace };
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var (old, time) = (parsed.GetRequiredValue(id), parsed.GetRequiredValue(grace));
            var seconds = TimeSpans.Seconds(time)
                ?? throw new Refusal("command line", $"--grace is '{time}'", "Give a time such as 1d, 12h, 45m or 0s");
            if (seconds > TimeSpans.MostSeconds)
                throw new Refusal("command line", $"--grace is '{time}'", $"Give 0s to {TimeSpans.Most}");
            var made = admin.Client(parsed).Ask("POST", $"keys/{AdminClient.Part(old)}/rotate", new JsonObject { ["grace_s"] = seconds });
            Tell(made, $"Key in the place of '{old}', which works for another {time}; told this once:", admin, terminal, parsed);
            return App.Done;
        });
        return command;
    }

    private static Command Change(Terminal terminal, string name, string help, string done, string method, string path)
    {
        var id = Id();
        var admin = new AdminFlags();
        var command = new Command(name, help) { id };
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var key = parsed.GetRequiredValue(id);
            var answer = admin.Client(parsed).Ask(method, $"keys/{AdminClient.Part(key)}{path}");
            List<IReadOnlyList<Cell>> rows = answer.TryGetProperty("id", out _) ? [Row(answer)] : [];
            admin.Print(new Report("keys", [$"Key '{key}' is {done}."], [new Section("keys", "", Columns, rows)], []), terminal, parsed);
            return App.Done;
        });
        return command;
    }

    private static Argument<string> Id() => new("ID") { Description = "Public part of the key: its eight characters after sk-tf-." };

    private static void Tell(JsonElement made, string answer, AdminFlags admin, Terminal terminal, ParseResult parsed)
    {
        var record = made.GetProperty("record");
        Cell[] row = [Cell.Of(made.Text("key")), .. Row(record)];
        var section = new Section("keys", "", [new Column("key", "", Number: false), .. Columns], [row]) { For = Audience.Machines };
        var ends = record.Text("expires") is { Length: > 0 } end ? $"It expires at {end}." : "It does not expire.";
        admin.Print(new Report("keys", [answer, made.Text("key"), ends], [section], []), terminal, parsed);
    }

    private static IReadOnlyList<Cell> Row(JsonElement key)
    {
        var state = key.GetProperty("disabled").GetBoolean() ? "disabled" : key.GetProperty("expired").GetBoolean() ? "expired" : "valid";
        return [key.Words("id"), key.Words("tenant"), key.Words("label"), Cell.Of(state), key.Time("created"), key.Time("expires")];
    }

    internal static string Counted(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
