using System.Diagnostics;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What every resource has: a name and its annotations.</summary>
/// <param name="name">1 to 64 ASCII letters, digits and hyphens, starting with a letter.</param>
[DebuggerDisplay("{GetType().Name,nq} {Name}")]
public abstract class Resource(string name) : IResource
{
    /// <inheritdoc/>
    public virtual string Name { get; } = ResourceName.Validated(name);

    /// <inheritdoc/>
    public virtual ResourceAnnotationCollection Annotations { get; } = [];
}
