using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.ServiceDefaults.Health;

/// <summary>The rules that hold for every health check of a service, applied when all are registered.</summary>
internal static class HealthCheckRules
{
    /// <summary>A check that has not answered by then counts as failed: /health answers within 2 s whatever hangs.</summary>
    internal static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(1.5);

    /// <summary>What Aspire's Redis client calls its checks (a keyed one appends its key).</summary>
    private const string RedisCheck = "StackExchange.Redis";

    internal static void Apply(HealthCheckServiceOptions options, IServiceScopeFactory scopes, TimeProvider time)
    {
        // Replaced, not changed: the registrations are shared by every instance of the options.
        var registrations = options.Registrations.Select(registration => Bound(registration, scopes, time)).ToList();
        options.Registrations.Clear();
        foreach (var registration in registrations)
            options.Registrations.Add(registration);
    }

    private static HealthCheckRegistration Bound(
        HealthCheckRegistration registration, IServiceScopeFactory scopes, TimeProvider time)
    {
        var limit = registration.Timeout > TimeSpan.Zero && registration.Timeout < TimeLimit
            ? registration.Timeout
            : TimeLimit;
        var check = new BoundedHealthCheck(registration.Factory, limit, scopes, time);
        var failureStatus = registration.Name.StartsWith(RedisCheck, StringComparison.Ordinal)
            ? HealthStatus.Degraded
            : registration.FailureStatus;
        return new HealthCheckRegistration(registration.Name, _ => check, failureStatus, registration.Tags)
        {
            Delay = registration.Delay,
            Period = registration.Period,
        };
    }
}
