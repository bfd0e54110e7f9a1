using TokenFactory.Gateway.Telemetry;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Telemetry;

/// <summary>Records, and what metrics made of them.</summary>
internal static class Facts
{
    /// <summary>A chat stream of 2 s whose first token came after half a second: 100 fresh, 20 cached and 11 output tokens.</summary>
    public static UsageRecord Record(string tenant = "acme", string model = "llama", Outcome outcome = Outcome.Completed) => new()
    {
        Id = "req-1",
        Tenant = tenant,
        Key = "abcdefgh",
        Model = model,
        Pool = "pool",
        Replica = "h100-0",
        Class = "chat",
        Endpoint = "chat",
        Outcome = outcome,
        Arrival = Instant.AtSeconds(10),
        Dispatched = Instant.AtSeconds(10.1),
        FirstToken = Instant.AtSeconds(10.5),
        Ended = Instant.AtSeconds(12),
        Tokens = new TokenCounts(100, 20, 11, 4),
        TokensFrom = TokensFrom.Engine,
        Charged = new Usd(0.25m),
        UsageCost = new Usd(0.125m),
        AllocationCost = new Usd(0.5m),
        Joules = 300,
        JoulesAt = "board",
        JoulesFrom = "estimated",
    };

    /// <summary>Values by name and labels as they stand in the text.</summary>
    public static Dictionary<string, double> Values(this GatewayMetrics metrics) =>
        metrics.Text().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#')
            .ToDictionary(line => line[..line.LastIndexOf(' ')], line => double.Parse(line[(line.LastIndexOf(' ') + 1)..]));

    public static string Text(this GatewayMetrics metrics)
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        metrics.WriteText(text);
        return System.Text.Encoding.UTF8.GetString(text.WrittenSpan);
    }
}
