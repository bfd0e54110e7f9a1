using System.Collections.Concurrent;
using System.Text.Json;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests.Articles;

/// <summary>What the program answers for the example files and the catalog, each asked once.</summary>
internal static class Examples
{
    private static readonly ConcurrentDictionary<string, JsonElement> Answers = new(StringComparer.Ordinal);

    public static JsonElement Ask(string command) => Answers.GetOrAdd(command, asked =>
    {
        var run = Program.Run([.. asked.Split(' '), "--json"]);
        Assert.True(run.Code == 0, run.Err);
        return run.Json;
    });

    /// <summary>The row of an example of price, for a GPU and the ways it is paid for.</summary>
    public static JsonElement Point(string example, string gpu, string billing = "on-demand", string? provider = null) =>
        Ask($"price examples/{example}.yaml").GetProperty("points").EnumerateArray().Single(point =>
            point.GetProperty("gpu").GetString() == gpu && point.GetProperty("billing").GetString() == billing
            && (provider is null || point.GetProperty("provider").GetString() == provider));

    public static double Number(this JsonElement row, string key) => row.GetProperty(key).GetDouble();

    public static double Cost(this JsonElement row) => row.Number("usd_per_million_tokens");

    /// <summary>A number of a catalog entry.</summary>
    public static double Catalog(string entry, string number) =>
        Ask($"catalog show {entry}").GetProperty("numbers").EnumerateArray().Single(row => row.GetProperty("number").GetString() == number).Number("value");

    /// <summary>A word of an accelerator's entry.</summary>
    public static string Word(string gpu, string key) =>
        JsonDocument.Parse(Repository.Text("catalog", "accelerators", gpu + ".json")).RootElement.GetProperty(key).GetString()!;
}
