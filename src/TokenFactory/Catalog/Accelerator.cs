using TokenFactory.Units;

namespace TokenFactory.Catalog;

/// <summary>A GPU or other accelerator as its data sheet and its measurements describe it. What nobody published is null.</summary>
public sealed record Accelerator
{
    /// <summary>The name in files: "h100-sxm".</summary>
    public required string Key { get; init; }

    /// <summary>The name for people: "NVIDIA H100 SXM5 80GB".</summary>
    public required string Name { get; init; }

    /// <summary>Other ways people write it.</summary>
    public required IReadOnlyList<string> Aliases { get; init; }

    /// <summary>Who makes it.</summary>
    public required string Vendor { get; init; }

    /// <summary>The generation: "Hopper".</summary>
    public required string Architecture { get; init; }

    /// <summary>Module or card: "SXM5", "PCIe", "OAM".</summary>
    public string? FormFactor { get; init; }

    /// <summary>"HBM3e", "GDDR7".</summary>
    public string? MemoryType { get; init; }

    /// <summary>The link inside the scale-up domain: "NVLink 5".</summary>
    public string? ScaleUpLink { get; init; }

    /// <summary>Physical memory in decimal gigabytes.</summary>
    public Sourced<double>? MemoryGigabytes { get; init; }

    /// <summary>Memory that software sees, in decimal gigabytes.</summary>
    public Sourced<double>? UsableMemoryGigabytes { get; init; }

    /// <summary>Peak memory bandwidth.</summary>
    public Sourced<BytesPerSecond>? MemoryBandwidth { get; init; }

    /// <summary>Dense BF16 rate.</summary>
    public Sourced<FlopsPerSecond>? Bf16 { get; init; }

    /// <summary>Dense FP8 rate; null where the hardware has none.</summary>
    public Sourced<FlopsPerSecond>? Fp8 { get; init; }

    /// <summary>Dense FP4 rate; null where the hardware has none.</summary>
    public Sourced<FlopsPerSecond>? Fp4 { get; init; }

    /// <summary>Dense INT8 rate in operations per second.</summary>
    public Sourced<FlopsPerSecond>? Int8 { get; init; }

    /// <summary>Bandwidth per GPU inside the scale-up domain, one direction.</summary>
    public Sourced<BytesPerSecond>? ScaleUp { get; init; }

    /// <summary>GPUs in the scale-up domain.</summary>
    public Sourced<double>? ScaleUpDomain { get; init; }

    /// <summary>Network bandwidth per GPU between domains, one direction.</summary>
    public Sourced<BytesPerSecond>? ScaleOut { get; init; }

    /// <summary>Thermal design power of the board or module.</summary>
    public Sourced<Watts>? Tdp { get; init; }

    /// <summary>Modelled IT power per GPU at full load: board plus its share of host and network.</summary>
    public Sourced<Watts>? ItPower { get; init; }

    /// <summary>Year of release.</summary>
    public Sourced<double>? ReleaseYear { get; init; }

    /// <summary>How its usual chassis turns GPU watts into wall watts; null where nobody modelled one.</summary>
    public Sourced<ChassisModel>? Chassis { get; init; }
}

/// <summary>
/// A chassis as a power model: fixed host power, fans that speed up with the load, power supplies whose efficiency depends on it,
/// and the network outside. The form is that of the InferenceX power model.
/// </summary>
/// <param name="Gpus">Accelerators in the chassis.</param>
/// <param name="FixedDc">Host, memory, switches and NICs, DC side.</param>
/// <param name="Network">The chassis' share of the network outside it, AC side.</param>
/// <param name="Fans">Its fans.</param>
/// <param name="PsuCapacity">Capacity that the load is shared over; efficiency is a function of load over it.</param>
/// <param name="PsuLimit">The most the supplies can carry.</param>
/// <param name="PsuEfficiency">Efficiency (0 to 1) at fractions of the capacity, ascending; linear in between.</param>
public sealed record ChassisModel(
    int Gpus,
    Watts FixedDc,
    Watts Network,
    ChassisFans Fans,
    Watts PsuCapacity,
    Watts PsuLimit,
    IReadOnlyList<EfficiencyPoint> PsuEfficiency);

/// <summary>Efficiency of a power supply at a load.</summary>
/// <param name="Load">Share of its capacity.</param>
/// <param name="Efficiency">Output over input, 0 to 1.</param>
public sealed record EfficiencyPoint(double Load, double Efficiency);

