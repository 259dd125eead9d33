using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.Tests.ServiceDefaults;

/// <summary>A health check that counts its runs, tells when one begins, and ends as the test says.</summary>
internal sealed class ScriptedCheck(Func<HealthCheckContext, Task<HealthCheckResult>> run) : IHealthCheck
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;

    public int Runs => Volatile.Read(ref _runs);

    /// <summary>Done once the check has begun to run.</summary>
    public Task Begun => _begun.Task;

    public static ScriptedCheck Failing(string? description = null, Exception? exception = null) =>
        new(context => Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, description, exception)));

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _runs);
        _begun.TrySetResult();
        return run(context);
    }
}
