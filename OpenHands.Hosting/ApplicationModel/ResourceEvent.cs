namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something about a resource changed.</summary>
/// <param name="resource">The resource.</param>
/// <param name="resourceId">The replica: the resource's name and a suffix.</param>
/// <param name="snapshot">Everything known about it now.</param>
public sealed class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    /// <summary>The resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The replica: the resource's name and a suffix.</summary>
    public string ResourceId { get; } = resourceId;

    /// <summary>Everything known about it now.</summary>
    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}
