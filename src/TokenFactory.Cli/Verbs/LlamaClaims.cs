using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Performance;

namespace TokenFactory.Cli.Verbs;

/// <summary>Claims about Llama 3.1 70B: batching, precisions, generations of GPUs.</summary>
internal static class LlamaClaims
{
    private const string Spheron = "Spheron, 13 April 2026:";

    private static readonly (double Input, double Output)[] Lengths = [(128, 128), (512, 512), (1024, 1024)];
    private static readonly double[] Crowds = [1, 8, 32, 128];

    /// <summary>Batch 32 against batch 1.</summary>
    public static Claim Batching(ClaimBench bench)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        var gains = new List<double>();
        foreach (var (gpus, spread) in new[] { (1, new Parallelism(1)), (2, new Parallelism(2)) })
        {
            foreach (var (input, output) in Lengths)
            {
                var bid = new Bid("h100-sxm", NumberFormat.Fp8, spread);
                var (one, many) = (bench.Run(bid, 1, input, output), bench.Run(bid, 32, input, output));
                if (!one.Fits || !many.Fits)
                    continue;
                var gain = many.OutputTokensPerSecond / one.OutputTokensPerSecond;
                gains.Add(gain);
                rows.Add(
                [
                    Number(gpus), Lengthy(input, output), Number(bench.Holds(bid, input + output)), Number(one.OutputTokensPerSecond),
                    Number(many.OutputTokensPerSecond), Cell.Of(Times(gain)), Number(one.WattsPerGpu), Number(many.WattsPerGpu),
                ]);
            }
        }

