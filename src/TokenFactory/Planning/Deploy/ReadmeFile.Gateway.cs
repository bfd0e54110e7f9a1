namespace TokenFactory.Planning.Deploy;

/// <content>The gateway: where its image comes from, its keys, its admin API, its store.</content>
internal sealed partial class ReadmeFile
{
    private void Gateway()
    {
        var space = $"kubectl{Context} -n {fleet.Name}";
        Line("## The gateway");
        Line();
        Line($"Its image `{fleet.Options.GatewayImage}` is published nowhere: build it in a checkout of Token Factory, and push it where your");
        Line("machines find it. Until it is there, send requests to the pools' Services.");
        Line();
        Code($"docker build -t {fleet.Options.GatewayImage} .");
        Line("It has no key at first, and prints none: what containers print is kept. Make a tenant and its key; the key is shown once.");
        Line();
        string[] verbs = ["tenants set NAME", "keys create --tenant NAME"];
        Code([.. verbs.Where(_ => fleet.HasCompose).Select(verb => $"docker exec {Container} tokenfactory {verb}"), .. verbs.Select(Exec)]);
        Line("Its admin API listens inside its container alone, on 127.0.0.1:8081. To reach it from your machine:");
        Line();
        Code(
            $"{space} port-forward deploy/{GatewayFile.ServiceName} 8081 &",
            $"export TOKENFACTORY_ADMIN_KEY=$({space} exec deploy/{GatewayFile.ServiceName} -- cat .tokenfactory/admin-key)",
            "tokenfactory replicas");
        var compose = fleet.HasCompose ? $", in Docker Compose on the volume `{ComposeFile.GatewayStore}`" : "";
        Line($"Journal, ledger and admin key lie on the claim `{KubernetesGateway.Claim}`{compose}: back it up.");
        Line("One gateway writes a store, so there is one pod, and an update stops the old one first: answers that run get their time, new");
        Line("requests find nobody for a moment.");
        Line();
        var restart = fleet.HasCompose ? $"; of Docker Compose's file with `docker restart {Container}`" : "";
        Line($"A changed ConfigMap is taken within a minute or two, without a restart{restart}.");
        Line("`tokenfactory serve gateway.yaml --check` says beforehand whether it is right.");
        Line();

        string Exec(string verb) => $"{space} exec deploy/{GatewayFile.ServiceName} -- tokenfactory {verb}";
    }

    private string Container => $"{fleet.Name}-{fleet.Hosts[0].Name}-{GatewayFile.ServiceName}-1";

    private string Context => fleet.Clusters.Count == 1 ? "" : $" --context {fleet.ClusterNames[fleet.Clusters[0]]}";
}
