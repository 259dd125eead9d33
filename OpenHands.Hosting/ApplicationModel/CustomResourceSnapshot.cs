using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Everything known about a resource at a moment.</summary>
public sealed record CustomResourceSnapshot
{
    /// <summary>Made by the host; everybody else changes a copy of what is known.</summary>
    internal CustomResourceSnapshot()
    {
    }

    /// <summary>The kind of resource: Project, PostgresServer, …</summary>
    public required string ResourceType { get; init; }

    /// <summary>Where it stands; null before anything happened.</summary>
    public ResourceStateSnapshot? State { get; init; }

    /// <summary>The exit code of its last process.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The process that runs it.</summary>
    internal int? ProcessId { get; init; }

    /// <summary>What its process is; null before it was started.</summary>
    internal ProcessSnapshot? Process { get; init; }

    /// <summary>Its value or connection string, once known.</summary>
    internal ValueSnapshot? Value { get; init; }

    /// <summary>How often its process was started again.</summary>
    internal int Restarts { get; init; }

    /// <summary>Why it failed, in words for people.</summary>
    internal string? Failure { get; init; }

    /// <summary>When it was started.</summary>
    public DateTime? StartTimeStamp { get; init; }

    /// <summary>When it ended.</summary>
    public DateTime? StopTimeStamp { get; init; }

    /// <summary>Its addresses.</summary>
    public ImmutableArray<UrlSnapshot> Urls { get; init; } = [];

    /// <summary>Its environment variables.</summary>
    public ImmutableArray<EnvironmentVariableSnapshot> EnvironmentVariables { get; init; } = [];

    /// <summary>What its health checks said.</summary>
    public ImmutableArray<HealthReportSnapshot> HealthReports { get; internal init; } = [];

    /// <summary>The worst answer of its checks; null unless it runs; healthy when it runs and has none.</summary>
    public HealthStatus? HealthStatus => State?.Text != KnownResourceStates.Running && State?.Text != KnownResourceStates.Active
        ? null
        : HealthReports.Select(report => report.Status ?? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy)
            .Append(Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy).Min();
}
