using Microsoft.Extensions.Options;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Expiry;
using OpenHands.Storage.Secrets;

namespace OpenHands.Worker.Maintenance;

/// <summary>Puts the chores that one elected worker does into the worker.</summary>
internal static class MaintenanceServices
{
    /// <summary>Adds them.</summary>
    public static IHostApplicationBuilder AddMaintenance(this IHostApplicationBuilder builder)
    {
        var system = builder.Configuration.GetConnectionString(ConnectionStrings.System)!; // demanded before
        builder.Services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(services => new AuditSealer(services.GetRequiredService<KeyRing>(), services.GetRequiredService<TimeProvider>())
        {
            DaysWithoutOrganization = services.GetRequiredService<IOptions<AuditOptions>>().Value.RetentionDays,
        });
        builder.Services.AddHostedService(services => new SealAudit(
            system, services.GetRequiredService<AuditSealer>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<SealAudit>>()));
        builder.Services.AddHostedService(services => new RotateKeys(
            system, services.GetRequiredService<KeyRing>(), services.GetRequiredService<TenantKeys>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<RotateKeys>>()));
        builder.Services.AddSingleton(services => new ExpiredRows(system, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService<ExpirySweep>();
        return builder;
    }
}
