using System.Text;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Publishing.Compose;

/// <summary>
/// Publishes the application as a file for Docker Compose: what the manifest says, with the ports and volumes of a small file
/// that lies beside the result. Starts nothing and needs no secret.
/// </summary>
internal sealed class ComposePublisher(PublishOptions options, DistributedApplicationModel model, ManifestPublisher manifest)
{
    /// <summary>Writes the file; returns its path.</summary>
    /// <exception cref="DistributedApplicationException">
    /// The small file is missing or wrong, a resource has no form in Compose, or the file cannot be written.
    /// </exception>
    public async Task<string> PublishAsync(CancellationToken cancellationToken)
    {
        var path = options.ComposePath;
        var folder = Path.GetDirectoryName(path)!;
        var additions = await ComposeAdditions.ReadAsync(folder, cancellationToken).ConfigureAwait(false);
        var text = await WriteAsync(additions, cancellationToken).ConfigureAwait(false);
        await PublishedFile.WriteAsync(path, Encoding.UTF8.GetBytes(text), cancellationToken).ConfigureAwait(false);
        return path;
    }

    /// <summary>The file's text.</summary>
    /// <exception cref="DistributedApplicationException">The small file does not fit the model, or a resource has no form in Compose.</exception>
    public async Task<string> WriteAsync(ComposeAdditions additions, CancellationToken cancellationToken)
    {
        // The folder decides only about paths of projects, of which nothing but the name counts here.
        var bytes = await manifest.WriteAsync(Path.GetFullPath("/"), cancellationToken).ConfigureAwait(false);
        var resources = JsonNode.Parse(bytes)!["resources"]!.AsObject();
        additions.DemandServices(resources);

        var yaml = new ComposeYaml();
        yaml.Comment($"Written by `--publisher compose` from the model and {ComposeAdditions.FileName}; do not edit, publish anew.");
        yaml.Value(0, "name", additions.Name);
        yaml.Section(0, "services");
        foreach (var (name, resource) in resources)
        {
            if ((string?)resource!["type"] is "container.v0" or "project.v0")
                new ComposeService(name, resource.AsObject(), additions, new ComposeExpressions(resources)).Write(yaml, DependenciesOf(name));
        }

        yaml.Section(0, "volumes");
        foreach (var volume in additions.VolumeNames)
            yaml.Empty(1, volume);
        return yaml.ToString();
    }

    // A database stands for its server, and what is no service of its own needs no waiting for.
    private IEnumerable<(string Service, string Condition)> DependenciesOf(string name) =>
        from wait in model.Resources.First(resource => resource.Name == name).Annotations.OfType<WaitAnnotation>()
        where wait.Resource is ContainerResource or ProjectResource
        select (wait.Resource.Name, wait.WaitType switch
        {
            WaitType.WaitForCompletion => "service_completed_successfully",
            WaitType.WaitUntilHealthy => "service_healthy",
            _ => "service_started",
        });
}
