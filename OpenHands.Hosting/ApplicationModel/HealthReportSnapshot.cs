using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a health check said last.</summary>
/// <param name="Name">The check's key.</param>
/// <param name="Status">Its answer; null until it has run.</param>
/// <param name="Description">What it said in words; never a secret.</param>
/// <param name="ExceptionText">The kind of failure.</param>
public sealed record HealthReportSnapshot(string Name, HealthStatus? Status, string? Description, string? ExceptionText)
{
    /// <summary>When it ran last (UTC).</summary>
    public DateTime? LastRunAt { get; init; }
}
