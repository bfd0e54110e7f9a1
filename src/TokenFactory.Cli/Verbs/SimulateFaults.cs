using TokenFactory.Cli.Input;
using TokenFactory.Fleet;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads what goes wrong in a scenario.</summary>
internal sealed class SimulateFaults(IReadOnlyList<string> pools, IReadOnlySet<ReplicaRole> roles)
{
    private static readonly string[] Kinds = ["crash", "slow", "stale-metrics", "lost-answer", "spot-preemption", "link-loss"];

    /// <summary>The faults.</summary>
    public IReadOnlyList<Fault> Read(Settings file) => [.. file.Items("faults").Select(One).OfType<Fault>()];

    private Fault? One(Settings fault)
    {
        fault.Require("kind", $"Write one of {string.Join(", ", Kinds)}");
        if (fault.Text("kind") is not { } kind || !Kinds.Contains(kind))
        {
            if (fault.Has("kind"))
                fault.Note("kind", $"is '{fault.Text("kind")}'", $"Write one of {string.Join(", ", Kinds)}");
            foreach (var key in fault.Keys())
                fault.Has(key); // which of them mean something depends on the kind
            return null;
        }

        var pool = kind is "stale-metrics" or "link-loss" ? -1 : Pool(fault);
        switch (kind)
        {
            case "crash":
                return Crash(fault, pool);
            case "slow":
                return When(fault) is { } slow
                    ? new Slowdown { AtSeconds = slow.At, ForSeconds = slow.For, Factor = fault.Number("factor", 1, 1000) ?? 2, Pool = pool }
                    : null;
            case "stale-metrics":
                return When(fault) is { } stale ? new StaleReports { AtSeconds = stale.At, ForSeconds = stale.For } : null;
            case "lost-answer":
                fault.Require("share", "Say what share of the answers is lost, 0 to 1");
                return new LostAnswers { Share = fault.Number("share", 0, 1) ?? 0, Pool = pool };
            case "spot-preemption":
                return Spot(fault, pool);
            default:
                if (!roles.Contains(ReplicaRole.Decode))
                    fault.Note("kind", "is 'link-loss', and no KV cache passes between pools here", "Give a prefill and a decode pool");
                return When(fault) is { } loss ? new LinkLoss { AtSeconds = loss.At, ForSeconds = loss.For } : null;
        }
    }

    private int Pool(Settings fault)
    {
        if (fault.Text("pool") is not { } name)
            return -1;
        for (var i = 0; i < pools.Count; i++)
        {
            if (pools[i] == name)
                return i;
        }

        fault.Note("pool", $"is '{name}'", $"The pools are {string.Join(", ", pools)}");
        return -1;
    }

    private static (double At, double For)? When(Settings fault)
    {
        fault.Require("at_s", "Say when it begins, in seconds");
        fault.Require("for_s", "Say how long it lasts, in seconds");
        return fault.Number("at_s", 0, 1e9) is { } at && fault.Number("for_s", double.Epsilon, 1e9) is { } length ? (at, length) : null;
    }

    private static Crashes Crash(Settings fault, int pool)
    {
        var mean = fault.Number("mean_hours", double.Epsilon, 1e9);
        var at = fault.Number("at_s", 0, 1e9);
        if (mean is null && at is null && !fault.Has("mean_hours") && !fault.Has("at_s"))
            fault.Require("mean_hours", "Say how often, or when with at_s");
        return new Crashes { MeanHours = mean ?? 0, AtSeconds = at is { } when ? [when] : [], Pool = pool };
    }

    private static SpotPreemptions Spot(Settings fault, int pool)
    {
        var (up, down) = (fault.Number("up_hours", double.Epsilon, 1e9), fault.Number("down_hours", double.Epsilon, 1e9));
        var trace = fault.Text("trace");
        if (trace is null)
        {
            fault.Require("up_hours", "Say how long a replica stays on average, or name a trace");
            fault.Require("down_hours", "Say how long until capacity is offered again on average, or name a trace");
        }

        foreach (var mean in (string[])["up_hours", "down_hours"])
            fault.Exclude("trace", mean, "Give the trace, or the means");
        return new SpotPreemptions
        {
            UpHours = up ?? 1,
            DownHours = down ?? 1,
            RunsSeconds = trace is null ? [] : Runs(fault, trace),
            NoticeSeconds = fault.Number("notice_s", 0, 1e6) ?? 120,
            Pool = pool,
        };
    }

    /// <summary>A trace of availability: a line per run, "up,SECONDS" or "down,SECONDS", alternating.</summary>
    private static List<double> Runs(Settings fault, string path)
    {
        var full = Path.Combine(Path.GetDirectoryName(fault.Name) ?? "", path);
        var runs = new List<double>();
        var line = 0;
        string file;
        try
        {
            file = Files.Text(full);
        }
        catch (Refusal refusal)
        {
            fault.Mistakes.AddRange(refusal.Mistakes);
            return [];
        }

        foreach (var text in file.Split('\n').Select(text => text.Trim()))
        {
            line++;
            if (text.Length == 0 || text[0] == '#' || text == "state,seconds")
                continue;
            var parts = text.Split(',');
            var wanted = runs.Count % 2 == 0 ? "up" : "down";
            if (parts.Length == 2 && parts[0].Trim() == wanted && double.TryParse(
                parts[1], System.Globalization.CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
                runs.Add(seconds);
            else
                fault.Mistakes.Add(new Catalog.Mistake($"{full}:{line}", $"'{text}' is not '{wanted},SECONDS'", "Alternate up and down"));
        }

        if (runs.Count < 2)
            fault.Note("trace", $"holds {runs.Count} runs", "Give an up run and a down run at least");
        return runs.Count % 2 == 0 ? runs : runs[..^1];
    }
}
