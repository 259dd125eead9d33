using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.ServiceDefaults.Health;

/// <summary>
/// Runs a check for at most <paramref name="limit"/> and gives up on it after that, also when it ignores its
/// cancellation token or blocks a thread. A run that was given up is left to end by itself, in a scope of its own;
/// until it has, the next evaluations wait for that run instead of starting another beside it.
/// </summary>
internal sealed class BoundedHealthCheck(
    Func<IServiceProvider, IHealthCheck> factory, TimeSpan limit, IServiceScopeFactory scopes, TimeProvider time)
    : IHealthCheck
{
    private readonly Lock _gate = new();
    private Task<HealthCheckResult>? _run;

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await CurrentRun(context).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new HealthCheckResult(
                context.Registration.FailureStatus, $"No answer within {limit.TotalSeconds:0.###} s.");
        }
    }

    private Task<HealthCheckResult> CurrentRun(HealthCheckContext context)
    {
        lock (_gate)
        {
            // On the pool: making the check may already block (a client that connects when it is first asked for).
            if (_run is null or { IsCompleted: true })
                _run = Task.Run(() => RunAsync(context), CancellationToken.None);
            return _run;
        }
    }

    private async Task<HealthCheckResult> RunAsync(HealthCheckContext context)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        await using var scope = scopes.CreateAsyncScope();
        return await factory(scope.ServiceProvider).CheckHealthAsync(context, deadline.Token);
    }
}
