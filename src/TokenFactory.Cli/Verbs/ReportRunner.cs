using System.CommandLine;
using TokenFactory.Cli.Input;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Store;
using TokenFactory.Store.Focus;
using TokenFactory.Store.Reports;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads a ledger, and writes what was asked for.</summary>
internal sealed class ReportRunner(Terminal terminal, CommonFlags common, ParseResult parsed, ReportAsked asked)
{
    private const string DefaultFolder = ".tokenfactory";

    public int Run() => RunAsync(CancellationToken.None).GetAwaiter().GetResult();

    private async Task<int> RunAsync(CancellationToken cancel)
    {
        var rates = Rates(); // mistakes of that file are told before anything is read or written
        using var temporary = new TemporaryLedger();
        await using var store = Open(temporary);
        var (from, to) = (Instant(asked.From), Instant(asked.To));
        try
        {
            await store.PrepareAsync(cancel).ConfigureAwait(false);
            if (asked.Read is { } table)
                await store.AddAsync(ReportRecords.Read(table), [], cancel).ConfigureAwait(false);
            var report = await UsageReport.MakeAsync(store, from, to, asked.By, cancel).ConfigureAwait(false);
            await WriteAsync(store, report, from, to, rates, cancel).ConfigureAwait(false);
            App.Print(ReportTables.Of(report, asked, store.What), terminal, common, parsed);
            return report.Total.Requests > 0 ? App.Done : App.AnswerIsNo;
        }
        catch (StoreAwayException away)
        {
            throw new Refusal(store.What, $"cannot be read: {away.Message.TrimEnd('.')}", "Start it, or name another with --store or --postgres-env");
        }
        catch (StoreSetupException wrong)
        {
            throw Mend(store.What, wrong);
        }
        catch (InvalidDataException damaged)
        {
            throw new Refusal("ledger", damaged.Message.TrimEnd('.'), "Or name another with --store or --postgres-env");
        }
        catch (FocusException against)
        {
            throw new Refusal("--focus", $"would break FOCUS 1.2, so that it was not written: {string.Join(' ', against.Mistakes).TrimEnd('.')}", "Mend the records, or leave it out");
        }
        catch (StoreTooNewException young)
        {
            throw new Refusal(store.What, young.Message.TrimEnd('.'), "Use the Token Factory that wrote it");
        }
    }

    /// <summary>The ledger that is read; null where the records are elsewhere.</summary>
    public static string? Ledger(ReportAsked asked) =>
        (asked.Read ?? asked.Postgres) is null ? Path.Combine(asked.Store ?? DefaultFolder, GatewayHost.LedgerFile) : null;

    private IUsageStore Open(TemporaryLedger temporary)
    {
        try
        {
            return UsageStores.Open(Location(temporary));
        }
        catch (StoreSetupException wrong)
        {
            throw Mend("store", wrong);
        }
    }

    private static Refusal Mend(string where, StoreSetupException wrong) =>
        new(where, wrong.Message.TrimEnd('.'), "Mend that, or name another with --store or --postgres-env");

    private StoreLocation Location(TemporaryLedger temporary)
    {
        if (asked.Read is not null)
            return StoreLocation.Sqlite(temporary.File);
        if (asked.Postgres is { } variable)
        {
            var connection = Environment.GetEnvironmentVariable(variable);
            return string.IsNullOrEmpty(connection)
                ? throw new Refusal("command line", $"--postgres-env names the variable {variable}, which is empty", "Set it to the connection string")
                : StoreLocation.Postgres(connection);
        }

        var file = Ledger(asked)!;
        return File.Exists(file)
            ? StoreLocation.Sqlite(file)
            : throw new Refusal("command line", $"there is no ledger '{file}'", "Name the folder of the gateway's store with --store DIR, or start 'tokenfactory serve' here");
    }

    /// <summary>List prices of each model of the factory file; none where no file is named.</summary>
    private Dictionary<string, ChargeRates> Rates()
    {
        if (asked.Prices is not { } path)
            return [];
        var catalog = common.Catalog(parsed, terminal, "points", "api-prices", "tiers", "engines");
        var calibration = common.Calibration(parsed, terminal, catalog);
        var factory = new ServeInput(Settings.OfFile(path, SimulateChanges.Read([], null)), catalog, calibration, common.Today(parsed, terminal)).Read();
        return factory.Setup.Models.Where(model => model.Price is not null).ToDictionary(
            model => model.Name, model => new ChargeRates(model.Price!.Input, model.Price.Cached, model.Price.Output), StringComparer.Ordinal);
    }

    private async Task WriteAsync(
        IUsageStore store, UsageReport report, Instant from, Instant to, Dictionary<string, ChargeRates> rates, CancellationToken cancel)
    {
        var focus = asked.Focus is null ? "" : await FocusAsync(store, from, to, rates, cancel).ConfigureAwait(false); // refused before anything is written
        if (asked.Csv is { } rows)
            Files.Write(rows, ReportTables.Csv(report), "--csv");
        if (asked.Records is { } records)
        {
            var lines = new List<string> { ReportRecords.Header };
            await foreach (var record in store.UsageAsync(from, to, cancel).ConfigureAwait(false))
                lines.Add(ReportRecords.Line(record));
            Files.Write(records, lines, "--records-csv");
        }

        if (asked.Focus is { } file)
            Files.Write(file, focus, "--focus");
    }

    private static async Task<string> FocusAsync(
        IUsageStore store, Instant from, Instant to, Dictionary<string, ChargeRates> rates, CancellationToken cancel)
    {
        using var text = new StringWriter();
        var options = new FocusOptions("token-factory") { Rates = rates.GetValueOrDefault };
        await FocusExport.WriteAsync(store, text, options, from, to, cancel).ConfigureAwait(false);
        return text.ToString();
    }

    private static Instant Instant(DateTime at) => new((at - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick);

    /// <summary>A ledger of its own for a table, gone when it is reported.</summary>
    private sealed class TemporaryLedger : IDisposable
    {
        private readonly string _folder = Path.Combine(Path.GetTempPath(), "tokenfactory-report-" + Guid.NewGuid().ToString("N"));

        public string File => Path.Combine(_folder, GatewayHost.LedgerFile);

        public void Dispose()
        {
            if (Directory.Exists(_folder))
                Directory.Delete(_folder, recursive: true);
        }
    }
}
