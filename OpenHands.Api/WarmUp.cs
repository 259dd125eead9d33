using OpenHands.Api.Auth;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Api;

/// <summary>
/// Reads settings once before the first request can come in. What is slow only the first time (the model of the database,
/// compiling the query) is then done, so that even the first caller hears within 2 s that the database is down.
/// </summary>
internal sealed partial class WarmUp(IServiceScopeFactory scopes, TimeProvider time, ILogger<WarmUp> logger) : IHostedService
{
    // The bound of a connection attempt and as much again for what it warms up.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<TenantContext>().Enter(LocalUser.Id);
            await scope.ServiceProvider.GetRequiredService<SettingsStore>().FindAsync(LocalUser.Id, either.Token);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, the requests that meet it will say so; the start does not depend on it.
            Failed(logger, failure.GetBaseException().Message);
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database could not be read on start, requests that need it are answered 503 until it can: {Reason}")]
    private static partial void Failed(ILogger logger, string reason);
}
