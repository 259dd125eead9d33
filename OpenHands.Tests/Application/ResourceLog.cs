using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
#if ASPIRE_PACKAGES
using System.Collections.Concurrent;
#endif

namespace OpenHands.Tests.Application;

/// <summary>What the resources of a running application have written.</summary>
internal static class ResourceLog
{
    /// <summary>The lines that a resource has written so far.</summary>
    public static IReadOnlyList<string> Of(DistributedApplication application, string resource)
    {
        var logs = application.Services.GetRequiredService<ResourceLoggerService>();
        return [.. Replicas(application, resource).SelectMany(id => Lines(logs, id))];
    }

    /// <summary>The replicas of a resource, by what is known of them.</summary>
    public static IReadOnlyList<string> Replicas(DistributedApplication application, string resource) =>
        application.ResourceNotifications.TryGetCurrentState(resource, out var single)
            ? [single.ResourceId]
            : FindReplicas(application, resource);

#if ASPIRE_PACKAGES
    private static List<string> FindReplicas(DistributedApplication application, string resource)
    {
        var model = application.Services.GetRequiredService<DistributedApplicationModel>();
        return [.. model.Resources.Single(known => known.Name == resource).GetResolvedResourceNames()];
    }

    private static IEnumerable<string> Lines(ResourceLoggerService logs, string id)
    {
        var lines = new ConcurrentQueue<string>();
        foreach (var batch in logs.GetAllAsync(id).ToBlockingEnumerable())
        {
            foreach (var line in batch)
            {
                lines.Enqueue(line.Content);
            }
        }

        return lines;
    }
#else
    private static List<string> FindReplicas(DistributedApplication application, string resource) =>
        [.. application.Services.GetRequiredService<OpenHands.Hosting.Orchestration.ApplicationOrchestrator>().Runners
            .Where(runner => runner.Resource.Name == resource).Select(runner => runner.ResourceId)];

    private static IEnumerable<string> Lines(ResourceLoggerService logs, string id) => logs.GetAll(id).Select(line => line.Content);
#endif
}
