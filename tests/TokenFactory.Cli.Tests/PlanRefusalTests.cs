namespace TokenFactory.Cli.Tests;

/// <summary>plan refuses what it cannot understand before it searches: the place, the value and the remedy, all mistakes at once, nothing written.</summary>
public sealed class PlanRefusalTests
{
    [Theory]
    [InlineData("'model' names 'llama-99', which the catalog lacks", "model=llama-99")]
    [InlineData("'promises' is not a list of settings", "promises=soon")]
    [InlineData("'class' is 'nobody', and no stream of the workload sends that class. The workload sends chat", "promises.0.class=nobody")]
    [InlineData("'ttft_s' is -1", "promises.0.ttft_s=-1")]
    [InlineData("'percentile' is 93. Write 50, 90, 95 or 99", "promises.0.percentile=93")]
    [InlineData("unknown key 'tpot'. Did you mean 'tpot_ms'", "promises.0.tpot=5")]
    [InlineData("'promises' name class 'chat' twice. Put them together", "promises=[{class: chat, ttft_s: 1}, {class: chat, tpot_ms: 30}]")]
    [InlineData("'promises' are missing, and the workload has classes chat, code", "promises=", "ttft_s=1", "workload.streams=[{class: chat, requests_per_second: 1, input_tokens: 9, output_tokens: 9}, {class: code, requests_per_second: 1, input_tokens: 9, output_tokens: 9}]")]
    [InlineData("this stream never ends", "workload.requests=")]
    [InlineData("'gpus' names 'h999', which the catalog lacks", "offers.gpus=[h999]")]
    [InlineData("'gpus' name tpu-v6e, of whose memory, bandwidth, speed or power the catalog knows too little", "offers.gpus=[tpu-v6e]")]
    [InlineData("'gpus' names mi300x, which nobody who may be asked offers on-demand", "offers.gpus=[h100, mi300x]")]
    [InlineData("'billing' is 'weekly'. Write on-demand, spot, reserved-1y, reserved-3y, owned, or all", "offers.billing=weekly")]
    [InlineData("'providers' names 'nobody'", "offers.providers=[nobody]")]
    [InlineData("'usd_per_gpu_hour' is missing. Give the price of a GPU-hour", "offers.prices.0.usd_per_gpu_hour=")]
    [InlineData("'gpus' is missing. Say how many there are", "offers.owned=[{gpu: h100}]")]
    [InlineData("'gpu' is b200, of which nothing is on offer here", "offers.stock=[{gpu: b200, gpus: 8}]")]
    [InlineData("'usd_per_month' is 0", "limits={usd_per_month: 0}")]
    [InlineData("'carbon_kg_per_month' needs the carbon of a kWh. Give carbon_g_per_kwh too", "limits={carbon_kg_per_month: 5}")]
    [InlineData("unknown key 'mW'. Did you mean 'mw'", "limits={mW: 5}")]
    [InlineData("'objective' is 'speed'. Write one of cost, tokens-per-watt, profit", "objective=speed")]
    [InlineData("'objective' is profit without a limit on power or GPUs. Give mw, or gpus under limits", "objective=profit")]
    [InlineData("'precision' is 'fp3'. Write one of", "search.precision=fp3")]
    [InlineData("'tp' holds 3, which does not divide the 32 heads of llama-3.1-8b. Give some of 1, 2, 4, 8", "search.tp=[1, 3]")]
    [InlineData("'tp' holds 'x'. Give numbers from 1 to 1024", "search.tp=x")]
    [InlineData("'clocks' holds '2'. Give numbers from 0.3 to 1", "search.clocks=[2]")]
    [InlineData("'engine' is 'llama.cpp'. Write one of vllm, sglang, tensorrt-llm", "search.engine=llama.cpp")]
    [InlineData("'disaggregated' is 'maybe'. Write try, no or only", "search.disaggregated=maybe")]
    [InlineData("unknown key 'tensor'", "search.tensor=2")]
    [InlineData("'routing' is 'random'", "policies={routing: random}")]
    [InlineData("'demand' is 'nowhere.csv', which does not exist", "demand=nowhere.csv")]
    [InlineData("'verify_requests' is 9,000,000. Give at most 1,000,000", "verify_requests=9000000")]
    [InlineData("'finalists' is 0", "finalists=0")]
    [InlineData("unknown key 'promise'. Did you mean 'promises'", "promise=5")]
    public void Names_the_key_its_value_and_the_remedy(string message, params string[] sets)
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, sets, "--html", Path.Combine(folder.Root, "page.html"), "--emit", Path.Combine(folder.Root, "out"));
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of its own", run.Err, StringComparison.Ordinal);
        Assert.Equal(["small.yaml"], folder.Files());
    }

    [Theory]
    [InlineData("--set changes a file, and none is named", "--set", "seed=1")]
    [InlineData("--model is missing", "--gpu", "h100")]
    [InlineData("--input-tokens is 'x'. Give a plain number", "--model", "llama-3.1-8b", "--requests-per-second", "1", "--input-tokens", "x", "--output-tokens", "1")]
    [InlineData("--gpu names mi300x, which nobody who may be asked offers on-demand", "--model", "llama-3.1-8b", "--requests-per-second", "1", "--input-tokens", "9", "--output-tokens", "9", "--gpu", "mi300x", "--ttft-s", "1")]
    [InlineData("nobody who may be asked offers a GPU on-demand", "--model", "llama-3.1-8b", "--requests-per-second", "1", "--input-tokens", "9", "--output-tokens", "9", "--region", "atlantis", "--ttft-s", "1")]
    [InlineData("unknown flag '--objectiv'", "--objectiv", "cost")]
    [InlineData("nowhere.yaml: does not exist", "nowhere.yaml")]
    [InlineData("--requests-per-second stands beside the file's workload. Change the file with --set", "examples/plan-chat.yaml", "--requests-per-second", "5")]
    [InlineData("--ttft-s stands beside the file's promises. Change the file with --set", "examples/plan-chat.yaml", "--ttft-s", "5")]
    [InlineData("--model stands beside the file's services. Change the file with --set", "examples/plan-two-services.yaml", "--model", "llama-3.1-8b")]
    [InlineData("cannot be written", "examples/plan-chat.yaml", "--html", "nowhere/x.html")]
    [InlineData("--html is 'examples/plan-chat.yaml', which is read", "examples/plan-chat.yaml", "--html", "examples/plan-chat.yaml")]
    [InlineData("--schedule-csv needs a demand by the hour", "examples/plan-chat.yaml", "--schedule-csv", "hours.csv")]
    public void Refuses_command_lines_that_mean_nothing(string message, params string[] arguments)
    {
        var run = Program.Run(["plan", .. arguments]);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Finds_all_mistakes_of_a_file_at_once_with_their_lines_and_no_others()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.yaml", """
            objective: speed
            services:
              - name: chat
                model: lama-8b
                workload: {requests: 5, streams: [{class: chat, requests_per_second: 1, input_tokens: 5, output_tokens: 5}]}
                promises: [{class: chat, tpot: 3}]
              - name: chat
                model: llama-3.1-8b
                workload: {requests: 5, streams: [{class: talk, requests_per_second: 1, input_tokens: 5, output_tokens: 5}]}
                promises: [{class: chat, ttft_s: -1}]
                search: {tp: 3}
            offers:
              gpus: [h100, h999]
              billing: weekly
              stock: [{gpu: h100}]
            limits: {gpus: 0, mw: x}
            seeds: 5
            """);
        var run = Program.Run("plan", path);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        string[] messages =
        [
            ":1: 'objective' is 'speed'", ":4: 'model' names 'lama-8b'", ":6: unknown key 'tpot'. Did you mean 'tpot_ms'", ":7: 'name' is 'chat' a second time",
            ":10: 'class' is 'chat', and no stream", ":10: 'ttft_s' is -1", ":11: 'tp' holds 3", ":13: 'gpus' names 'h999'", ":14: 'billing' is 'weekly'",
            ":15: 'gpus' is missing", ":16: 'gpus' is 0", ":16: 'mw' is 'x'", ":17: unknown key 'seeds'. Did you mean 'seed'",
        ];
        Assert.All(messages, message => Assert.Contains(message, run.Err, StringComparison.Ordinal));
        Assert.Equal(messages.Length, run.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Two_services_may_not_promise_one_class_two_things()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("two.yaml", """
            services:
              - name: one
                model: llama-3.1-8b
                workload: {requests: 5, streams: [{class: chat, requests_per_second: 1, input_tokens: 5, output_tokens: 5}]}
                promises: [{class: chat, ttft_s: 1}]
              - name: other
                model: llama-3.1-8b
                workload: {requests: 5, streams: [{class: chat, requests_per_second: 1, input_tokens: 5, output_tokens: 5}]}
                promises: [{class: chat, ttft_s: 2}]
            offers: {gpus: [h100]}
            """);
        var run = Program.Run("plan", path);
        Assert.Equal(2, run.Code);
        Assert.Contains("two.yaml:9: 'promises' promise class 'chat' something else than a service before does. Give the class of each its own name", run.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("holds no rows", "time,share\n")]
    [InlineData("has neither a column 'share' nor one named after a service", "time\n0\n1\n")]
    [InlineData("demand.csv:3: ", "time,share\n0,1\n1,-2\n")]
    public void A_demand_that_says_nothing_is_refused(string message, string csv)
    {
        using var folder = new TemporaryFolder();
        folder.Write("demand.csv", csv);
        var table = Path.Combine(folder.Root, "hours.csv");
        var run = PlanAsks.Plan(folder, ["demand=demand.csv"], "--schedule-csv", table);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.Equal(["demand.csv", "small.yaml"], folder.Files());
    }

    [Fact]
    public void Files_are_not_written_where_a_file_stands_in_the_way()
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, [], "--emit", folder.Write("taken", "a file"));
        Assert.Equal(2, run.Code);
        Assert.Contains("which is a file. Name a folder", run.Err, StringComparison.Ordinal);
        Assert.Empty(run.Out);
        Assert.Equal(["small.yaml", "taken"], folder.Files());
    }
}
