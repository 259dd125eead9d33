namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that runs code of its own.</summary>
public interface IComputeResource : IResource;
