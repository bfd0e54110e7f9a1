using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace TokenFactory.Gateway.Admin;

/// <summary>Replicas, usage and status by the admin API.</summary>
internal sealed class AdminPlant(AdminParts parts)
{
    private static readonly string Version =
        typeof(AdminPlant).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    public Task ReplicasAsync(HttpContext context) =>
        AdminApi.AnswerAsync(context, new ReplicasView(parts.Replicas()), AdminJson.Default.ReplicasView);

    public async Task DrainAsync(HttpContext context, bool drain)
    {
        (await AdminBody.ReadAsync(context)).Conclude();
        var name = AdminApi.Part(context, "name");
        if (!parts.Drain(name, drain))
            throw new AdminRefusal(404, "not_found", $"There is no replica '{name}'. GET /admin/v1/replicas lists those that are.");
        var replica = parts.Replicas().FirstOrDefault(replica => replica.Name == name)
            ?? throw new AdminRefusal(404, "not_found", $"Replica '{name}' is gone.");
        await AdminApi.AnswerAsync(context, replica, AdminJson.Default.ReplicaStatus);
    }

    public Task UsageAsync(HttpContext context)
    {
        var usage = from tenant in parts.Tenants.Tenants
                    let used = parts.Tenants.UsageOf(tenant.Name)
                    where used is not null
                    select UsageView.Of(tenant, used);
        return AdminApi.AnswerAsync(context, new UsagesView([.. usage]), AdminJson.Default.UsagesView);
    }

    public Task StatusAsync(HttpContext context)
    {
        var (store, replicas) = (parts.Store(), parts.Replicas());
        var view = new StatusView(
            parts.Setup().Name, Version, Time.Of(parts.Started), (parts.Clock.Now - parts.Started).Seconds, store.What,
            store.AwaySince is { } since ? Time.Of(since) : null, store.JournalBytesWaiting, store.JournalFull,
            parts.Tenants.Tenants.Count, parts.Tenants.Keys.Count, replicas.Count, replicas.Count(replica => replica.State == "ready"));
        return AdminApi.AnswerAsync(context, view, AdminJson.Default.StatusView);
    }
}
