using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.Storage.Postgres;

/// <summary>Ready only while PostgreSQL answers and has every migration that this build knows.</summary>
internal sealed class SchemaHealthCheck(IServiceScopeFactory scopes, TimeProvider time) : IHealthCheck
{
    /// <summary>Name of the check in <c>/health</c>.</summary>
    public const string Name = "schema";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        // A server that hangs keeps a cancelled command waiting: the answer does not wait with it.
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var missing = await MissingAsync(either.Token).WaitAsync(either.Token);
            return missing.Count == 0
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"The migration step has {missing.Count} migrations to apply, the next is {missing[0]}.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"PostgreSQL did not answer within {Patience.TotalSeconds} s.");
        }
        catch (Exception failure) when (DatabaseAvailability.IsUnavailable(failure))
        {
            return HealthCheckResult.Unhealthy("PostgreSQL cannot be reached.", failure);
        }
    }

    private async Task<IReadOnlyList<string>> MissingAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<OpenHandsDb>();
        return await SchemaVersion.MissingAsync(db, cancellationToken);
    }
}
