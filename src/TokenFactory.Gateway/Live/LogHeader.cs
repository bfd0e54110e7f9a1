using System.Text.Json.Nodes;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Performance;
using TokenFactory.Policies;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// The first line of a log: everything in a setup that decisions depend on, so that whoever replays it with another is told so.
/// </summary>
internal static class LogHeader
{
    public const string Format = "tokenfactory-events";
    public const int Version = 1;

    private const int SampleSequences = 32;
    private const int SampleTokens = 2048;

    public static JsonObject Of(GatewaySetup setup) => new()
    {
        ["format"] = Format,
        ["version"] = Version,
        ["factory"] = setup.Name,
        ["routing"] = setup.Policies.Routing,
        ["eligibility"] = Of(setup.Policies.Eligibility),
        ["limits"] = new JsonObject { ["wait_s"] = setup.Limits.WaitSeconds, ["waiting"] = setup.Limits.Waiting },
        ["classes"] = new JsonArray([.. setup.Classes.Select(Of)]),
        ["models"] = new JsonArray([.. setup.Models.Select(Of)]),
    };

    /// <summary>What differs between two headers, in words; nothing where none does.</summary>
    public static IEnumerable<string> Differences(JsonNode? logged, JsonNode? here, string path = "")
    {
        if (logged is JsonObject left && here is JsonObject right)
        {
            var names = left.Select(one => one.Key).Union(right.Select(one => one.Key), StringComparer.Ordinal);
            return names.SelectMany(name => Differences(left[name], right[name], path.Length == 0 ? name : $"{path}.{name}"));
        }

        if (logged is JsonArray before && here is JsonArray after && before.Count == after.Count)
            return Enumerable.Range(0, before.Count).SelectMany(i => Differences(before[i], after[i], $"{path}[{i}]"));
        if (logged is JsonArray some && here is JsonArray others)
            return [$"{path} has {some.Count} entries in the log and {others.Count} in the factory file"];
        return Text(logged) == Text(here) || Near(logged, here) ? [] : [$"{path} is {Text(logged)} in the log and {Text(here)} in the factory file"];
    }

    /// <summary>Processors need not round alike: a log may be replayed on another than wrote it.</summary>
    private static bool Near(JsonNode? logged, JsonNode? here) =>
        logged is JsonValue left && here is JsonValue right
        && left.TryGetValue<double>(out var one) && right.TryGetValue<double>(out var other)
        && Math.Abs(one - other) <= Replay.Rounding * Math.Max(Math.Abs(one), Math.Abs(other));

    private static string Text(JsonNode? node) => node?.ToJsonString() ?? "absent";

    private static JsonObject Of(Eligibility eligibility) => new()
    {
        ["queue_share"] = eligibility.QueueShare,
        ["least_queued"] = eligibility.LeastQueued,
        ["kv_share"] = eligibility.KvShare,
        ["stale_s"] = eligibility.StaleSeconds,
    };

    private static JsonNode? Of(ServiceClass kind) => new JsonObject
    {
        ["name"] = kind.Name,
        ["priority"] = kind.Priority,
        ["ttft_s"] = kind.TtftSeconds,
        ["tpot_s"] = kind.TpotSeconds,
        ["end_to_end_s"] = kind.EndToEndSeconds,
        ["deadline_s"] = kind.DeadlineSeconds,
        ["fills_slack"] = kind.FillsSlack,
    };

    private static JsonNode? Of(ModelSetup model) => new JsonObject
    {
        ["name"] = model.Name,
        ["prefix_keys"] = Brain.KeysOf(model),
        ["pools"] = new JsonArray([.. model.Pools.Select(pool => Of(pool.Facts))]),
    };

    private static JsonNode? Of(PoolFacts pool)
    {
        var steps = new StepTable(pool.Model);
        return new JsonObject
        {
            ["name"] = pool.Name,
            ["role"] = pool.Role.ToString(),
            ["usd_per_hour"] = pool.UsdPerHour,
            ["kv_tokens"] = pool.KvTokens,
            ["longest_tokens"] = double.IsFinite(pool.LongestTokens) ? pool.LongestTokens : null,
            ["max_sequences"] = pool.MaxSequences,
            ["token_budget"] = steps.TokenBudget,
            ["decode_s"] = steps.Decode(SampleSequences, SampleTokens),
            ["prompt_s"] = steps.Prompt(SampleTokens, 0, 0),
        };
    }
}
