using TokenFactory.Cli.Output;
using TokenFactory.Performance;

namespace TokenFactory.Cli.Verbs;

/// <summary>Claims about DeepSeek-R1: pools of their own, and a rack of GB300 against H200.</summary>
internal static class RackClaims
{
    private const double LongestTtft = 10;
    private const int RackGpus = 72;

    /// <summary>Site watts per GPU that NVIDIA's table implies (tokens per second and GPU over tokens per second and MW).</summary>
    private const double HopperWatts = 90 / 0.054;
    private const double BlackwellWatts = 6000 / 2.8;

    private static readonly (double Input, double Output)[] Lengths = [(1024, 1024), (8192, 1024)];
    private static readonly double[] UserSpeeds = [20, 50, 100, 125, 150];

    /// <summary>Pools of their own against replicas that do both.</summary>
    public static Claim Disaggregation(ClaimBench bench)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        var gains = new List<double>();
        foreach (var (input, output) in Lengths)
        {
            foreach (var speed in UserSpeeds)
            {
                var together = bench.Best(Together("gb200-nvl72", NumberFormat.Nvfp4), input, output, 1 / speed, LongestTtft);
                var apart = bench.Best(Apart("gb200-nvl72", NumberFormat.Nvfp4), input, output, 1 / speed, LongestTtft);
                if (together is not { } one || apart is not { } two)
                    continue;
                var gain = (ClaimBench.PerGpu(two.Prediction) / ClaimBench.PerGpu(one.Prediction)) - 1;
                gains.Add(gain);
                rows.Add(
                [
                    Cell.Of($"{input:N0} / {output:N0}"),
                    LlamaClaims.Number(speed),
                    LlamaClaims.Number(ClaimBench.PerGpu(one.Prediction)),
                    Cell.Of(one.Bid.ToString()),
                    LlamaClaims.Number(ClaimBench.PerGpu(two.Prediction)),
                    Cell.Of(two.Bid.ToString()),
                    Cell.Of(Spell.Change(gain)),
                ]);
            }
        }

