using TokenFactory.Catalog;
using TokenFactory.Performance;

namespace TokenFactory.Planning.Deploy;

/// <summary>Where the weights of a deployment come from.</summary>
/// <param name="Name">A repository on Hugging Face, or a folder below <see cref="Folder"/>.</param>
/// <param name="Provided">Whether the user must put it there.</param>
/// <param name="QuantiseTo">What the engine turns the weights into while it loads them, "fp8"; null where they stay as they are.</param>
/// <param name="Bytes">What it occupies, in bytes, before the engine changes anything.</param>
/// <param name="Note">What the reader should know; null for nothing.</param>
public sealed record Checkpoint(string Name, bool Provided, string? QuantiseTo, double Bytes, string? Note)
{
    /// <summary>Where the volume of weights is mounted.</summary>
    public const string Folder = "/models";

    /// <summary>Words in the names of repositories that tell the format of their weights.</summary>
    private static readonly (NumberFormat Format, string[] Words)[] Marks =
    [
        (NumberFormat.Nvfp4, ["nvfp4", "-fp4"]), (NumberFormat.Mxfp4, ["mxfp4"]), (NumberFormat.Fp8, ["fp8"]),
        (NumberFormat.Int4, ["int4", "awq", "gptq", "w4a16"]), (NumberFormat.Int8, ["int8", "w8a8"]),
    ];

    /// <summary>Ends of names that mark a model made to answer.</summary>
    private static readonly string[] Tuned = ["-instruct", "-it", "-chat", "-chat-hf", "-instruct-hf"];

    /// <summary>The checkpoint of a deployment.</summary>
    /// <param name="d">The deployment.</param>
    /// <param name="named">What the user names instead; null for what the catalog knows.</param>
    public static Checkpoint Of(Deployment d, string? named)
    {
        var held = WeightBytes(d);
        if (named is not null)
            return new Checkpoint(named, named.StartsWith('/'), null, held, null);
        var (model, own) = (d.Model, Kind(Own(d.Model)));
        var experts = model.FeedForward.OfType<MixtureOfExperts>().Any();
        var wanted = Kind(experts ? d.Precision.Experts : d.Precision.Dense);
        var repositories = model.Aliases.Where(alias => alias.Contains('/')).ToList();
        if (Best(repositories, wanted, wanted == own) is { } there)
            return new Checkpoint(there, false, null, held, null);
        var quantises = d.Engine is "vllm" or "sglang" && wanted == NumberFormat.Fp8 && own == NumberFormat.Bf16;
        if (quantises && Best(repositories, own, true) is { } wide)
        {
            var note = $"{wide} is published in 16 bits; {d.Engine} turns it into FP8 as it loads, without calibration. "
                + "Name an FP8 checkpoint if you have one: it loads in half the time.";
            return new Checkpoint(wide, false, "fp8", held * 2, note);
        }

        var folder = $"{Folder}/{model.Key}-{d.Weights.Word()}";
        var from = repositories.Count > 0 ? $" (published as {repositories[0]} in {Own(model).Word()})" : "";
        var missing = $"No checkpoint of {model.Key} in {d.Weights.Word()} is known{from}: provide one in {folder}.";
        return new Checkpoint(folder, true, null, held, missing);
    }

    /// <summary>The repository whose weights have a format: one made to answer first, then the catalog's order.</summary>
    private static string? Best(IReadOnlyList<string> repositories, NumberFormat format, bool unmarked) =>
        repositories
            .Where(name => Mark(name) is { } mark ? mark == format : unmarked)
            .OrderByDescending(name => Array.Exists(Tuned, end => name.Contains(end, StringComparison.OrdinalIgnoreCase)))
            .FirstOrDefault();

    /// <summary>The format that a repository's name tells; null where it tells none.</summary>
    private static NumberFormat? Mark(string repository)
    {
        var name = repository[(repository.IndexOf('/') + 1)..].ToLowerInvariant();
        if (name.EndsWith("-bf16", StringComparison.Ordinal))
            return NumberFormat.Bf16;
        return Marks.Where(mark => Array.Exists(mark.Words, name.Contains)).Select(mark => (NumberFormat?)mark.Format).FirstOrDefault();
    }

    private static NumberFormat Own(ModelShape model) =>
        model.CheckpointPrecision is { } word && NumberFormatWords.Parse(word) is { } format ? format : NumberFormat.Bf16;

    /// <summary>Formats that one checkpoint serves: FP8 with any scales, 16 bits of either kind.</summary>
    private static NumberFormat Kind(NumberFormat format) => format switch
    {
        NumberFormat.Fp8Block => NumberFormat.Fp8,
        NumberFormat.Fp32 => NumberFormat.Bf16,
        _ => format,
    };

    /// <summary>Bytes of the weights over all GPUs of a replica that hold different parts.</summary>
    private static double WeightBytes(Deployment d)
    {
        var one = d with { Parallelism = new Parallelism(1), TokenBudget = 1 };
        return new KvCapacity(one).Memory.Weights;
    }
}
