namespace Aspire.Hosting.ApplicationModel;

/// <summary>A volume or folder of a container.</summary>
/// <param name="source">The volume's name.</param>
/// <param name="target">Where it is mounted.</param>
/// <param name="type">Volume or folder.</param>
/// <param name="isReadOnly">True when the container may not write.</param>
public sealed class ContainerMountAnnotation(string? source, string target, ContainerMountType type, bool isReadOnly) : IResourceAnnotation
{
    /// <summary>The volume's name.</summary>
    public string? Source { get; } = source;

    /// <summary>Where it is mounted.</summary>
    public string Target { get; } = target;

    /// <summary>Volume or folder.</summary>
    public ContainerMountType Type { get; } = type;

    /// <summary>True when the container may not write.</summary>
    public bool IsReadOnly { get; } = isReadOnly;
}
