using System.ComponentModel;
using System.Diagnostics;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Policies;
using TokenFactory.Store.Ledger;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Telemetry;

public sealed class MetricsTests
{
    private const string Chat = "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"tokenfactory\",gen_ai_request_model=\"llama\"";
    private const string Acme = "tenant=\"acme\",gen_ai_request_model=\"llama\"";

    [Fact]
    public void A_request_that_ended_is_counted_in_all_that_it_took()
    {
        using var metrics = new GatewayMetrics(new HandClock());
        metrics.Finished(Facts.Record(), 0.1, 200);
        metrics.Finished(Facts.Record(outcome: Outcome.Failed), 0.1, 502);
        var values = metrics.Values();
        Assert.Equal(200, values[$"tokenfactory_tokens_total{{{Acme},class=\"fresh\"}}"]);
        Assert.Equal(40, values[$"tokenfactory_tokens_total{{{Acme},class=\"cached\"}}"]);
        Assert.Equal(22, values[$"tokenfactory_tokens_total{{{Acme},class=\"output\"}}"]);
        Assert.Equal(8, values[$"tokenfactory_tokens_reasoning_total{{{Acme}}}"]);
        Assert.Equal(0.5, values[$"tokenfactory_charged_usd_total{{{Acme}}}"]);
        Assert.Equal(0.25, values[$"tokenfactory_cost_usd_total{{{Acme},basis=\"usage\"}}"]);
        Assert.Equal(600, values[$"tokenfactory_energy_joules_total{{{Acme},at=\"board\",from=\"estimated\"}}"]);
        Assert.Equal(1, values[$"tokenfactory_requests_total{{{Acme},outcome=\"completed\",http_response_status_code=\"200\"}}"]);
        Assert.Equal(1, values[$"tokenfactory_requests_total{{{Acme},outcome=\"failed\",http_response_status_code=\"502\"}}"]);
        Assert.Equal(2, values[$"gen_ai_server_request_duration_seconds_sum{{{Chat}}}"]);
        Assert.Equal(1, values[$"gen_ai_server_request_duration_seconds_count{{{Chat},error_type=\"failed\"}}"]);
        Assert.Equal(1, values[$"gen_ai_server_time_to_first_token_seconds_sum{{{Chat}}}"]);
        Assert.Equal(0.15, values[$"gen_ai_server_time_per_output_token_seconds_sum{{{Chat}}}"], 12);
        Assert.Equal(240, values[$"gen_ai_client_token_usage_sum{{{Chat},gen_ai_token_type=\"input\"}}"]);
        Assert.Equal(0.2, values["tokenfactory_queue_wait_seconds_sum{class=\"chat\"}"], 12);
    }

    [Fact]
    public void Refusals_sheds_and_retries_are_counted_by_their_reason()
    {
        using var metrics = new GatewayMetrics(new HandClock());
        metrics.Refused(429, "insufficient_quota");
        metrics.Refused(429, "insufficient_quota");
        metrics.Shed("chat", ShedLimit.MaxWait);
        metrics.Retried("llama");
        var values = metrics.Values();
        Assert.Equal(2, values["tokenfactory_refusals_total{http_response_status_code=\"429\",code=\"insufficient_quota\"}"]);
        Assert.Equal(1, values["tokenfactory_sheds_total{class=\"chat\",limit=\"max_wait_s\"}"]);
        Assert.Equal(1, values["tokenfactory_retries_total{gen_ai_request_model=\"llama\"}"]);
    }

