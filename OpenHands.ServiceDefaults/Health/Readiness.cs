using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenTelemetry;

namespace OpenHands.ServiceDefaults.Health;

/// <summary>
/// Answers how ready the service is. One evaluation runs at a time and everybody who asks meanwhile shares it; its
/// report is handed out until it is <see cref="MaxAge"/> old, so that probes cannot load what they probe.
/// </summary>
internal sealed class Readiness(HealthCheckService checks, TimeProvider time)
{
    /// <summary>How old a report may be when it is handed out, counted from the start of its evaluation.</summary>
    internal static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<HealthReport>? _evaluation;
    private long _startedAt;

    /// <summary>The present report; cancelling abandons the wait, not the evaluation that others may share.</summary>
    public Task<HealthReport> ReportAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_evaluation is null || IsOutdated(_evaluation))
                _evaluation = Start();
            return _evaluation.WaitAsync(cancellationToken);
        }
    }

    private bool IsOutdated(Task<HealthReport> evaluation) =>
        evaluation.IsCompleted && (!evaluation.IsCompletedSuccessfully || time.GetElapsedTime(_startedAt) >= MaxAge);

    private Task<HealthReport> Start()
    {
        _startedAt = time.GetTimestamp();
        // The evaluation belongs to nobody's request: neither its context nor its trace may leak into it.
        using (ExecutionContext.SuppressFlow())
            return Task.Run(EvaluateAsync, CancellationToken.None);
    }

    private async Task<HealthReport> EvaluateAsync()
    {
        // What the checks do (queries, pings) is no more worth a trace than the probe itself.
        using (SuppressInstrumentationScope.Begin())
            return await checks.CheckHealthAsync(CancellationToken.None);
    }
}
