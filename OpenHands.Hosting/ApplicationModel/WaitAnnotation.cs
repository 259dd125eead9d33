namespace Aspire.Hosting.ApplicationModel;

/// <summary>A resource starts only after another got somewhere.</summary>
/// <param name="resource">The other resource.</param>
/// <param name="waitType">How far it must have got.</param>
/// <param name="exitCode">The exit code that counts as completion.</param>
public sealed class WaitAnnotation(IResource resource, WaitType waitType, int exitCode = 0) : IResourceAnnotation
{
    /// <summary>The other resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>How far it must have got.</summary>
    public WaitType WaitType { get; } = waitType;

    /// <summary>What to do when it cannot get there; null takes the host's default.</summary>
    public WaitBehavior? WaitBehavior { get; init; }

    /// <summary>The exit code that counts as completion.</summary>
    public int ExitCode { get; } = exitCode;
}
