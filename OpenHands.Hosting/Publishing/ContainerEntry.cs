using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Hosting.Publishing;

/// <summary>A container in a manifest.</summary>
internal sealed class ContainerEntry(Utf8JsonWriter json, ManifestReferences references, BindingPorts ports, ResourceConfiguration configuration)
{
    /// <summary>Writes the members of the entry.</summary>
    /// <exception cref="DistributedApplicationException">The container has no image, or a folder of this machine is mounted in it.</exception>
    public async Task WriteAsync(ContainerResource container, CancellationToken cancellationToken)
    {
        var process = new ProcessMembers(json, references, ports, configuration);
        json.WriteString("type", "container.v0");
        if (container is IResourceWithConnectionString { ConnectionStringExpression: var connectionString })
        {
            json.WriteString("connectionString", references.Expression(connectionString));
        }

        json.WriteString("image", Image(container));
        if (container.Entrypoint is not null)
        {
            json.WriteString("entrypoint", container.Entrypoint);
        }

        await process.WriteArgumentsAsync(container, cancellationToken).ConfigureAwait(false);
        WriteVolumes(container);
        await process.WriteEnvironmentAsync(container, cancellationToken).ConfigureAwait(false);
        process.WriteBindings(container);
    }

    private static string Image(ContainerResource container)
    {
        if (!container.TryGetLastAnnotation<ContainerImageAnnotation>(out var image))
        {
            throw new DistributedApplicationException($"container '{container.Name}' has no image.");
        }

        var registry = image.Registry is null ? "" : $"{image.Registry}/";
        var tag = image.Tag is null ? "" : $":{image.Tag}";
        return registry + image.Image + tag;
    }

    private void WriteVolumes(ContainerResource container)
    {
        var mounts = container.Annotations.OfType<ContainerMountAnnotation>().ToList();
        if (mounts.Find(mount => mount.Type != ContainerMountType.Volume) is { } folder)
        {
            throw new DistributedApplicationException($"container '{container.Name}' mounts {folder.Source}, which is there on this machine only; give it a volume.");
        }

        if (mounts.Count == 0)
        {
            return;
        }

        json.WriteStartArray("volumes");
        foreach (var volume in mounts)
        {
            json.WriteStartObject();
            if (volume.Source is not null)
            {
                json.WriteString("name", volume.Source);
            }

            json.WriteString("target", volume.Target);
            json.WriteBoolean("readOnly", volume.IsReadOnly);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