        return new Claim(
            "Disaggregation adds throughput at long contexts",
            "Spheron, 13 April 2026: \"splitting prefill and decode onto separate GPU pools can improve throughput 60-75% over "
            + "colocated serving\".",
            0.60, 0.75, Spell.Change, gains,
            "It depends on the speed that users are promised and on the length of prompts. The best deployment of each kind at "
            + "the same speed, "
            + $"DeepSeek-R1 in FP4 on up to 72 GB200, mean time to the first token up to {LongestTtft:0} s, over all GPUs of both pools.",
            Table(
                "disaggregation",
                ["tokens in/out", "tok/s/user", "aggregated tok/s/GPU", "deployment", "disaggregated tok/s/GPU", "deployment", "gain"],
                rows));
    }

    /// <summary>GB300 NVL72 against H200, per GPU and per MW.</summary>
    public static IEnumerable<Claim> Generations(ClaimBench bench)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        var ratios = new List<double>();
        var perWatt = new List<double>();
        foreach (var (input, output) in Lengths)
        {
            foreach (var speed in UserSpeeds)
            {
                var hopper = bench.Best(Hopper(), input, output, 1 / speed, LongestTtft);
                var blackwell = bench.Best(
                    [.. Together("gb300-nvl72", NumberFormat.Nvfp4), .. Apart("gb300-nvl72", NumberFormat.Nvfp4)],
                    input,
                    output,
                    1 / speed,
                    LongestTtft);
                if (blackwell is not { } rack)
                    continue;
                double? ratio = null;
                double? power = null;
                if (hopper is { } old)
                {
                    ratio = ClaimBench.PerGpu(rack.Prediction) / ClaimBench.PerGpu(old.Prediction);
                    power = ratio * bench.AtTheMeter(old) / bench.AtTheMeter(rack);
                    ratios.Add(ratio.Value);
                    perWatt.Add(power.Value);
                }

                rows.Add(
                [
                    Cell.Of($"{input:N0} / {output:N0}"),
                    LlamaClaims.Number(speed),
                    hopper is { } at ? LlamaClaims.Number(ClaimBench.PerGpu(at.Prediction)) : Cell.None,
                    LlamaClaims.Number(ClaimBench.PerGpu(rack.Prediction)),
                    hopper is { } air ? LlamaClaims.Number(bench.AtTheMeter(air)) : Cell.None,
                    LlamaClaims.Number(bench.AtTheMeter(rack)),
                    ratio is { } times ? Cell.Of(LlamaClaims.Times(times)) : Cell.None,
                    power is { } more ? Cell.Of(LlamaClaims.Times(more)) : Cell.None,
                    Cell.Of(rack.Bid.ToString()),
                ]);
            }
        }

        const string who = "NVIDIA, read in a republished copy: 90 tok/s per GPU for HGX H200, 6,000 for GB300 NVL72; 54K and 2.8M per MW.";
        var watts = FormattableString.Invariant($"{HopperWatts:N0} and {BlackwellWatts:N0} W");
        yield return new Claim(
            "DeepSeek-R1, GB300 NVL72 over H200, tokens per GPU",
            who, 65, 65, LlamaClaims.Times, ratios,
            "It depends on the speed per user, of which the table says nothing: the faster the tokens, the fewer requests an H200 "
            + "node can serve at once, and the more the larger domain and four-bit weights are worth. H200: the best of TP8 and "
            + "attention data parallelism, FP8, with and without MTP. GB300: the best of aggregated and disaggregated, FP4, with "
            + "and without MTP. Printed beside one another, the two figures need not be of the same speed: "
            + "6,000 is like a GB300 that gives its users few tokens per second, 90 like an H200 that gives them many. Per MW with our "
            + $"watts per GPU at the site's meter, host, network and PUE included; the table implies {watts}.",
            Table(
                "generations",
                [
                    "tokens in/out", "tok/s/user", "H200 tok/s/GPU", "GB300 tok/s/GPU", "H200 W/GPU", "GB300 W/GPU", "per GPU", "per MW",
                    "GB300 deployment",
                ],
                rows));
        yield return new Claim(
            "... tokens per MW", who, 50, 50, LlamaClaims.Times, perWatt, "",
            Table("generations_mw", ["tokens in/out"], []));
    }

    private static readonly string[] HopperEngines = ["sglang", "tensorrt-llm"];
    private static readonly bool[] WithoutAndWith = [false, true];
    private static readonly int[] Pools = [1, 2, 4];
    private static readonly int[] PrefillWorkers = [1, 2, 4, 6, 8, 10];
    private static readonly Parallelism[] Nodes = [new(8), new(8, Expert: 8), new(1, 1, 8, 8)];
    private static readonly Parallelism[] Replicas =
        [new(4), new(8), new(1, 1, 4, 4), new(1, 1, 8, 8), new(1, 1, 16, 16), new(1, 1, 32, 32)];
    private static readonly Parallelism[] DecodePools = [new(8, 1, 1, 8), new(1, 1, 8, 8), new(1, 1, 16, 16), new(1, 1, 32, 32)];
    private static readonly Parallelism PrefillPool = new(1, 1, 4, 4);

    private static IEnumerable<Bid> Hopper() =>
        from engine in HopperEngines
        from spread in Nodes
        from speculates in WithoutAndWith
        select new Bid("h200-sxm", NumberFormat.Fp8, spread, engine) { Speculates = speculates };

    private static IEnumerable<Bid> Together(string gpu, NumberFormat weights) =>
        from spread in Replicas
        from speculates in WithoutAndWith
        select new Bid(gpu, weights, spread, "tensorrt-llm") { Speculates = speculates };

    private static IEnumerable<Bid> Apart(string gpu, NumberFormat weights) =>
        from decode in DecodePools
        from replicas in Pools
        from workers in PrefillWorkers
        where (decode.Gpus * replicas) + (PrefillPool.Gpus * workers) <= RackGpus
        from speculates in WithoutAndWith
        select new Bid(gpu, weights, decode, "tensorrt-llm")
        {
            Replicas = replicas,
            Prefill = (PrefillPool, workers),
            Speculates = speculates,
        };

    private static Section Table(string key, string[] titles, IReadOnlyList<IReadOnlyList<Cell>> rows) =>
        new(
            key,
            "",
            [.. titles.Select((title, i) => new Column($"c{i}", title, Number: i > 0 && !title.Contains("deployment")))],
            rows);
}
