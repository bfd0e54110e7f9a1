namespace TokenFactory.Cli.Tests;

/// <summary>simulate refuses what cannot run before time starts: the place, the value and the remedy, all mistakes at once, nothing written.</summary>
public sealed class SimulateRefusalTests
{
    private const string Chat = "examples/simulate-chat.yaml";

    [Theory]
    [InlineData("'model' is llama-3.1-405b, which does not fit on 1 x h100-sxm in bf16", "pools.0.model=llama-3.1-405b", "pools.0.precision=bf16", "pools.0.tp=1")]
    [InlineData("'name' is 'nobody', and no stream of the workload sends that class. The workload sends chat", "classes.0.name=nobody")]
    [InlineData("'pools' is not a list of settings", "pools=[]")]
    [InlineData("'replicas' is 0", "pools.one.replicas=0")]
    [InlineData("'replicas' is 200,000. Give at most 100,000", "pools.one.replicas=200000")]
    [InlineData("'replicas' is 9, more than most, 4", "pools.one.replicas=9", "pools.one.scaling={most: 4}")]
    [InlineData("'most' is missing", "pools.one.scaling={least: 1}")]
    [InlineData("'policy' is 'magic'. Write target-utilisation or predictive", "pools.one.scaling={most: 2, policy: magic}")]
    [InlineData("'routing' is 'random'. Write one of marginal-cost, round-robin, least-outstanding, power-of-two, prefix-affinity", "policies.routing=random")]
    [InlineData("'margin' is 2", "policies.margin=2")]
    [InlineData("'continue_answers' is 'perhaps'. Write true or false", "policies.continue_answers=perhaps")]
    [InlineData("'role' is 'prefil'. Write aggregated, prefill or decode", "pools.one.role=prefil")]
    [InlineData("'batching' is 'dynamic'. Write continuous or static", "pools.one.batching=dynamic")]
    [InlineData("'engine' is 'llama.cpp'", "pools.one.engine=llama.cpp")]
    [InlineData("'max_context_tokens' is 10,000,000. llama-3.1-8b is made for 131,072 at most", "pools.one.max_context_tokens=10000000")]
    [InlineData("'host_gb_per_s' is the speed of a host memory that is not given", "pools.one.host_gb_per_s=50")]
    [InlineData("'usd_per_gpu_hour' contradicts 'provider'", "pools.one.provider=aws")]
    [InlineData("'billing' is 'weekly'", "pools.one.billing=weekly")]
    [InlineData("'pools' has a pool of role prefill and none of role decode", "pools.one.role=prefill")]
    [InlineData("'pools' has a pool of role decode and none of role prefill", "pools.one.role=decode")]
    [InlineData("'kind' is 'fire'. Write one of crash, slow", "faults=[{kind: fire, at_s: 5}]")]
    [InlineData("'pool' is 'two'. The pools are one", "faults=[{kind: slow, pool: two, at_s: 5, for_s: 5}]")]
    [InlineData("'for_s' is missing", "faults=[{kind: slow, at_s: 5}]")]
    [InlineData("'mean_hours' is missing", "faults=[{kind: crash}]")]
    [InlineData("'share' is missing", "faults=[{kind: lost-answer}]")]
    [InlineData("'up_hours' is missing", "faults=[{kind: spot-preemption, down_hours: 1}]")]
    [InlineData("'trace' contradicts 'down_hours'", "faults=[{kind: spot-preemption, trace: nowhere.csv, down_hours: 1}]")]
    [InlineData("nowhere.csv: does not exist", "faults=[{kind: spot-preemption, trace: nowhere.csv}]")]
    [InlineData("and no KV cache passes between pools here", "faults=[{kind: link-loss, at_s: 5, for_s: 5}]")]
    [InlineData("unknown key 'pool'", "faults=[{kind: stale-metrics, pool: one, at_s: 5, for_s: 5}]")]
    [InlineData("'stop_s' is 0", "stop_s=0")]
    [InlineData("'report_s' is -1", "report_s=-1")]
    [InlineData("'too_long' is 'perhaps'. Write reject, or refuse", "workload.too_long=perhaps")]
    [InlineData("unknown key 'pool'", "pool=5")]
    [InlineData("unknown key 'routing'", "pools.one.routing=random")]
    [InlineData("'trace' contradicts 'streams'", "workload.trace=x.csv")]
    [InlineData("--set pools.two.tp: there is no 'two'. There: 0 or one", "pools.two.tp=2")]
    [InlineData("--set is 'pools'. Write KEY=VALUE", "pools")]
    [InlineData("which is not YAML", "pools.one.tp={")]
    public void Names_the_key_its_value_and_the_remedy(string message, params string[] sets)
    {
        using var folder = new TemporaryFolder();
        var page = Path.Combine(folder.Root, "page.html");
        var path = folder.Write("small.yaml", SimulateVerbTests.Small);
        var run = Program.Run(["simulate", path, "--html", page, "--requests-csv", page + ".csv", .. sets.SelectMany(set => new[] { "--set", set })]);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of its own", run.Err, StringComparison.Ordinal);
        Assert.Equal(["small.yaml"], folder.Files());
    }

