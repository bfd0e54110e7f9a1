using System.Text.Json.Nodes;
using TokenFactory.Gateway.Setup;
using TokenFactory.Policies;

namespace TokenFactory.Gateway.Live;

/// <summary>What came of deciding a log's decisions again.</summary>
/// <param name="Events">Events that were applied.</param>
/// <param name="Decisions">Decisions that were made again.</param>
/// <param name="Equal">Of them, those that came out the same.</param>
/// <param name="Differences">The first that did not, in words.</param>
/// <param name="Stopped">Why the log could not be followed to its end; null where it was.</param>
public sealed record ReplayReport(long Events, long Decisions, long Equal, IReadOnlyList<string> Differences, string? Stopped)
{
    /// <summary>Differences that are kept in words.</summary>
    public const int MostDifferences = 20;
}

/// <summary>Feeds a log of events through fleet state and policies, and compares what they decide with what was decided (law 9).</summary>
public static class Replay
{
    /// <summary>Largest relative difference of numbers behind equal decisions: processors need not round alike.</summary>
    internal const double Rounding = 1e-9;

    /// <summary>Replays a log.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="setup">The factory file that it was written under.</param>
    /// <exception cref="EventLogException">It is damaged, or was written under another setup.</exception>
    public static ReplayReport Run(string path, GatewaySetup setup)
    {
        using var log = new LogReader(path);
        var here = JsonNode.Parse(LogHeader.Of(setup).ToJsonString());
        var others = LogHeader.Differences(log.Header, here).ToList();
        if (others.Count > 0)
            throw new EventLogException($"was written under another setup: {string.Join("; ", others)}");
        var brains = setup.Models.Select(model => new Brain(model, setup)).ToList();
        var (events, decisions, equal, differences) = (0L, 0L, 0L, new List<string>());
        foreach (var line in log.Lines())
        {
            if (line.Lost > 0)
                return Report($"{line.Lost} lines are missing at line {line.Number}: what came after depends on them");
            var brain = brains[line.Entry.Model];
            if (line.Entry.Decision is not { } logged)
            {
                Apply(brain, line);
                events++;
                continue;
            }

            decisions++;
            var again = brain.Decide(line.Entry.Event.Ask!, line.Entry.Event.At);
            if (Same(logged, again))
                equal++;
            else if (differences.Count < ReplayReport.MostDifferences)
                differences.Add(Words(line, logged, again));
        }

        return Report(null);

        ReplayReport Report(string? stopped) => new(events, decisions, equal, differences, stopped);
    }

    private static void Apply(Brain brain, in LogLine line)
    {
        try
        {
            brain.State.Apply(line.Entry.Event);
        }
        catch (ArgumentException cannot)
        {
            throw new EventLogException($"line {line.Number} tells what cannot have happened: {cannot.Message.Split(" (Parameter")[0]}", cannot);
        }
    }

    private static bool Same(in RoutingDecision logged, in RoutingDecision again) =>
        logged.Replica == again.Replica
        && logged.FreshTokens == again.FreshTokens
        && logged.Reason.Cause == again.Reason.Cause
        && Near(logged.Reason.A, again.Reason.A)
        && Near(logged.Reason.B, again.Reason.B)
        && Near(logged.Reason.C, again.Reason.C);

    private static bool Near(double one, double other) =>
        one.Equals(other) || Math.Abs(one - other) <= Rounding * Math.Max(Math.Abs(one), Math.Abs(other));

    private static string Words(in LogLine line, in RoutingDecision logged, in RoutingDecision again) =>
        $"line {line.Number}: request {line.Entry.Event.Ask!.Id} {Went(logged)}, decided again it {Went(again)}";

    private static string Went(in RoutingDecision decision) => decision.Waits
        ? $"waits ({decision.Reason})"
        : $"goes to replica {decision.Replica} with {decision.FreshTokens} tokens to compute ({decision.Reason})";
}
