using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.Worker.Migrations;

/// <summary>Ready only once the database is up to date.</summary>
internal sealed class MigrationState : IHealthCheck
{
    private volatile bool _finished;

    /// <summary>The database is up to date.</summary>
    public void Finish() => _finished = true;

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_finished ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The migrations are not applied yet."));
}
