using System.Diagnostics;
using System.Text.Json;
using TokenFactory.Gateway.Tests.Faults;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>Other processes read the ledger while a gateway writes it: they see what is new, and take nothing away when they leave.</summary>
public sealed class BesideTests
{
    private const string Answer = """{"id":"a","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}""";

    [Fact]
    public async Task Each_report_beside_a_running_gateway_sees_more_and_a_kill_after_it_loses_nothing()
    {
        using var folder = new TemporaryFolder();
        await using var engine = new RawEngine(async line =>
        {
            await line.AnswerAsync(200, Answer);
            return true;
        });
        var file = folder.Write("factory.yaml", Factories.Yaml([engine.Address]));
        using (var gateway = await GatewayProcess.StartAsync(file, folder.Root))
        {
            using var client = Factories.Client(gateway);
            for (var asked = 1; asked <= 3; asked++)
            {
                using var answer = await Factories.ChatAsync(client, Factories.Body(stream: false));
                Assert.True(answer.IsSuccessStatusCode);
                await gateway.UntilAsync(async () => await ReportedAsync(folder.Root) == asked, $"a report of {asked}");
            }

            gateway.Kill();
        }

        Assert.Equal(3, await ReportedAsync(folder.Root));
    }

    /// <summary>Requests that 'report' counts, in a process of its own: within one process SQLite would know of the other connection.</summary>
    private static async Task<long> ReportedAsync(string folder)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(App).Assembly.Location, "report", "--json"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["TOKENFACTORY_CATALOG"] = Program.NoCatalog;
        using var process = Process.Start(start)!;
        var complained = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var text = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode is 0 or 1, await complained);
        var rows = JsonDocument.Parse(text).RootElement.GetProperty("usage").EnumerateArray();
        return rows.Sum(row => row.GetProperty("requests").GetInt64());
    }
}
