using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Hosting.Publishing;

/// <summary>A .NET project in a manifest.</summary>
internal sealed class ProjectEntry(Utf8JsonWriter json, string folder, ManifestReferences references, BindingPorts ports, ResourceConfiguration configuration)
{
    /// <summary>Writes the members of the entry.</summary>
    /// <exception cref="DistributedApplicationException">Nobody said where the project lies.</exception>
    public async Task WriteAsync(ProjectResource project, CancellationToken cancellationToken)
    {
        if (!project.TryGetLastAnnotation<IProjectMetadata>(out var metadata))
        {
            throw new DistributedApplicationException($"project '{project.Name}' has no project file.");
        }

        var process = new ProcessMembers(json, references, ports, configuration);
        json.WriteString("type", "project.v0");
        json.WriteString("path", Path.GetRelativePath(folder, metadata.ProjectPath));
        await process.WriteArgumentsAsync(project, cancellationToken).ConfigureAwait(false);
        await process.WriteEnvironmentAsync(project, cancellationToken).ConfigureAwait(false);
        process.WriteBindings(project);
    }
}
