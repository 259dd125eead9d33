using Microsoft.Extensions.Options;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Expiry;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Maintenance;

/// <summary>Puts the platform's own maintenance into the worker: tasks of the queue, and the sweep that every worker does.</summary>
internal static class MaintenanceServices
{
    /// <summary>Adds it.</summary>
    public static IHostApplicationBuilder AddMaintenance(this IHostApplicationBuilder builder)
    {
        var (services, system) = (builder.Services, builder.Configuration.GetConnectionString(ConnectionStrings.System)!); // demanded before
        services.AddSingleton(_ => new MaintenanceDatabase(system));
        services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => new AuditSealer(provider.GetRequiredService<KeyRing>(), provider.GetRequiredService<TimeProvider>())
        {
            DaysWithoutOrganization = provider.GetRequiredService<IOptions<AuditOptions>>().Value.RetentionDays,
        });
        services.AddTaskHandler<SealAudit>(SealAudit.Type);
        services.AddSingleton(SealAudit.EveryMinute);
        services.AddTaskHandler<PruneAudit>(PruneAudit.Type);
        services.AddSingleton(PruneAudit.Hourly);
        services.AddTaskHandler<RotateKeys>(KeyRotationRuns.TaskType);
        services.AddTaskHandler<ResumeRotations>(ResumeRotations.Type);
        services.AddSingleton(ResumeRotations.Hourly);
        services.AddSingleton(provider => new ExpiredRows(system, provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService<ExpirySweep>();
        return builder;
    }
}
