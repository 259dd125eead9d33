namespace Aspire.Hosting;

/// <summary>How an application is built.</summary>
public sealed class DistributedApplicationOptions
{
    /// <summary>The command line.</summary>
    public string[]? Args { get; set; }

    /// <summary>The AppHost's assembly; null is the entry assembly.</summary>
    public string? AssemblyName { get; set; }

    /// <summary>True when no dashboard is wanted.</summary>
    public bool DisableDashboard { get; set; }
}