    [Theory]
    [InlineData("--seed is 'x'", Chat, "--seed", "x")]
    [InlineData("--seeds goes with --compare", Chat, "--seeds", "3")]
    [InlineData("--seeds is '0'", "--compare", Chat, "--seeds", "0")]
    [InlineData("2 scenarios are named. Give one, or --compare", Chat, Chat)]
    [InlineData("--compare writes no tables", "--compare", Chat, "--requests-csv", "x.csv")]
    [InlineData("--compare shows no replicas", "--compare", Chat, "--replicas")]
    [InlineData("nowhere.yaml: does not exist", "nowhere.yaml")]
    [InlineData("nowhere.csv: does not exist", Chat, "--trace", "nowhere.csv")]
    [InlineData("'pools' is missing", "examples/workload-mix.yaml")]
    [InlineData("Take the class out, or give all rows of the trace this one", Chat, "--trace", "examples/traces/azure-code.csv")]
    [InlineData("unknown flag '--step-by-stp'. Did you mean '--step-by-step'?", Chat, "--step-by-stp")]
    [InlineData("Required argument", "--json")]
    [InlineData("cannot be written", Chat, "--html", "nowhere/x.html")]
    [InlineData("--html is 'examples/simulate-chat.yaml', which is read", Chat, "--html", Chat)]
    [InlineData("--requests-csv is 'x.csv', and so is --intervals-csv", Chat, "--requests-csv", "x.csv", "--intervals-csv", "x.csv")]
    public void Refuses_command_lines_that_mean_nothing(string message, params string[] arguments)
    {
        var run = Program.Run(["simulate", .. arguments]);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_written_leaves_none_and_costs_no_run()
    {
        using var folder = new TemporaryFolder();
        var table = Path.Combine(folder.Root, "requests.csv");
        var run = Program.Run("simulate", Chat, "--requests-csv", table, "--html", Path.Combine(folder.Root, "nowhere", "page.html"), "--intervals-csv", folder.Root);
        Assert.Equal(2, run.Code);
        Assert.Equal(2, run.Err.Split('\n').Count(line => line.StartsWith("error: ", StringComparison.Ordinal)));
        Assert.DoesNotContain("real time", run.Err, StringComparison.Ordinal);
        Assert.Empty(folder.Files());
    }

    [Fact]
    public void A_trace_with_negative_time_is_refused_with_its_line()
    {
        using var folder = new TemporaryFolder();
        var trace = folder.Write("trace.csv", "arrival_s,input_tokens,output_tokens,class\n0,100,10,chat\n-1,100,10,chat\n");
        var run = Program.Run("simulate", folder.Write("small.yaml", SimulateVerbTests.Small), "--trace", trace);
        Assert.Equal(2, run.Code);
        Assert.Contains("trace.csv:3: ", run.Err, StringComparison.Ordinal);
        Assert.Contains("-1", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_price_that_nobody_asks_is_missed()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("small.yaml", SimulateVerbTests.Small.Replace("usd_per_gpu_hour: 2", "provider: nobody", StringComparison.Ordinal));
        var run = Program.Run("simulate", path);
        Assert.Equal(2, run.Code);
        Assert.Contains("has no on-demand price for h100-sxm from nobody in the catalog. Give usd_per_gpu_hour", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_spot_trace_that_does_not_alternate_is_refused_with_its_lines()
    {
        using var folder = new TemporaryFolder();
        folder.Write("spot.csv", "state,seconds\nup,40\nup,20\ndown,x\n");
        var path = folder.Write("small.yaml", SimulateVerbTests.Small);
        var run = Program.Run("simulate", path, "--set", "faults=[{kind: spot-preemption, trace: spot.csv}]");
        Assert.Equal(2, run.Code);
        Assert.Contains("spot.csv:3: 'up,20' is not 'down,SECONDS'", run.Err, StringComparison.Ordinal);
        Assert.Contains("spot.csv:4: 'down,x' is not 'down,SECONDS'", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_all_mistakes_of_a_file_at_once_with_their_lines_and_no_others()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.yaml", """
            pools:
              - name: a
                model: llama-3.1-405b
                gpu: h100
                precision: bf16
                tp: 1
                replicas: 0
                batching: dynamic
                prefix_caching: maybe
                usd_per_gpu_hour: 2
              - name: a
                model: lama-8b
                gpu: h100
                role: prefill
                max_context_tokens: 999
                block_tokens: 16
            classes:
              - {name: nobody, ttft_s: 1, tpot: 3}
              - {ttft_s: -1}
            workload:
              requests: 5
              too_long: reject
              streams:
                - {class: chat, requests_per_second: 1, input_tokens: 5, output_tokens: 5}
            policies:
              routing: random
            faults:
              - {kind: fire, at_s: 5}
            stop: 5
            """);
        var run = Program.Run("simulate", path, "nowhere.yaml");
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        string[] messages =
        [
            ":3: 'model' is llama-3.1-405b, which does not fit", ":7: 'replicas' is 0", ":8: 'batching' is 'dynamic'", ":9: 'prefix_caching' is 'maybe'",
            ":11: 'name' is 'a' a second time", ":12: 'model' names 'lama-8b'", ":1: 'pools' has a pool of role prefill and none of role decode",
            ":18: 'name' is 'nobody'", ":18: unknown key 'tpot'. Did you mean 'tpot_ms'", ":19: 'name' is missing", ":19: 'ttft_s' is -1",
            ":26: 'routing' is 'random'", ":28: 'kind' is 'fire'", ":29: unknown key 'stop'. Did you mean 'stop_s'", "nowhere.yaml: does not exist",
        ];
        Assert.All(messages, message => Assert.Contains(message, run.Err, StringComparison.Ordinal));
        Assert.Equal(messages.Length, run.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}
