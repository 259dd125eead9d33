using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.Storage.Postgres;

/// <summary>Ready only while PostgreSQL answers and has every migration that this build knows.</summary>
internal sealed class SchemaHealthCheck(OpenHandsDb db) : IHealthCheck
{
    /// <summary>Name of the check in <c>/health</c>.</summary>
    public const string Name = "schema";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var missing = await SchemaVersion.MissingAsync(db, cancellationToken);
            return missing.Count == 0
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"The migration step has yet to apply {missing.Count} migrations, the next is {missing[0]}.");
        }
        catch (Exception failure) when (DatabaseAvailability.IsUnavailable(failure))
        {
            return HealthCheckResult.Unhealthy("PostgreSQL cannot be reached.", failure);
        }
    }
}
