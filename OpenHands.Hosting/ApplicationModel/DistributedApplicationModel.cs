namespace Aspire.Hosting.ApplicationModel;

/// <summary>The whole application as it was described.</summary>
/// <param name="resources">Its resources, in the order they were added.</param>
public sealed class DistributedApplicationModel(IResourceCollection resources)
{
    /// <summary>The resources, in the order they were added.</summary>
    public IResourceCollection Resources { get; } = resources;
}
