namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a callback that adds environment variables is given.</summary>
/// <param name="executionContext">Whether the application runs or is published.</param>
/// <param name="environmentVariables">The variables so far; a value is a text or an <see cref="IValueProvider"/>.</param>
/// <param name="cancellationToken">Cancelled when the start is given up.</param>
public sealed class EnvironmentCallbackContext(
    DistributedApplicationExecutionContext executionContext,
    Dictionary<string, object>? environmentVariables = null,
    CancellationToken cancellationToken = default)
{
    /// <summary>Whether the application runs or is published.</summary>
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;

    /// <summary>The variables so far.</summary>
    public Dictionary<string, object> EnvironmentVariables { get; } = environmentVariables ?? [];

    /// <summary>Cancelled when the start is given up.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}
