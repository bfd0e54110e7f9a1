using TokenFactory.Catalog;

namespace TokenFactory.Performance.Calibration;

/// <summary>What a deployment has in common with others, as far as corrections are shared between them.</summary>
/// <param name="Model">Key of the model.</param>
/// <param name="Gpu">Key of the accelerator.</param>
/// <param name="Engine">Key of the engine.</param>
/// <param name="Vendor">Vendor of the accelerator.</param>
/// <param name="Architecture">Generation of the accelerator.</param>
/// <param name="Bits">"4", "8" or "16": bits of most weights.</param>
/// <param name="Spread">"tp" or "dp": whether attention is data-parallel.</param>
/// <param name="Mode">"aggregated" or "disaggregated".</param>
/// <param name="Speculation">"mtp" or "none".</param>
public sealed record Traits(
    string Model,
    string Gpu,
    string Engine,
    string Vendor,
    string Architecture,
    string Bits,
    string Spread,
    string Mode,
    string Speculation)
{
    /// <summary>Engine and vendor: the software stack that step factors are fitted for.</summary>
    public string Stack => $"{Engine}|{Vendor}";

    /// <summary>The traits of a deployment.</summary>
    /// <param name="d">The deployment, or its decode pool.</param>
    /// <param name="disaggregated">Prompts are computed elsewhere.</param>
    public static Traits Of(Deployment d, bool disaggregated) => new(
        d.Model.Key,
        d.Gpu.Key,
        d.Engine,
        d.Gpu.Vendor,
        d.Gpu.Architecture.Split('+')[0],
        d.Weights switch
        {
            NumberFormat.Bf16 or NumberFormat.Fp32 => "16",
            NumberFormat.Fp8 or NumberFormat.Fp8Block or NumberFormat.Int8 => "8",
            _ => "4",
        },
        d.AttentionGroups > 1 ? "dp" : "tp",
        disaggregated ? "disaggregated" : "aggregated",
        d.Speculation is null ? "none" : "mtp");

    /// <summary>The model's kind: its attention and feed-forward decide which kernels an engine uses for it.</summary>
    public static string Kind(ModelShape model) =>
        (model.FeedForward.OfType<MixtureOfExperts>().Any() ? "experts" : "dense")
        + (model.Attention.Any(group => group is LatentAttention or CompressedAttention) ? "-latent" : "");
}