    [Fact]
    public async Task Many_threads_lose_no_count()
    {
        using var metrics = new GatewayMetrics(new HandClock());
        var record = Facts.Record();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50_000; i++)
                metrics.Finished(record, 0.1, 200);
        }, TestContext.Current.CancellationToken)));
        var values = metrics.Values();
        Assert.Equal(20_000_000, values[$"tokenfactory_tokens_total{{{Acme},class=\"fresh\"}}"]);
        Assert.Equal(200_000, values[$"gen_ai_server_request_duration_seconds_count{{{Chat}}}"]);
        Assert.Equal(400_000, values[$"gen_ai_server_request_duration_seconds_sum{{{Chat}}}"]);
    }

    /// <summary>Counts of buckets rise, the last is the count, and each value lies in the first bucket that is not below it.</summary>
    [Fact]
    public void Histograms_hold_every_value_in_its_bucket() => Cases.Check(30, dice =>
    {
        using var metrics = new GatewayMetrics(new HandClock());
        var waits = dice.Many(1, 200, () => dice.Chance(0.2) ? 0.25 : dice.Scale(1e-6, 1e4));
        foreach (var wait in waits)
            metrics.Finished(Facts.Record(), wait, 200);
        foreach (var (name, count) in metrics.Values().Where(each => each.Key.Contains("queue_wait_seconds_bucket")))
        {
            var bound = name.Split("le=\"")[1].TrimEnd('}', '"');
            Assert.Equal(waits.Count(wait => bound == "+Inf" || wait <= double.Parse(bound)), count);
        }

        Nearly.Equal(waits.Sum(), metrics.Values()["tokenfactory_queue_wait_seconds_sum{class=\"chat\"}"], 1e-9);
    });

    [Fact]
    public void However_many_tenants_come_the_series_are_bounded_and_nothing_of_a_request_is_a_label()
    {
        using var metrics = new GatewayMetrics(new HandClock(), mostTenants: 3);
        metrics.Watch = new GatewayWatch { Tenants = () => [.. Enumerable.Range(0, 5).Select(i => Usage($"t{i}", 1))] };
        for (var i = 0; i < 5; i++)
            metrics.Finished(Facts.Record($"t{i}"), 0, 200);
        var lines = metrics.Values().Count;
        for (var i = 0; i < 10_000; i++)
            metrics.Finished(Facts.Record($"t{i}") with { Id = $"req-{i}", Key = $"key{i}" }, 0, 200);
        for (var i = 0; i < 1000; i++)
        {
            metrics.Refused(i, $"code{i}");
            metrics.Retried($"model{i}");
            metrics.Shed($"class{i}", ShedLimit.Deadline);
        }

        var values = metrics.Values();
        string[] grown = ["refusals", "retries", "sheds"];
        Assert.Equal(lines, values.Keys.Count(name => !grown.Any(name.Contains)));
        Assert.InRange(values.Count, lines, lines + 101 + 201 + 51 + 1000);
        Assert.Equal(10_005 * 100, values.Where(each => each.Key.Contains("class=\"fresh\"")).Sum(each => each.Value));
        Assert.Equal(1, values["tokenfactory_labels_other{label=\"tenant\"}"]);
        Assert.Equal(2, values["tokenfactory_reserved_usd{tenant=\"other\"}"]);
        Assert.DoesNotContain("req-", metrics.Text(), StringComparison.Ordinal);
        Assert.DoesNotContain("key1", metrics.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void Replicas_queues_and_the_store_are_told_as_they_are_now_and_one_look_serves_a_scrape()
    {
        var (clock, looks) = (new HandClock(), 0);
        using var metrics = new GatewayMetrics(clock);
        metrics.Watch = new GatewayWatch
        {
            Replicas = () => [Replica("a\"b\\", 1000 * ++looks, 1), Replica("c", 0, 0) with { State = "draining", ReportAgeS = null }],
            Queues = () => [new QueueDepth("llama", "chat", 7)],
            Store = () => new StoreStatus("memory", Instant.Start, 4096, false),
        };
        var values = metrics.Values();
        Assert.Equal(1, looks);
        Assert.Equal(1, values["tokenfactory_replica_ready{replica=\"a\\\"b\\\\\",pool=\"pool\",gen_ai_request_model=\"llama\"}"]);
        Assert.Equal(0, values["tokenfactory_replica_ready{replica=\"c\",pool=\"pool\",gen_ai_request_model=\"llama\"}"]);
        Assert.Single(values.Keys, name => name.StartsWith("tokenfactory_replica_report_age_seconds", StringComparison.Ordinal));
        Assert.Equal(7, values["tokenfactory_queue_depth{gen_ai_request_model=\"llama\",class=\"chat\"}"]);
        Assert.Equal(1, values["tokenfactory_store_away"]);
        Assert.Equal(4096, values["tokenfactory_journal_waiting_bytes"]);
        clock.Advance(1);
        metrics.Values();
        Assert.Equal(2, looks);
    }

    [Fact]
    public void Tokens_per_watt_and_dollars_per_million_tokens_are_those_of_the_last_minute()
    {
        var (clock, joules) = (new HandClock(), 0.0);
        using var metrics = new GatewayMetrics(clock);
        metrics.Watch = new GatewayWatch { Replicas = () => [Replica("a", joules, joules / 1e6)] };
        for (var second = 0; second < 600; second += 5)
        {
            joules += second < 300 ? 500 : 5000; // 100 W, then 1 kW
            metrics.Finished(Facts.Record(), 0, 200);
            clock.Advance(5);
        }

        var values = metrics.Values();
        Nearly.Equal(11 * 12 / 60_000.0, values["tokenfactory_tokens_per_watt{gen_ai_request_model=\"llama\",tokens=\"output\"}"]);
        Nearly.Equal(131 * 12 / 60_000.0, values["tokenfactory_tokens_per_watt{gen_ai_request_model=\"llama\",tokens=\"all\"}"]);
        var dear = values["tokenfactory_usd_per_million_tokens{gen_ai_request_model=\"llama\",tokens=\"output\"}"];
        Nearly.Equal(0.06 / (11 * 12) * 1e6, dear, 1e-9);
        metrics.Watch = new GatewayWatch { Replicas = () => throw new ObjectDisposedException("fleet") };
        clock.Advance(5);
        metrics.Watch = new GatewayWatch { Replicas = () => [Replica("a", joules, joules / 1e6)] };
        Assert.DoesNotContain(metrics.Values().Keys, name => name.StartsWith("tokenfactory_tokens_per_watt", StringComparison.Ordinal));
        clock.Advance(5);
        joules = 0; // the replica began anew
        clock.Advance(5);
        Assert.All(metrics.Values().Where(each => each.Key.Contains("per_")), each => Assert.True(each.Value >= 0, each.Key));
    }

    [Fact]
    public async Task Prometheus_own_tool_finds_nothing_wrong_with_the_text()
    {
        using var metrics = new GatewayMetrics(new HandClock());
        metrics.Watch = new GatewayWatch
        {
            Replicas = () => [Replica("h100-0", 12.5, 1)],
            Queues = () => [new QueueDepth("llama", "chat", 7)],
            Tenants = () => [Usage("acme", 1)],
            Store = () => new StoreStatus("memory", null, 0, false),
        };
        metrics.Finished(Facts.Record("a\\c\"m\ne"), 0.1, 200);
        metrics.Refused(429, "rate_limit_exceeded");
        metrics.Shed("chat", ShedLimit.Deadline);
        metrics.Retried("llama");
        var (code, said) = await PromtoolAsync(metrics.Text());
        Assert.True(code == 0, $"promtool ended with {code}: {said}");
    }

    private static async Task<(int Code, string Said)> PromtoolAsync(string text)
    {
        Process tool;
        try
        {
            tool = Process.Start(new ProcessStartInfo("promtool", ["check", "metrics"])
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception)
        {
            Assert.Skip("promtool is not installed (Debian's package prometheus)");
            throw;
        }

        using (tool)
        {
            await tool.StandardInput.WriteAsync(text);
            tool.StandardInput.Close();
            var said = await tool.StandardError.ReadToEndAsync() + await tool.StandardOutput.ReadToEndAsync();
            await tool.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (tool.ExitCode, said);
        }
    }

    internal static ReplicaStatus Replica(string name, double joules, double paid) => new(
        name, "llama", "pool", "1 x H100", true, null, "ready", "", 1, 2, 3, 0.5, 0.25, 400, joules, joules / 4, paid, paid / 4, 60);

    private static TenantUsage Usage(string tenant, decimal reserved) =>
        new(tenant, Usd.Zero, Usd.Zero, Usd.Zero, new Usd(reserved), 1, null, null);
}
