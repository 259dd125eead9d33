using OpenHands.Storage.Expiry;

namespace OpenHands.Worker.Maintenance;

/// <summary>Adds what tidies up behind everybody.</summary>
internal static class MaintenanceServices
{
    /// <summary>Adds the sweep. Needs the connection string <c>openhands-system</c>.</summary>
    public static void AddMaintenance(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(provider => new ExpiredRows(
            builder.Configuration.GetConnectionString(ConnectionStrings.System)!, // demanded before
            provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService<ExpirySweep>();
    }
}
