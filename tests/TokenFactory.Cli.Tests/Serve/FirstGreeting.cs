using System.Text;
using System.Text.RegularExpressions;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>What 'serve' says at its first start, with its usual addresses and without its keys.</summary>
internal static partial class FirstGreeting
{
    private const string Last = "Ctrl-C stops it";
    private static readonly Lazy<string> Said = new(() => StartAsync().GetAwaiter().GetResult());

    public static string Text => Said.Value;

    private static async Task<string> StartAsync()
    {
        using var folder = new TemporaryFolder();
        using var gateway = GatewayProcess.Begin(folder.Root, "--set", "listen=127.0.0.1:0", "--set", "admin=127.0.0.1:0");
        var said = new StringBuilder();
        for (var line = ""; line is not null && !line.StartsWith(Last, StringComparison.Ordinal);)
        {
            line = await gateway.LineAsync();
            Assert.True(line is not null, gateway.Errors);
            said.Append(line).Append('\n');
        }

        var text = said.ToString();
        var ports = Port().Matches(text).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.Equal(2, ports.Count);
        return Key().Replace(text.Replace(ports[0], "127.0.0.1:8080", StringComparison.Ordinal).Replace(ports[1], "127.0.0.1:8081", StringComparison.Ordinal), "$1...");
    }

    [GeneratedRegex(@"127\.0\.0\.1:[0-9]+")]
    private static partial Regex Port();

    [GeneratedRegex("(sk-tf-(?:admin-)?)[A-Za-z0-9_-]{20,}")]
    private static partial Regex Key();
}
