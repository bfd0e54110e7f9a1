using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>
/// The times of all operators on one accelerator, resolved once. Constants carry where they come from: measured on this accelerator, or
/// estimated from another's shares of its data sheet.
/// </summary>
public sealed class KernelSet
{
    private readonly Sourced<GemmConstants>[] _gemm;
    private readonly Sourced<ExpertsConstants>[] _experts;
    private readonly Sourced<AttentionConstants>[] _attention;
    private readonly Sourced<LatentConstants>[] _latent;

    internal KernelSet(Accelerator accelerator, KernelResolver resolver)
    {
        Accelerator = accelerator;
        var formats = Enum.GetValues<NumberFormat>();
        _gemm = [.. formats.Select(resolver.Gemm)];
        _experts = [.. formats.Select(resolver.Experts)];
        _attention = [.. formats.Select(format => resolver.Attention(format, latent: false))];
        _latent = [.. formats.Select(format => resolver.Attention(format, latent: true).Select(kernel => new LatentConstants(kernel)))];
        (Collectives, Dispatch) = (resolver.Collectives(), resolver.Dispatch());
    }

    /// <summary>The accelerator.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>Collectives among its ranks.</summary>
    public Sourced<CollectiveConstants> Collectives { get; }

    /// <summary>Sending tokens to experts on other ranks.</summary>
    public Sourced<DispatchConstants> Dispatch { get; }

    /// <summary>Matrix products with weights in a format.</summary>
    public Sourced<GemmConstants> Gemm(NumberFormat format) => _gemm[(int)format];

    /// <summary>Routed experts with weights in a format.</summary>
    public Sourced<ExpertsConstants> Experts(NumberFormat format) => _experts[(int)format];

    /// <summary>Grouped-query attention with a KV cache in a format.</summary>
    public Sourced<AttentionConstants> Attention(NumberFormat kvFormat) => _attention[(int)kvFormat];

    /// <summary>Multi-head latent attention with a cache in a format.</summary>
    public Sourced<LatentConstants> Latent(NumberFormat kvFormat) => _latent[(int)kvFormat];
}
