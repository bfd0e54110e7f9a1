using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Planning.Audit;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a file says of its audit: the mapping under <c>audit</c>. Every key is optional.</summary>
internal sealed record AuditInput
{
    /// <summary>The key of a scenario under which it stands; a simulation does not look at it.</summary>
    public const string Key = "audit";

    private static readonly string[] Billings = ["spot", "reserved-1y", "reserved-3y"];

    /// <summary>Requests on which levers are judged; null for the default.</summary>
    public int? Requests { get; private init; }

    /// <summary>Requests on which the whole is compared; null for the default.</summary>
    public int? CheckRequests { get; private init; }

    /// <summary>How many seeds; null for the default.</summary>
    public int? Seeds { get; private init; }

    /// <summary>Share of each class that must keep its promises; null for the default.</summary>
    public double? Kept { get; private init; }

    /// <summary>Replicas of each pool beyond its need.</summary>
    public int Spare { get; private init; }

    /// <summary>Acceptance of a draft; null for the default.</summary>
    public double? Acceptance { get; private init; }

    /// <summary>GB of host memory beside each GPU; null for the default.</summary>
    public double? HostGigabytesPerGpu { get; private init; }

    /// <summary>Whether weights of four bits may be part of the total.</summary>
    public bool FourBits { get; private init; }

    /// <summary>Whether commitments of three years may be part of the total.</summary>
    public bool ThreeYears { get; private init; }

    /// <summary>What spot capacity is like; null for the default.</summary>
    public SpotTerms? Spot { get; private init; }

    /// <summary>Keys of levers that are left out.</summary>
    public IReadOnlySet<string> LeftOut { get; private init; } = new HashSet<string>();

    /// <summary>GPUs that may be rented instead.</summary>
    public IReadOnlyList<Accelerator> Gpus { get; private init; } = [];

    /// <summary>Dollars per GPU-hour by billing, where the file gives them.</summary>
    public IReadOnlyDictionary<string, double> Usd { get; private init; } = new Dictionary<string, double>();

    /// <summary>Reads it; mistakes are noted in the file.</summary>
    public static AuditInput Read(Settings file, CatalogContents catalog)
    {
        if (file.Item(Key) is not { } audit)
            return new AuditInput();
        return new AuditInput
        {
            Requests = audit.Whole("requests", 100),
            CheckRequests = audit.Whole("check_requests", 100),
            Seeds = audit.Whole("seeds", 1),
            Kept = audit.Number("kept", 0.01, 1),
            Spare = audit.Whole("spare", 0) ?? 0,
            Acceptance = audit.Number("acceptance", 0, 1),
            HostGigabytesPerGpu = audit.Number("host_gb_per_gpu", 1, 1e5),
            FourBits = SimulateInput.Truth(audit, "four_bits"),
            ThreeYears = SimulateInput.Truth(audit, "three_years"),
            Spot = SpotOf(audit),
            LeftOut = LeftOutOf(audit),
            Gpus = [.. audit.Texts("gpus").Select(name => Lookup.Gpu(audit, "gpus", name, catalog)).OfType<Accelerator>()],
            Usd = Billings
                .Select(billing => (billing, Usd: audit.Number(PriceKey(billing), 0)))
                .Where(one => one.Usd is not null)
                .ToDictionary(one => one.billing, one => one.Usd!.Value, StringComparer.Ordinal),
        };
    }

    /// <summary>The key under which a price per GPU-hour is given.</summary>
    public static string PriceKey(string billing) => $"{billing.Replace('-', '_')}_usd_per_gpu_hour";

    private static SpotTerms? SpotOf(Settings audit)
    {
        var (up, down) = (audit.Number("spot_up_hours", double.Epsilon, 1e6), audit.Number("spot_down_hours", double.Epsilon, 1e6));
        if (audit.Has("spot_up_hours") != audit.Has("spot_down_hours"))
        {
            var (has, lacks) = audit.Has("spot_up_hours") ? ("spot_up_hours", "spot_down_hours") : ("spot_down_hours", "spot_up_hours");
            audit.Note(has, $"is given without {lacks}", "Give both: how long a machine stays, and how long until the next");
        }

        return up is { } stays && down is { } away ? new SpotTerms(stays, away) : null;
    }

    private static HashSet<string> LeftOutOf(Settings audit)
    {
        var named = audit.Texts("leave_out");
        foreach (var unknown in named.Where(name => !Levers.Keys.Contains(name)))
        {
            var known = $"The levers are {string.Join(", ", Levers.Keys)}";
            var remedy = Names.Nearest(unknown, Levers.Keys) is { } near ? $"Did you mean '{near}'?" : known;
            audit.Note("leave_out", $"names '{unknown}', which is no lever", remedy);
        }

        return [.. named];
    }
}
