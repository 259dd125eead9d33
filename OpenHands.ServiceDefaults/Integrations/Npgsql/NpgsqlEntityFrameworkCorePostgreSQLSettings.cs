namespace Aspire.Npgsql.EntityFrameworkCore.PostgreSQL;

/// <summary>How a context reaches PostgreSQL; bound from configuration below Aspire:Npgsql:EntityFrameworkCore:PostgreSQL.</summary>
public sealed class NpgsqlEntityFrameworkCorePostgreSQLSettings
{
    /// <summary>The connection string; ConnectionStrings:NAME takes precedence over a configured one.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether failed commands are not retried. Default false: Entity Framework's retrying strategy is on.</summary>
    public bool DisableRetry { get; set; }

    /// <summary>Whether no health check is registered. Default false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether no spans of Npgsql are collected. Default false.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Whether no metrics of Npgsql are collected. Default false.</summary>
    public bool DisableMetrics { get; set; }

    /// <summary>Seconds a command may take; null leaves what the connection string or Npgsql says (30).</summary>
    public int? CommandTimeout { get; set; }
}
