using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Google.Protobuf.WellKnownTypes;
using OpenHands.Hosting.Dashboard.Protocol;

namespace OpenHands.Hosting.Dashboard;

/// <summary>What has no field of its own in the protocol, under the names that Aspire's dashboard knows.</summary>
internal static class ResourceProperties
{
    /// <summary>The properties of one replica.</summary>
    /// <param name="change">The replica.</param>
    /// <param name="parent">The replica it belongs to.</param>
    public static IEnumerable<ResourceProperty> Of(ResourceEvent change, string? parent)
    {
        var snapshot = change.Snapshot;
        if (snapshot.Process is { } process)
        {
            yield return Property("executable.path", Value.ForString(process.Program));
            yield return Property("executable.workDir", Value.ForString(process.WorkingDirectory));
            yield return Property("executable.pid", snapshot.ProcessId is { } id ? Value.ForNumber(id) : Value.ForNull());
            yield return Property("resource.appArgs", Value.ForList([.. process.Arguments.Select(Value.ForString)]));
            yield return Property("resource.appArgsSensitivity", Value.ForList([.. process.Arguments.Select(_ => Value.ForBool(false))]));
            yield return Property("resource.restarts", Value.ForNumber(snapshot.Restarts), "Restarts");
        }

        if (change.Resource.Annotations.OfType<IProjectMetadata>().FirstOrDefault() is { } project)
        {
            yield return Property("project.path", Value.ForString(project.ProjectPath));
        }

        if (change.Resource.TryGetLastAnnotation<ContainerImageAnnotation>(out var image))
        {
            yield return Property("container.image", Value.ForString($"{image.Registry}/{image.Image}:{image.Tag}"), "Published as image");
        }

        if (snapshot.Value is { } value)
        {
            yield return Property(value.Name, Value.ForString(value.Text), sensitive: value.IsSecret);
        }

        if (parent is not null)
        {
            yield return Property("resource.parentName", Value.ForString(parent));
        }

        if (snapshot.ExitCode is { } exitCode)
        {
            yield return Property("resource.exitCode", Value.ForNumber(exitCode));
        }

        if (snapshot.Failure is { } failure)
        {
            yield return Property("resource.failure", Value.ForString(failure), "Failure");
        }
    }

    private static ResourceProperty Property(string name, Value value, string? displayName = null, bool sensitive = false)
    {
        var property = new ResourceProperty { Name = name, Value = value, IsSensitive = sensitive };
        if (displayName is not null)
        {
            property.DisplayName = displayName;
        }

        return property;
    }
}
