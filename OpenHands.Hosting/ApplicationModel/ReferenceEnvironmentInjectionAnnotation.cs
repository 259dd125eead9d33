namespace Aspire.Hosting.ApplicationModel;

/// <summary>What references put into the environment of this resource.</summary>
/// <param name="flags">The kinds of variables.</param>
public sealed class ReferenceEnvironmentInjectionAnnotation(ReferenceEnvironmentInjectionFlags flags) : IResourceAnnotation
{
    /// <summary>The kinds of variables.</summary>
    public ReferenceEnvironmentInjectionFlags Flags { get; } = flags;
}
