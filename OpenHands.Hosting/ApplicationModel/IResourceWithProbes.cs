namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that can be probed over HTTP.</summary>
public interface IResourceWithProbes : IResource;
