using System.Collections.Concurrent;
using Aspire.Hosting.ApplicationModel;
using Google.Protobuf.WellKnownTypes;
using OpenHands.Hosting.Dashboard.Protocol;
using OpenHands.Hosting.Orchestration;
using Health = Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus;
using Message = OpenHands.Hosting.Dashboard.Protocol.Resource;

namespace OpenHands.Hosting.Dashboard;

/// <summary>Puts what is known about a resource into the words of the protocol.</summary>
/// <param name="orchestrator">Knows the replicas.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class ResourceMessages(ApplicationOrchestrator orchestrator, TimeProvider timeProvider)
{
    private readonly ConcurrentDictionary<string, DateTime> _created = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Everything about one replica.</summary>
    public Message Write(ResourceEvent change)
    {
        var (resource, snapshot) = (change.Resource, change.Snapshot);
        var message = new Message
        {
            Name = change.ResourceId,
            Uid = change.ResourceId,
            DisplayName = resource.Name,
            ResourceType = snapshot.ResourceType,
            State = snapshot.State?.Text ?? "",
            StateStyle = Style(snapshot) ?? "",
            // Aspire's dashboard demands it. A resource was there when it was first heard of.
            CreatedAt = Timestamp.FromDateTime(_created.GetOrAdd(change.ResourceId, _ => timeProvider.GetUtcNow().UtcDateTime)),
            StartedAt = Time(snapshot.StartTimeStamp),
            StoppedAt = Time(snapshot.StopTimeStamp),
            IsHidden = resource is DashboardResource,
        };
        message.Environment.AddRange(snapshot.EnvironmentVariables.Select(variable => new EnvironmentVariable
        {
            Name = variable.Name,
            Value = variable.Value ?? "",
            IsFromSpec = variable.IsFromSpec,
        }));
        message.Urls.AddRange(snapshot.Urls.Select((url, order) => new Url
        {
            EndpointName = url.Name ?? "",
            FullUrl = url.Url,
            IsInternal = url.IsInternal,
            IsInactive = snapshot.State?.Text != KnownResourceStates.Running,
            DisplayProperties = new UrlDisplayProperties { SortOrder = -order, DisplayName = "" },
        }));
        message.HealthReports.AddRange(snapshot.HealthReports.Select(Report));
        message.Commands.AddRange(ResourceCommands.Of(change));
        message.Volumes.AddRange(resource.Annotations.OfType<ContainerMountAnnotation>().Select(mount => new Volume
        {
            Source = mount.Source ?? "",
            Target = mount.Target,
            MountType = mount.Type == ContainerMountType.Volume ? "volume" : "bind",
            IsReadOnly = mount.IsReadOnly,
        }));
        message.Relationships.AddRange(Relations(resource).Distinct().Select(relation => new ResourceRelationship { ResourceName = relation.Name, Type = relation.Type }));
        message.Properties.AddRange(ResourceProperties.Of(change, ParentId(resource)));
        return message;
    }

    private static Timestamp? Time(DateTime? time) => time is { } known ? Timestamp.FromDateTime(known) : null;

    private static string? Style(CustomResourceSnapshot snapshot) => (snapshot.State?.Text, snapshot.ExitCode) switch
    {
        (_, _) when snapshot.State?.Style is { } style => style,
        (var state, _) when state == KnownResourceStates.FailedToStart => "error",
        (var state, { } code) when state == KnownResourceStates.Exited && code != 0 => "error",
        _ => null,
    };

    private static HealthReport Report(HealthReportSnapshot report)
    {
        var message = new HealthReport
        {
            Key = report.Name,
            Description = report.Description ?? "",
            Exception = report.ExceptionText ?? "",
            LastRunAt = Time(report.LastRunAt),
        };
        if (report.Status is { } status)
        {
            message.Status = status switch
            {
                Health.Healthy => HealthStatus.Healthy,
                Health.Degraded => HealthStatus.Degraded,
                _ => HealthStatus.Unhealthy,
            };
        }

        return message;
    }

    private static IEnumerable<(string Name, string Type)> Relations(IResource resource) =>
        resource.Annotations.OfType<ResourceRelationshipAnnotation>().Select(relation => (relation.Resource.Name, relation.Type))
            .Concat(resource.Annotations.OfType<WaitAnnotation>().Select(wait => (wait.Resource.Name, "WaitFor")))
            .Concat(resource is IResourceWithParent child ? [(child.Parent.Name, "Parent")] : []);

    /// <summary>The replica that a dashboard shows the resource below.</summary>
    private string? ParentId(IResource resource) => resource is IResourceWithParent child
        ? orchestrator.Runners.FirstOrDefault(runner => runner.Resource == child.Parent)?.ResourceId ?? child.Parent.Name
        : null;
}
