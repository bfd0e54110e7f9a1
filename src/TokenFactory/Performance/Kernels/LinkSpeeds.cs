using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>The links of an accelerator in bytes per second, one direction; what its data sheet does not say is assumed.</summary>
/// <param name="ScaleUp">Inside the scale-up domain, or PCIe where there is none.</param>
/// <param name="ScaleOut">Between domains, per GPU.</param>
/// <param name="DomainRanks">GPUs that the scale-up link joins; the 8 of a host where it is PCIe.</param>
internal readonly record struct LinkSpeeds(double ScaleUp, double ScaleOut, int DomainRanks)
{
    private const double PcieBytesPerSecond = 32e9; // PCIe 4.0 x16, one direction
    private const double NetworkBytesPerSecond = 25e9; // one 200 Gb/s port per GPU
    private const int HostRanks = 8;

    /// <summary>The links of an accelerator.</summary>
    public static LinkSpeeds Of(Accelerator gpu)
    {
        var domain = (int)(gpu.ScaleUpDomain?.Value ?? HostRanks);
        return new LinkSpeeds(
            gpu.ScaleUp?.Value.Value ?? PcieBytesPerSecond,
            gpu.ScaleOut?.Value.Value ?? NetworkBytesPerSecond,
            domain > 1 ? domain : HostRanks);
    }

    /// <summary>Whether the scale-up link is more than PCIe.</summary>
    public static bool IsFast(Accelerator gpu) => gpu.ScaleUp?.Value.Value >= 1e11;
}
