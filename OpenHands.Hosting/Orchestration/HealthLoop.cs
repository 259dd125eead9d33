using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.Hosting.Orchestration;

/// <summary>
/// Checks one replica while it runs: every 5 s while it is healthy, sooner while it is not (0.1 s at first, up to 2 s),
/// and publishes what changes.
/// </summary>
/// <param name="health">Asks.</param>
/// <param name="notifications">Where to publish.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class HealthLoop(ResourceHealth health, ResourceNotificationService notifications, TimeProvider timeProvider)
{
    private static readonly TimeSpan Soonest = TimeSpan.FromSeconds(0.1);
    private static readonly TimeSpan WhileUnhealthy = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WhileHealthy = TimeSpan.FromSeconds(5);

    /// <summary>Checks until cancelled.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="resourceId">The replica.</param>
    /// <param name="targetPort">The replica's own port for an endpoint.</param>
    /// <param name="changed">Told each time the answer is another one.</param>
    /// <param name="cancellationToken">Ends the loop.</param>
    public async Task RunAsync(
        IResource resource, string resourceId, Func<EndpointAnnotation, int>? targetPort, Action<bool> changed, CancellationToken cancellationToken)
    {
        var delay = Soonest;
        bool? healthy = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            var report = await health.CheckAsync(resource, targetPort, cancellationToken).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            var now = report is null || report.Status == HealthStatus.Healthy;
            if (now != healthy)
            {
                changed(now);
                healthy = now;
                delay = Soonest;
            }

            if (report is not null)
            {
                await notifications.PublishUpdateAsync(resource, resourceId, snapshot => snapshot with { HealthReports = [report] }).ConfigureAwait(false);
            }

            delay = now ? WhileHealthy : delay;
            await Task.Delay(delay, timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = delay * 2 < WhileUnhealthy ? delay * 2 : WhileUnhealthy;
        }
    }
}
