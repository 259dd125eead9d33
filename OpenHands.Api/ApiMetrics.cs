using System.Diagnostics.Metrics;
using OpenHands.Storage.RateLimits;

namespace OpenHands.Api;

/// <summary>What the API tells OpenTelemetry beyond what the framework does.</summary>
internal sealed class ApiMetrics
{
    private readonly Counter<long> _limited;

    public ApiMetrics(IMeterFactory meters) =>
        _limited = meters.Create("OpenHands.Api").CreateCounter<long>("openhands.ratelimit.requests", "{request}", "Requests under each policy, and what it said.");

    /// <summary>Counts a request under each of its policies.</summary>
    public void Count(RateLimitDecision decision)
    {
        if (!_limited.Enabled)
            return;
        foreach (var state in decision.States)
        {
            var outcome = state switch
            {
                { Allows: true } => "allowed",
                { Policy.IsShadow: true } => "would_refuse",
                _ => "refused",
            };
            _limited.Add(1, new("openhands.ratelimit.policy", state.Policy.Name), new("openhands.ratelimit.outcome", outcome), new("openhands.ratelimit.degraded", decision.IsDegraded));
        }
    }
}
