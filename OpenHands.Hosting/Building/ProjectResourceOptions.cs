namespace Aspire.Hosting;

/// <summary>How a project is added.</summary>
public sealed class ProjectResourceOptions
{
    /// <summary>True when the project's launch profiles are not read. The embedded host requires it.</summary>
    public bool ExcludeLaunchProfile { get; set; }
}
