namespace Aspire.Hosting.ApplicationModel;

/// <summary>How a resource relates to another: Reference, WaitFor, Parent.</summary>
/// <param name="resource">The other resource.</param>
/// <param name="type">The kind of relation.</param>
public sealed class ResourceRelationshipAnnotation(IResource resource, string type) : IResourceAnnotation
{
    /// <summary>The other resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The kind of relation.</summary>
    public string Type { get; } = type;
}
