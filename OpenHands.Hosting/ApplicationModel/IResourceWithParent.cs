namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource that is part of another.</summary>
public interface IResourceWithParent : IResource
{
    /// <summary>The resource it is part of.</summary>
    IResource Parent { get; }
}

/// <inheritdoc cref="IResourceWithParent"/>
/// <typeparam name="T">The type of the parent.</typeparam>
public interface IResourceWithParent<out T> : IResourceWithParent
    where T : IResource
{
    /// <inheritdoc cref="IResourceWithParent.Parent"/>
    new T Parent { get; }

    /// <inheritdoc/>
    IResource IResourceWithParent.Parent => Parent;
}
