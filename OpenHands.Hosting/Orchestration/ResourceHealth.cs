using System.Net;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using StackExchange.Redis;

namespace OpenHands.Hosting.Orchestration;

/// <summary>Asks resources whether they are healthy, as their health checks say.</summary>
/// <param name="timeProvider">The clock.</param>
internal sealed class ResourceHealth(TimeProvider timeProvider) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Runs the check of a resource; null when it has none.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="targetPort">The replica's own port for an endpoint; null asks the resource as a whole.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<HealthReportSnapshot?> CheckAsync(IResource resource, Func<EndpointAnnotation, int>? targetPort, CancellationToken cancellationToken)
    {
        if (!resource.TryGetLastAnnotation<HealthCheckAnnotation>(out var check))
        {
            return null;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var (status, description) = (HealthStatus.Healthy, default(string));
        try
        {
            description = await AskAsync(resource, targetPort, patience.Token).ConfigureAwait(false);
            status = description is null ? HealthStatus.Healthy : HealthStatus.Unhealthy;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            (status, description) = (HealthStatus.Unhealthy, Describe(exception));
        }

        return new HealthReportSnapshot(check.Key, status, description, null) { LastRunAt = timeProvider.GetUtcNow().UtcDateTime };
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string Describe(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } =>
            "The password is not the one the data was made with: pass that one, or choose another --Data:Directory.",
        PostgresException postgres => $"PostgreSQL answers {postgres.SqlState}.",
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => "Redis does not accept the password.",
        OperationCanceledException => $"No answer within {Patience.TotalSeconds:0} s.",
        _ => "No connection.",
    };

    private static async Task<string?> AskPostgresAsync(IResourceWithConnectionString resource, CancellationToken cancellationToken)
    {
        await using var connection = await PostgresConnections.OpenAsync(resource, cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        return null;
    }

    private static async Task<string?> AskRedisAsync(RedisResource resource, CancellationToken cancellationToken)
    {
        var options = ConfigurationOptions.Parse((await resource.ConnectionStringExpression.GetValueAsync(cancellationToken).ConfigureAwait(false))!);
        options.AbortOnConnectFail = true;
        options.ConnectRetry = 0;
        options.ConnectTimeout = 2000;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(cancellationToken).ConfigureAwait(false);
        await redis.GetDatabase().PingAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        return null;
    }

    private Task<string?> AskAsync(IResource resource, Func<EndpointAnnotation, int>? targetPort, CancellationToken cancellationToken) => resource switch
    {
        PostgresServerResource server => AskPostgresAsync(server, cancellationToken),
        PostgresDatabaseResource database => AskPostgresAsync(database, cancellationToken),
        RedisResource redis => AskRedisAsync(redis, cancellationToken),
        _ when resource.TryGetLastAnnotation<HttpHealthCheckAnnotation>(out var http) => AskHttpAsync(http, targetPort, cancellationToken),
        _ => throw new InvalidOperationException($"Resource '{resource.Name}' has a health check that the embedded host cannot run."),
    };

    private async Task<string?> AskHttpAsync(HttpHealthCheckAnnotation check, Func<EndpointAnnotation, int>? targetPort, CancellationToken cancellationToken)
    {
        var endpoint = check.Endpoint.Annotation;
        var port = targetPort?.Invoke(endpoint) ?? check.Endpoint.Port;
        using var response = await _http.GetAsync(
            new Uri($"{endpoint.UriScheme}://127.0.0.1:{port}{check.Path}"), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        return response.StatusCode == (HttpStatusCode)check.StatusCode ? null : $"{check.Path} answers {(int)response.StatusCode}.";
    }
}
