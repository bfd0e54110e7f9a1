using TokenFactory.Cli.Input;
using TokenFactory.Gateway.Setup;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads the tenants of a factory.</summary>
internal static class ServeTenants
{
    private const int HashDigits = 64;
    private const double MostUsd = 1e9;
    private const int LongestName = 64;

    /// <summary>All tenants.</summary>
    public static IReadOnlyList<TenantSetup> Read(Settings file, IReadOnlyList<ModelSetup> models, IReadOnlySet<string> classes)
    {
        var read = new List<TenantSetup>();
        foreach (var item in file.Items("tenants"))
        {
            item.Require("name", "Name the tenant");
            var tenant = One(item);
            if (tenant.Name.Length > LongestName || tenant.Name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.')))
                item.Note("name", $"is '{tenant.Name}'", $"Use letters, digits, '-', '_' and '.', at most {LongestName}");
            if (read.Exists(other => other.Tenant.Name == tenant.Name))
                item.Note("name", $"is '{tenant.Name}' a second time", "Give every tenant its own");
            foreach (var model in tenant.Models.Where(model => !models.Any(known => known.Name == model)))
                item.Note("models", $"names '{model}'", $"The factory serves {string.Join(", ", models.Select(known => known.Name))}");
            foreach (var name in tenant.Classes.Append(tenant.Class).OfType<string>().Where(name => !classes.Contains(name)))
                item.Note(tenant.Class == name ? "class" : "classes", $"names '{name}'", $"Classes are {string.Join(", ", classes)}");
            CheckBudget(item, tenant, models);
            var hashes = Hashes(item).ToList();
            foreach (var other in read.Where(other => other.KeyHashes.Any(known => hashes.Any(own => own.Span.SequenceEqual(known.Span)))))
                item.Note("key_sha256", $"holds a key that tenant '{other.Tenant.Name}' has too", "Give every tenant keys of its own");
            read.Add(new TenantSetup(tenant, hashes));
        }

        return read;
    }

    private static TenantRecord One(Settings item) => new(item.Text("name") ?? "")
    {
        Models = item.Texts("models"),
        Class = item.Text("class"),
        Classes = item.Texts("classes"),
        RequestsPerMinute = item.Whole("requests_per_minute", 1),
        TokensPerMinute = item.Whole("tokens_per_minute", 1),
        Concurrency = item.Whole("concurrency", 1),
        UsdPerHour = Usd(item, "usd_per_hour"),
        UsdPerDay = Usd(item, "usd_per_day"),
        UsdPerMonth = Usd(item, "usd_per_month"),
        MaxOutputTokens = item.Whole("max_output_tokens", 1),
        ShowsDecisions = SimulateInput.Truth(item, "show_decisions"),
        Disabled = SimulateInput.Truth(item, "disabled"),
    };

    private static Usd? Usd(Settings item, string key) => item.Number(key, 0, MostUsd) is { } usd ? new Usd((decimal)usd) : null;

    /// <summary>A budget limits nothing where nothing is charged.</summary>
    private static void CheckBudget(Settings item, TenantRecord tenant, IReadOnlyList<ModelSetup> models)
    {
        if ((tenant.UsdPerHour ?? tenant.UsdPerDay ?? tenant.UsdPerMonth) is null)
            return;
        var key = tenant.UsdPerHour is not null ? "usd_per_hour" : tenant.UsdPerDay is not null ? "usd_per_day" : "usd_per_month";
        foreach (var model in models.Where(model => model.Price is null && (tenant.Models.Count == 0 || tenant.Models.Contains(model.Name))))
            item.Note(key, $"limits nothing of model '{model.Name}', which has no price", "Give it usd_per_million_input and usd_per_million_output");
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Hashes(Settings item)
    {
        foreach (var text in item.Texts("key_sha256"))
        {
            if (text.Length == HashDigits && text.All(char.IsAsciiHexDigit))
                yield return Convert.FromHexString(text);
            else
                item.Note("key_sha256", $"holds {text.Length} characters", "Write the SHA-256 of a key as 64 hexadecimal digits, never the key");
        }
    }
}
