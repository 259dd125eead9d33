namespace Aspire.Hosting.ApplicationModel;

/// <summary>The image a container would run; the embedded host runs the same server as a process.</summary>
public sealed class ContainerImageAnnotation : IResourceAnnotation
{
    /// <summary>The registry's host; null for the default one.</summary>
    public string? Registry { get; set; }

    /// <summary>The image's name.</summary>
    public required string Image { get; set; }

    /// <summary>The image's tag.</summary>
    public string? Tag { get; set; }
}
