using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using TokenFactory.Cli.Input;
using TokenFactory.Gateway.Setup;
using TokenFactory.Store;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads where a gateway listens, what it takes and keeps, and how it watches.</summary>
internal static class ServeLimits
{
    private const double Mebibyte = 1 << 20;
    private const double Gibibyte = 1 << 30;
    private const double Day = 86_400;

    /// <summary>Addresses and certificates.</summary>
    public static ListenSetup Listen(Settings file)
    {
        var tls = file.Item("tls");
        tls?.Require("certificate", "Name the PEM file of the certificate");
        tls?.Require("key", "Name the PEM file of its key");
        foreach (var key in (string[])["certificate", "key"])
        {
            if (tls?.Text(key) is { } path && !File.Exists(path))
                tls.Note(key, $"is '{path}', which is no file", "Name a PEM file");
        }

        CheckPair(tls);
        var (address, admin) = (Address(file, "listen", 8080), Address(file, "admin", 8081));
        if (address.Equals(admin) && address.Port != 0)
            file.Note("admin", $"is {admin}, where clients are listened to", "Give it a port of its own");
        return new ListenSetup(address, admin)
        {
            Certificate = tls?.Text("certificate"),
            CertificateKey = tls?.Text("key"),
        };
    }

    private static void CheckPair(Settings? tls)
    {
        if (tls?.Text("certificate") is not { } certificate || tls.Text("key") is not { } key || !File.Exists(certificate) || !File.Exists(key))
            return;
        try
        {
            X509Certificate2.CreateFromPemFile(certificate, key).Dispose();
        }
        catch (Exception bad) when (bad is CryptographicException or IOException or UnauthorizedAccessException)
        {
            tls.Note("certificate", $"and 'key' cannot be used: {bad.Message.TrimEnd('.')}", "Name a certificate and its key, both in PEM");
        }
    }

    /// <summary>What is taken.</summary>
    public static LimitSetup Limits(Settings file)
    {
        var (limits, usual) = (file.Item("limits"), new LimitSetup());
        return new LimitSetup
        {
            BodyBytes = (long)((limits?.Number("body_mb", 0.001, 2000) ?? (usual.BodyBytes / Mebibyte)) * Mebibyte),
            HeaderBytes = (int)((limits?.Number("header_kb", 1, 1024) ?? (usual.HeaderBytes / 1024.0)) * 1024),
            Connections = limits?.Whole("connections", 1) ?? usual.Connections,
            HeldBodyBytes = (long)((limits?.Number("held_body_mb", 1, 1e6) ?? (usual.HeldBodyBytes / Mebibyte)) * Mebibyte),
            Choices = limits?.Whole("choices", 1) ?? usual.Choices,
            WaitSeconds = limits?.Number("wait_s", 0, Day) ?? usual.WaitSeconds,
            Waiting = limits?.Whole("waiting", 0) ?? usual.Waiting,
            FirstByteSeconds = limits?.Number("first_byte_s", 0.01, Day) ?? usual.FirstByteSeconds,
            IdleSeconds = limits?.Number("idle_s", 0.01, Day) ?? usual.IdleSeconds,
            SlowClientSeconds = limits?.Number("slow_client_s", 0.01, Day) ?? usual.SlowClientSeconds,
            DrainSeconds = limits?.Number("drain_s", 0, Day) ?? usual.DrainSeconds,
        };
    }

    /// <summary>How replicas are watched.</summary>
    public static HealthSetup Health(Settings file)
    {
        var (health, usual) = (file.Item("health"), new HealthSetup());
        return new HealthSetup
        {
            EverySeconds = health?.Number("every_s", 0.05, 3600) ?? usual.EverySeconds,
            MostSeconds = health?.Number("most_s", 0.05, 3600) ?? usual.MostSeconds,
            TimeoutSeconds = health?.Number("timeout_s", 0.05, 3600) ?? usual.TimeoutSeconds,
            Failures = health?.Whole("failures", 1) ?? usual.Failures,
            OpenSeconds = health?.Number("open_s", 0.05, 3600) ?? usual.OpenSeconds,
            SlowStartSeconds = health?.Number("slow_start_s", 0, 3600) ?? usual.SlowStartSeconds,
            OutlierFactor = health?.Number("outlier_factor", 0, 1000) ?? usual.OutlierFactor,
        };
    }

    /// <summary>Where records go. Folders are relative to where the gateway is started.</summary>
    public static StoreSetup Store(Settings file)
    {
        var (store, usual) = (file.Item("store"), new StoreSetup(".tokenfactory"));
        var durable = store?.Text("durable") ?? "disk";
        if (durable is not ("disk" or "process"))
            store!.Note("durable", $"is '{durable}'", "Write disk (survives a power cut) or process (survives a crash)");
        return new StoreSetup(store?.Text("folder") ?? usual.Folder)
        {
            Postgres = store is null ? null : Connection(store),
            Sync = durable == "disk",
            MostWaitingBytes = (long)((store?.Number("most_waiting_gb", 0.001, 1e5) ?? (usual.MostWaitingBytes / Gibibyte)) * Gibibyte),
        };
    }

    private static string? Connection(Settings store)
    {
        if (Secrets.OfVariable(store, "postgres_env") is not { } text)
            return null;
        try
        {
            TokenFactory.Store.StoreLocation.Postgres(text);
            return text;
        }
        catch (StoreSetupException)
        {
            const string remedy = "Write it as Host=HOST;Database=NAME;Username=USER;Password=SECRET";
            store.Note("postgres_env", $"names the variable {store.Text("postgres_env")}, which holds no connection string of PostgreSQL", remedy);
            return null;
        }
    }

    /// <summary>Where metrics are sent and decisions logged.</summary>
    public static TelemetrySetup Telemetry(Settings file)
    {
        var telemetry = file.Item("telemetry");
        Uri? otlp = null;
        if (telemetry?.Text("otlp") is { } text && !(Uri.TryCreate(text, UriKind.Absolute, out otlp) && otlp.Scheme is "http" or "https"))
            telemetry.Note("otlp", $"is '{text}'", "Write the address of a collector: http://127.0.0.1:4318");
        return new TelemetrySetup { Otlp = otlp, Events = telemetry?.Text("events") };
    }

    private static IPEndPoint Address(Settings file, string key, int port)
    {
        var text = file.Text(key) ?? $"127.0.0.1:{port}";
        var named = text.StartsWith("localhost:", StringComparison.Ordinal) ? "127.0.0.1" + text[9..] : text;
        if (IPEndPoint.TryParse(named, out var address) && (address.Port > 0 || named.EndsWith(":0", StringComparison.Ordinal)))
            return address;
        file.Note(key, $"is '{text}'", $"Write an IP address and a port: 127.0.0.1:{port}, or 0.0.0.0:{port} for all networks");
        return new IPEndPoint(IPAddress.Loopback, port);
    }
}
