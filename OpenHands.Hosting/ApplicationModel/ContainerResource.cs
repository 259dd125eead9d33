namespace Aspire.Hosting.ApplicationModel;

/// <summary>A server that is published as a container, and that the embedded host runs as a process.</summary>
/// <param name="name">The resource's name.</param>
/// <param name="entrypoint">The command that replaces the image's own.</param>
public class ContainerResource(string name, string? entrypoint = null)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IResourceWithProbes, IComputeResource
{
    /// <summary>The command that replaces the image's own.</summary>
    public string? Entrypoint { get; set; } = entrypoint;
}
