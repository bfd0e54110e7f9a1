using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>replicas: who serves in a running gateway, how they fare, and what they took.</summary>
internal static class ReplicasVerb
{
    private static readonly Column[] Columns =
    [
        new("name", "Replica", Number: false), new("model", "Model", 4, Number: false), new("what", "What", 6, Number: false),
        new("state", "State", Number: false), new("why", "Why", 3, Number: false), new("in_flight", "In flight"),
        new("running", "Running", 2), new("waiting", "Waiting", 1), new("kv_held", "KV held", 2), new("report_age_s", "Report age, s", 5),
        new("watts", "Watts", 3), new("joules", "Joules", 6), new("usd_paid", "Paid", 4), new("usd_idle", "Of it idle", 5),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("replicas", "Replicas of a running gateway: state, load, power and dollars; drain and resume them.");
        Listing(command, terminal);
        var list = new Command("list", "All replicas.");
        Listing(list, terminal);
        command.Subcommands.Add(list);
        command.Subcommands.Add(Change(
            terminal, "drain", "Sends a replica nothing more; what it runs goes on to its end.", "gets nothing more"));
        command.Subcommands.Add(Change(terminal, "resume", "Sends a replica requests again.", "gets requests again"));
        return command;
    }

    private static void Listing(Command command, Terminal terminal)
    {
        var admin = new AdminFlags();
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var replicas = admin.Client(parsed).Ask("GET", "replicas").GetProperty("replicas").EnumerateArray().ToList();
            var ready = replicas.Count(replica => replica.Text("state") == "ready");
            var watts = replicas.Sum(replica => replica.GetProperty("watts").GetDouble());
            var answer = $"{KeysVerb.Counted(replicas.Count, "replica")}, {ready} ready, {Spell.Number(watts)} W.";
            admin.Print(Report(answer, replicas), terminal, parsed);
            return App.Done;
        });
    }

    private static Command Change(Terminal terminal, string name, string help, string done)
    {
        var replica = new Argument<string>("NAME") { Description = "Name of the replica." };
        var admin = new AdminFlags();
        var command = new Command(name, help) { replica };
        admin.AddTo(command);
        command.SetAction(parsed =>
        {
            var of = parsed.GetRequiredValue(replica);
            var now = admin.Client(parsed).Ask("POST", $"replicas/{AdminClient.Part(of)}/{name}");
            admin.Print(Report($"Replica '{of}' {done}.", [now]), terminal, parsed);
            return App.Done;
        });
        return command;
    }

    private static Report Report(string answer, List<JsonElement> replicas)
    {
        const string Note = "Watts, joules and dollars are from the model of each GPU and its price, since the start or the last change of the fleet.";
        var section = new Section("replicas", "", Columns, [.. replicas.Select(Row)]);
        return new Report("replicas", [answer], [section], replicas.Count > 0 ? [Note] : []);
    }

    private static IReadOnlyList<Cell> Row(JsonElement replica) =>
    [
        replica.Words("name"), replica.Words("model"), replica.Words("what"), replica.Words("state"), replica.Words("why"),
        replica.Count("in_flight"), replica.Count("running"), replica.Count("waiting"), replica.Number("kv_held", Spell.Percent),
        replica.Number("report_age_s", age => age.ToString("0.0", CultureInfo.InvariantCulture)), replica.Number("watts", Spell.Number),
        replica.Number("joules", Spell.Number), replica.Dollars("usd_paid"), replica.Dollars("usd_idle"),
    ];
}
