using TokenFactory.Units;

namespace TokenFactory.Catalog;

/// <summary>Which tokens a throughput counts.</summary>
public enum TokenCount
{
    /// <summary>The source does not say.</summary>
    Unstated,

    /// <summary>Generated tokens only.</summary>
    Output,

    /// <summary>Input and output tokens together.</summary>
    Total,
}

/// <summary>A published point: this model on this GPU under this load makes so many tokens at so many watts.</summary>
public sealed record OperatingPoint
{
    /// <summary>Its name in the catalog.</summary>
    public required string Key { get; init; }

    /// <summary>The model as the catalog names it.</summary>
    public required string Model { get; init; }

    /// <summary>On what it ran.</summary>
    public required Accelerator Gpu { get; init; }

    /// <summary>All GPUs of the deployment, prefill and decode.</summary>
    public required int Gpus { get; init; }

    /// <summary>Precision of the weights: "fp8".</summary>
    public string? Precision { get; init; }

    /// <summary>The inference engine.</summary>
    public string? Engine { get; init; }

    /// <summary>Concurrency or batch, lengths.</summary>
    public string? Load { get; init; }

    /// <summary>Whether prefill and decode ran on separate GPUs.</summary>
    public bool Disaggregated { get; init; }

    /// <summary>Prefill GPUs over all GPUs where they are separate and counted, else null.</summary>
    public double? PrefillShare { get; init; }

    /// <summary>What <see cref="Throughput"/> counts.</summary>
    public required TokenCount Counts { get; init; }

    /// <summary>Tokens per second and GPU, over all GPUs of the deployment.</summary>
    public required Sourced<TokensPerSecond> Throughput { get; init; }

    /// <summary>Generated tokens per second and GPU, where known.</summary>
    public Sourced<TokensPerSecond>? OutputThroughput { get; init; }

    /// <summary>Input tokens per second and GPU, where known.</summary>
    public Sourced<TokensPerSecond>? InputThroughput { get; init; }

    /// <summary>What one user sees while decoding, where known.</summary>
    public Sourced<TokensPerSecond>? PerUser { get; init; }

    /// <summary>Tokens per second and megawatt as the source states it, where it does.</summary>
    public Sourced<TokensPerSecond>? PerMegawatt { get; init; }

    /// <summary>Power per GPU, where known.</summary>
    public Sourced<Power>? PerGpuPower { get; init; }

    /// <summary>What a reader should know.</summary>
    public string? Note { get; init; }
}

/// <summary>Reads operating points from their catalog files.</summary>
public static class OperatingPointReader
{
    /// <summary>Reads a file of points; its mistakes are noted with the reader.</summary>
    public static IEnumerable<OperatingPoint> Read(EntryReader file, NameIndex<Accelerator> accelerators)
    {
        foreach (var entry in file.Objects("points"))
        {
            var gpu = accelerators.Find(entry.Text("gpu"));
            if (gpu is null)
                entry.Note("gpu", $"names '{entry.Text("gpu")}', which the catalog lacks", "Add the accelerator or correct the name");
            else
                yield return ReadPoint(entry, gpu);
        }

        file.RefuseUnknownKeys();
    }

    private static OperatingPoint ReadPoint(EntryReader entry, Accelerator gpu)
    {
        var gpus = entry.Count("gpus");
        var point = new OperatingPoint
        {
            Key = entry.Text("key"),
            Model = entry.Text("model"),
            Gpu = gpu,
            Gpus = gpus,
            PrefillShare = ReadPools(entry, gpus),
            Precision = entry.TextOrNone("precision"),
            Engine = entry.TextOrNone("engine"),
            Load = entry.TextOrNone("load"),
            Disaggregated = ReadMode(entry),
            Counts = Count(entry),
            Throughput = Rate(entry.Number("tokens_per_second_per_gpu"))!.Value,
            OutputThroughput = Rate(entry.NumberOrNone("output_tokens_per_second_per_gpu")),
            InputThroughput = Rate(entry.NumberOrNone("input_tokens_per_second_per_gpu")),
            PerUser = Rate(entry.NumberOrNone("tokens_per_second_per_user")),
            PerMegawatt = Rate(entry.NumberOrNone("tokens_per_second_per_mw")),
            PerGpuPower = ReadPower(entry),
            Note = entry.TextOrNone("note"),
        };
        entry.RefuseUnknownKeys();
        return point;
    }

    private static Sourced<TokensPerSecond>? Rate(Sourced<double>? number) => number.As(v => new TokensPerSecond(v));

    private static TokenCount Count(EntryReader entry)
    {
        var text = entry.Text("counts");
        if (Choice.Of<TokenCount>(text) is { } count)
            return count;
        entry.Note("counts", $"is '{text}'", $"Write {Choice.Words<TokenCount>()}");
        return TokenCount.Unstated;
    }

    private static Sourced<Power>? ReadPower(EntryReader entry)
    {
        var watts = entry.NumberOrNone("watts_per_gpu");
        var text = entry.TextOrNone("power_boundary");
        if (watts is null)
            return null;
        if (Choice.Of<PowerBoundary>(text) is { } boundary)
            return watts.As(v => new Power(new Watts(v), boundary));
        entry.Note("watts_per_gpu", "does not say where it is measured", $"Add \"power_boundary\": {Choice.Words<PowerBoundary>()}");
        return null;
    }

    private static bool ReadMode(EntryReader entry)
    {
        var mode = entry.TextOrNone("mode");
        if (mode is not (null or "aggregated" or "disaggregated"))
            entry.Note("mode", $"is '{mode}'", "Write aggregated or disaggregated");
        return mode == "disaggregated";
    }

    private static double? ReadPools(EntryReader entry, int gpus)
    {
        if (!entry.Has("prefill_gpus") || !entry.Has("decode_gpus"))
            return null;
        var (prefill, decode) = (entry.Count("prefill_gpus"), entry.Count("decode_gpus"));
        if (prefill + decode != gpus)
            entry.Note("gpus", $"is {gpus} but prefill and decode add up to {prefill + decode}", "Count every GPU of the deployment");
        return (double)prefill / (prefill + decode);
    }
}