        return new Claim(
            "Batch 32 instead of 1 multiplies throughput",
            $"{Spheron} one H100 with FP8 makes \"50-80 tokens per second\" at batch 1 and \"1,800-2,000+\" at batch 32, \"25-40x more\".",
            25, 40, Times, gains,
            "It depends on the memory first: beside 70 GB of weights one H100 has room for few requests at once, and the others "
            + "wait. Where 32 do fit, the gain is bounded by 32 from above and falls with prompts, whose arithmetic batching does "
            + "not share: a gain above 32 is not to be had from batching alone. Power is not equal either, as a GPU with more to do "
            + "draws more.",
            Points(
                "batching",
                ["GPUs", "tokens in/out", "fit at once", "tok/s at 1", "tok/s at 32", "gain", "W/GPU at 1", "W/GPU at 32"],
                rows,
                2));
    }

    /// <summary>FP8 against FP16.</summary>
    public static Claim EightBits(ClaimBench bench)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        var gains = new List<double>();
        foreach (var tensor in new[] { 2, 4, 8 })
        {
            foreach (var clients in Crowds)
            {
                var (full, half) = (Run(NumberFormat.Bf16), Run(NumberFormat.Fp8));
                if (!full.Fits || !half.Fits)
                    continue;
                var gain = (half.OutputTokensPerSecond / full.OutputTokensPerSecond) - 1;
                gains.Add(gain);
                rows.Add(
                    [
                    Cell.Of($"TP{tensor}"), Number(clients), Number(full.OutputTokensPerSecond), Number(half.OutputTokensPerSecond),
                    Cell.Of(Spell.Change(gain)),
                ]);

                Performance.SteadyState.Prediction Run(NumberFormat format) =>
                    bench.Run(new Bid("h100-sxm", format, new Parallelism(tensor)), clients, 1024, 1024);
            }
        }

        return new Claim(
            "FP8 instead of FP16 on H100 adds throughput",
            $"{Spheron} \"FP8 versus FP16 on H100 adds 30-40% throughput\" for models of the 70B class.",
            0.30, 0.40, Spell.Change, gains,
            "It depends on what fills a step. Weights are half as long to read, so on few GPUs at small batches FP8 gains more "
            + "than claimed; where exchange between eight GPUs and host time fill the step, or the KV cache, less. On two GPUs FP16 "
            + "leaves little room for the cache, and FP8 gains most by what it leaves free. 1,024 tokens in and out.",
            Points("eight_bits", ["GPUs", "clients", "tok/s FP16", "tok/s FP8", "gain"], rows));
    }

    /// <summary>AWQ on one GPU against FP16 on two.</summary>
    public static Claim FourBits(ClaimBench bench)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        var ratios = new List<double>();
        foreach (var clients in Crowds)
        {
            var two = bench.Run(new Bid("h100-sxm", NumberFormat.Bf16, new Parallelism(2)), clients, 1024, 1024);
            var one = bench.Run(new Bid("h100-sxm", NumberFormat.Int4, new Parallelism(1)), clients, 1024, 1024);
            if (!one.Fits || !two.Fits)
                continue;
            var ratio = ClaimBench.PerGpu(one) / ClaimBench.PerGpu(two);
            ratios.Add(ratio);
            rows.Add(
            [
                Number(clients), Number(two.OutputTokensPerSecond), Number(one.OutputTokensPerSecond),
                Cell.Of(Times(one.OutputTokensPerSecond / two.OutputTokensPerSecond)), Cell.Of(Times(ratio)),
            ]);
        }

        return new Claim(
            "AWQ on one H100 instead of FP16 on two doubles tokens per GPU",
            $"{Spheron} \"one GPU instead of two, same output\"; \"you double your throughput per watt\".",
            2, 2, Times, ratios,
            "By the model a GPU gains more than claimed: AWQ leaves a quarter of the weights to read and nothing to exchange, and "
            + "FP16 on two GPUs leaves hardly any room for the KV cache, so that requests beyond a few wait. Arithmetic stays in 16 "
            + "bits, so the gain at equal batches falls as batches and prompts grow. \"Same output\" is too low at every point "
            + "below. 1,024 tokens in and out.",
            Points("four_bits", ["clients", "tok/s, 2 GPUs FP16", "tok/s, 1 GPU AWQ", "AWQ / FP16", "per GPU"], rows, 0));
    }

    /// <summary>H200 against H100.</summary>
    public static Claim Bandwidth(ClaimBench bench)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        var ratios = new List<double>();
        foreach (var tensor in new[] { 1, 2, 4 })
        {
            foreach (var clients in Crowds)
            {
                var (h100, h200) = (Run("h100-sxm"), Run("h200-sxm"));
                if (!h100.Fits || !h200.Fits)
                    continue;
                var ratio = h200.OutputTokensPerSecond / h100.OutputTokensPerSecond;
                ratios.Add(ratio);
                rows.Add(
                    [
                    Cell.Of($"TP{tensor}"), Number(clients), Number(h100.OutputTokensPerSecond), Number(h200.OutputTokensPerSecond),
                    Cell.Of(Times(ratio)),
                ]);

                Performance.SteadyState.Prediction Run(string gpu) =>
                    bench.Run(new Bid(gpu, NumberFormat.Fp8, new Parallelism(tensor)), clients, 1024, 1024);
            }
        }

        return new Claim(
            "H200 instead of H100 multiplies tokens per GPU",
            $"{Spheron} 2,900 against 2,000 tok/s at the same 700 W, 1.45x, for the memory bandwidth (4.8 against 3.35 TB/s, 1.43x).",
            1.45, 1.45, Times, ratios,
            "Bandwidth alone gives at most 1.43x, and less where arithmetic, exchange and host time share the step. More than "
            + "that comes from memory: on one GPU the H100 has no room for a batch of such requests and the H200 has. FP8, 1,024 "
            + "tokens in and out.",
            Points("bandwidth", ["GPUs", "clients", "tok/s H100", "tok/s H200", "ratio"], rows));
    }

    /// <summary>The article's column of tokens per second.</summary>
    public static IEnumerable<Claim> Column(ClaimBench bench)
    {
        (string Gpu, string Name, NumberFormat Weights, double Claimed)[] column =
        [
            ("a100-sxm-80gb", "A100", NumberFormat.Fp8, 500),
            ("h100-sxm", "H100", NumberFormat.Fp8, 2000),
            ("h200-sxm", "H200", NumberFormat.Fp8, 2900),
            ("b200", "B200", NumberFormat.Fp8, 5000),
        ];
        var rows = new List<(string Name, double Value, IReadOnlyList<Cell> Cells)>();
        foreach (var (gpu, name, weights, claimed) in column)
        {
            foreach (var tensor in new[] { 1, 2 })
            {
                foreach (var (input, output) in Lengths)
                {
                    var bid = new Bid(gpu, weights, new Parallelism(tensor));
                    var values = new[] { 32.0, 64, 128, 256 }.Select(each => bench.Run(bid, each * tensor, input, output)).ToList();
                    if (!values.TrueForAll(value => value.Fits))
                        continue;
                    rows.AddRange(values.Select(value => (name, ClaimBench.PerGpu(value), (IReadOnlyList<Cell>)[])));
                    rows.Add((name, ClaimBench.PerGpu(values[0]), (IReadOnlyList<Cell>)
                        [
                        Cell.Of(name), Cell.Of($"TP{tensor}"), Lengthy(input, output),
                        .. values.Select(value => Number(ClaimBench.PerGpu(value))), Number(claimed),
                    ]));
                }
            }
        }

        var table = Points(
            "column",
            ["GPU", "GPUs", "tokens in/out", "32 per GPU", "64", "128", "256", "claimed"],
            [.. rows.Select(row => row.Cells).Where(cells => cells.Count > 0)],
            3);
        var first = true;
        foreach (var (_, name, _, claimed) in column)
        {
            yield return new Claim(
                first ? "Tokens per second and GPU, Llama 70B FP8: A100" : $"... {name}",
                $"{Spheron} \"A100 ~500, H100 ~2,000, H200 ~2,900, B200 ~5,000\", \"production-realistic numbers at batch=32+\".",
                claimed, claimed, Spell.Number, [.. rows.Where(row => row.Name == name).Select(row => row.Value)],
                "The article gives no lengths, no batch and no parallelism, and a throughput is nothing without them: below, "
                + "output tokens per second and GPU with 32 to 256 clients per GPU. On one A100 or H100 the weights leave room for "
                + "a few requests only, and more clients change nothing. The A100 holds FP8 weights and computes in 16 bits.",
                first ? table : table with { Rows = [] });
            first = false;
        }
    }

    /// <summary>A table of points; words to the left, numbers to the right.</summary>
    public static Section Points(string key, string[] titles, IReadOnlyList<IReadOnlyList<Cell>> rows, int words = 1) =>
        new(key, "", [.. titles.Select((title, i) => new Column($"c{i}", title, Number: i >= words))], rows);

    public static string Times(double ratio) => ratio.ToString(ratio < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + "x";

    /// <summary>A number; whole from ten on.</summary>
    public static Cell Number(double value) =>
        new(
            Math.Round(value, 1),
            value >= 10 || double.IsInteger(value)
                ? value.ToString("N0", CultureInfo.InvariantCulture)
                : Spell.Number(Math.Round(value, 1)));

    private static Cell Lengthy(double input, double output) => Cell.Of($"{input:N0} / {output:N0}");
}
