using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace OpenHands.ServiceDefaults.Integrations;

/// <summary>Registers a client's health check once per name, however often its Add method is called.</summary>
internal static class HealthCheckExtensions
{
    internal static void TryAddHealthCheck(
        this IHostApplicationBuilder builder, string name, Action<IHealthChecksBuilder> add)
    {
        // Two checks of one name would make the health check service refuse to start.
        if (builder.Properties.TryAdd($"OpenHands.HealthChecks.{name}", true))
            add(builder.Services.AddHealthChecks());
    }
}
