namespace TokenFactory.Planning.Deploy;

/// <summary>Writes the gateway for Kubernetes: its configuration, the volume of its ledger, its one pod, its address.</summary>
internal static class KubernetesGateway
{
    /// <summary>The claim of the volume that holds journal, ledger and keys.</summary>
    public const string Claim = "gateway-store";

    private const string LedgerSize = "10Gi";
    private const int ImageUser = 1654;
    private const int MoreThanDrainSeconds = 30;
    private const string Name = GatewayFile.ServiceName;

    /// <summary>The gateway with its configuration.</summary>
    /// <param name="design">Name of the fleet, which is its namespace.</param>
    /// <param name="configuration">Text of gateway.yaml.</param>
    /// <param name="options">Its image, and how long its answers get to end.</param>
    public static IReadOnlyList<Doc> Of(string design, string configuration, DeployOptions options)
    {
        var labels = new DocMap { { "app.kubernetes.io/name", Name }, { "app.kubernetes.io/part-of", design } };
        var chosen = new DocMap { { "app.kubernetes.io/name", Name } };
        DocMap Meta(string name = Name) => new() { { "name", name }, { "namespace", design }, { "labels", labels } };
        var template = new DocMap { { "metadata", new DocMap { { "labels", labels } } }, { "spec", Pod(options) } };
        return
        [
            new DocMap
            {
                { "apiVersion", "v1" }, { "kind", "ConfigMap" }, { "metadata", Meta() },
                { "data", new DocMap { { GatewayFile.FileName, configuration } } },
            },
            new DocMap { { "apiVersion", "v1" }, { "kind", "PersistentVolumeClaim" }, { "metadata", Meta(Claim) }, { "spec", Volume() } },
            new DocMap
            {
                { "apiVersion", "apps/v1" },
                { "kind", "Deployment" },
                { "metadata", Meta() },
                {
                    "spec",
                    new DocMap
                    {
                        { "replicas", 1 },
                        { "strategy", new DocMap { { "type", "Recreate" } }, "One writer per store: the old pod ends before the new one starts." },
                        { "selector", new DocMap { { "matchLabels", chosen } } },
                        { "template", template },
                    }
                },
            },
            new DocMap
            {
                { "apiVersion", "v1" }, { "kind", "Service" }, { "metadata", Meta() },
                {
                    "spec",
                    new DocMap
                    {
                        { "selector", chosen },
                        { "ports", new DocList { new DocMap { { "name", "http" }, { "port", 80 }, { "targetPort", "http" } } } },
                    }
                },
            },
        ];
    }

    private static DocMap Volume() => new()
    {
        { "accessModes", new DocList { "ReadWriteOnce" } },
        { "resources", new DocMap { { "requests", new DocMap { { "storage", LedgerSize } } } }, "Ledger and journal: some hundred bytes a request." },
    };

    private static DocMap Pod(DeployOptions options)
    {
        var configuration = new DocMap { { "name", "configuration" }, { "configMap", new DocMap { { "name", Name } } } };
        var store = new DocMap { { "name", "store" }, { "persistentVolumeClaim", new DocMap { { "claimName", Claim } } } };
        return new DocMap
        {
            { "automountServiceAccountToken", false },
            { "terminationGracePeriodSeconds", options.DrainSeconds + MoreThanDrainSeconds, "Answers that run end first: limits.drain_s." },
            {
                "securityContext",
                new DocMap { { "runAsNonRoot", true }, { "runAsUser", ImageUser }, { "runAsGroup", ImageUser }, { "fsGroup", ImageUser } }
            },
            { "containers", new DocList { Container(options) } },
            { "volumes", new DocList { configuration, store } },
        };
    }

    private static DocMap Container(DeployOptions options) => new()
    {
        { "name", Name },
        { "image", options.GatewayImage },
        { "args", new DocList { "serve", $"{GatewayFile.Folder}/{GatewayFile.FileName}" } },
        { "workingDir", GatewayFile.StoreMount },
        { "ports", new DocList { new DocMap { { "name", "http" }, { "containerPort", GatewayFile.Port } } } },
        { "startupProbe", Probe("/healthz", 5, 60), "A start first brings in what an earlier run left in the journal." },
        { "readinessProbe", Probe("/readyz", 5, 2) },
        { "livenessProbe", Probe("/healthz", 10, 6) },
        { "resources", new DocMap { { "requests", new DocMap { { "cpu", "2" }, { "memory", "2Gi" } } } } },
        {
            "securityContext",
            new DocMap { { "allowPrivilegeEscalation", false }, { "capabilities", new DocMap { { "drop", new DocList { "ALL" } } } } }
        },
        {
            "volumeMounts",
            new DocList
            {
                new DocMap { { "name", "configuration" }, { "mountPath", GatewayFile.Folder } },
                new DocMap { { "name", "store" }, { "mountPath", GatewayFile.StoreMount } },
            }
        },
    };

    private static DocMap Probe(string path, int seconds, int failures) => new()
    {
        { "httpGet", new DocMap { { "path", path }, { "port", "http" } } },
        { "periodSeconds", seconds }, { "timeoutSeconds", 5 }, { "failureThreshold", failures },
    };
}
