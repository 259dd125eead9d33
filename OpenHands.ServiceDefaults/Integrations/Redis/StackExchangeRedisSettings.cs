namespace Aspire.StackExchange.Redis;

/// <summary>How the service reaches Redis; bound from configuration below Aspire:StackExchange:Redis.</summary>
public sealed class StackExchangeRedisSettings
{
    /// <summary>The connection string; ConnectionStrings:NAME takes precedence over a configured one.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether no health check is registered. Default false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether no spans are made of Redis commands. Default false.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Whether the connection waits for its first use instead of being made at start. Default true.</summary>
    public bool DisableAutoActivation { get; set; } = true;
}
