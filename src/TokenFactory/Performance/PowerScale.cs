using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance;

/// <summary>
/// How much of an accelerator's thermal design power its parts can draw, in shares of what the same parts draw of a B200's: a byte and an
/// operation cost about the same energy on chips of one generation, whatever limit the board is sold with. A MI355X may draw 1,400 W and
/// reads no faster than a B200 of 1,000 W; an H20 has an H200's memory and a seventh of its arithmetic.
/// </summary>
/// <param name="Memory">Of reading memory: bandwidth per watt of thermal design power.</param>
/// <param name="Arithmetic">
/// Of computing: the square root of 16-bit operations per second and watt, as older processes spend more energy on an operation.
/// </param>
internal readonly record struct PowerScale(double Memory, double Arithmetic)
{
    /// <summary>Bytes per second and watt of a B200: 8 TB/s of 1,000 W.</summary>
    private const double BytesPerWatt = 8e9;

    /// <summary>16-bit operations per second and watt of a B200: 2,250 TFLOPS of 1,000 W.</summary>
    private const double FlopsPerWatt = 2.25e12;

    /// <summary>The scale of an accelerator; 1 for what its data sheet does not say.</summary>
    public static PowerScale Of(Accelerator gpu)
    {
        if (gpu.Tdp?.Value.Value is not > 0)
            return new PowerScale(1, 1);
        var tdp = gpu.Tdp.Value.Value.Value;
        var flops = NumberFormats.Peak(gpu, NumberFormat.Bf16);
        return new PowerScale(
            gpu.MemoryBandwidth is { } bandwidth ? bandwidth.Value.Value / tdp / BytesPerWatt : 1,
            flops > 0 ? Math.Sqrt(flops / tdp / FlopsPerWatt) : 1);
    }
}