/// <summary>Fans whose power grows with the cube of their speed, and their speed with the load.</summary>
/// <param name="Nameplate">Electrical power at full speed.</param>
/// <param name="FullCoolingLoad">The DC load at which they reach the highest normal speed.</param>
/// <param name="MinSpeed">Lowest speed, share of full.</param>
/// <param name="MaxSpeed">Highest normal speed, share of full.</param>
/// <param name="Exponent">Curvature of speed over load.</param>
public sealed record ChassisFans(Watts Nameplate, Watts FullCoolingLoad, double MinSpeed, double MaxSpeed, double Exponent);

/// <summary>Reads an accelerator from its catalog file.</summary>
public static class AcceleratorReader
{
    private const double Tera = 1e12;
    private const double Giga = 1e9;

    /// <summary>Reads the entry; its mistakes are noted with the reader.</summary>
    public static Accelerator Read(EntryReader entry)
    {
        var read = new Accelerator
        {
            Key = entry.Text("key"),
            Name = entry.Text("name"),
            Aliases = entry.Texts("aliases"),
            Vendor = entry.Text("vendor"),
            Architecture = entry.Text("architecture"),
            FormFactor = entry.TextOrNone("form_factor"),
            MemoryType = entry.TextOrNone("memory_type"),
            ScaleUpLink = entry.TextOrNone("scale_up_link"),
            MemoryGigabytes = entry.NumberOrNone("memory_gb"),
            UsableMemoryGigabytes = entry.NumberOrNone("memory_usable_gb"),
            MemoryBandwidth = entry.NumberOrNone("memory_bandwidth_tb_per_s").As(v => new BytesPerSecond(v * Tera)),
            Bf16 = Flops(entry, "bf16_dense_tflops"),
            Fp8 = Flops(entry, "fp8_dense_tflops"),
            Fp4 = Flops(entry, "fp4_dense_tflops"),
            Int8 = Flops(entry, "int8_dense_tops"),
            ScaleUp = entry.NumberOrNone("scale_up_gb_per_s").As(v => new BytesPerSecond(v * Giga)),
            ScaleUpDomain = entry.NumberOrNone("scale_up_domain_gpus"),
            ScaleOut = entry.NumberOrNone("scale_out_gb_per_s").As(v => new BytesPerSecond(v * Giga)),
            Tdp = entry.NumberOrNone("tdp_w").As(v => new Watts(v)),
            ItPower = entry.NumberOrNone("it_power_w").As(v => new Watts(v)),
            ReleaseYear = entry.NumberOrNone("release_year"),
            Chassis = entry.Object("chassis") is { } chassis ? ReadChassis(chassis) : null,
        };
        entry.RefuseUnknownKeys();
        return read;
    }

    private static Sourced<FlopsPerSecond>? Flops(EntryReader entry, string key) =>
        entry.NumberOrNone(key).As(v => new FlopsPerSecond(v * Tera));

    private static List<EfficiencyPoint> ReadCurve(EntryReader entry)
    {
        var points = new List<EfficiencyPoint>();
        foreach (var pair in entry.Pairs("psu_efficiency"))
        {
            if (pair[1] is not (> 0 and <= 1) || (points.Count > 0 && pair[0] <= points[^1].Load))
                entry.Note("psu_efficiency", $"holds [{pair[0]}, {pair[1]}]", "Give ascending loads, and efficiencies above 0 to 1");
            points.Add(new EfficiencyPoint(pair[0], pair[1]));
        }

        return points;
    }

    private static Sourced<ChassisModel> ReadChassis(EntryReader entry)
    {
        var from = entry.Number("fixed_dc_w").From;
        var model = new ChassisModel(
            entry.Count("gpus"),
            Part("fixed_dc_w"),
            Part("network_w", 0),
            new ChassisFans(
                Part("fan_nameplate_w"),
                Part("fan_full_cooling_load_w"),
                Part("fan_min_pwm").Value,
                Part("fan_max_pwm").Value,
                Part("fan_exponent").Value),
            Part("psu_capacity_w"),
            Part("psu_limit_w"),
            ReadCurve(entry));
        entry.RefuseUnknownKeys();
        return new Sourced<ChassisModel>(model, from);

        Watts Part(string key, double atLeast = double.Epsilon)
        {
            var number = entry.Number(key, atLeast);
            from = from.And(number.From);
            return new Watts(number.Value);
        }
    }
}
