using Aspire.Hosting.ApplicationModel;
using Npgsql;

namespace OpenHands.Hosting.Orchestration;

/// <summary>Creates a database once its server is healthy, and checks it from then on.</summary>
/// <param name="database">The database.</param>
/// <param name="notifications">Where to say what happens.</param>
/// <param name="healthLoop">Checks its health.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class DatabaseRunner(
    PostgresDatabaseResource database, ResourceNotificationService notifications, HealthLoop healthLoop, TimeProvider timeProvider) : IResourceRunner
{
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(0.5);
    private readonly CancellationTokenSource _stopping = new();
    private Task? _running;

    /// <inheritdoc/>
    public IResource Resource => database;

    /// <inheritdoc/>
    public string ResourceId => database.Name;

    /// <inheritdoc/>
    public bool RunsToCompletion => false;

    /// <inheritdoc/>
    public Task RunAsync() => _running ??= Task.Run(RunGuardedAsync);

    /// <inheritdoc/>
    /// <remarks>A database runs as long as its server does: nobody halts it alone.</remarks>
    public Task HaltAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_running is not null)
        {
            await _running.ConfigureAwait(false);
            await PublishAsync(KnownResourceStates.Exited).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task RunGuardedAsync()
    {
        try
        {
            await PublishAsync(KnownResourceStates.Waiting).ConfigureAwait(false);
            await notifications.WaitForResourceHealthyAsync(
                database.Parent.Name, WaitBehavior.WaitOnResourceUnavailable, _stopping.Token).ConfigureAwait(false);
            await CreateAsync().ConfigureAwait(false);
            await notifications.PublishUpdateAsync(database, snapshot => snapshot with
            {
                State = KnownResourceStates.Running,
                StartTimeStamp = timeProvider.GetUtcNow().UtcDateTime,
                HealthReports = [new HealthReportSnapshot($"{database.Name}_check", null, "Not checked yet.", null)],
            }).ConfigureAwait(false);
            await healthLoop.RunAsync(database, ResourceId, null, static _ => { }, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopped before it was there.
        }
        catch (PostgresException exception)
        {
            await notifications.PublishUpdateAsync(database, snapshot => snapshot with
            {
                State = KnownResourceStates.FailedToStart,
                Failure = $"PostgreSQL refuses to create database '{database.DatabaseName}' ({exception.SqlState}: {exception.MessageText}).",
            }).ConfigureAwait(false);
        }
    }

    private async Task CreateAsync()
    {
        while (true)
        {
            try
            {
                await PostgresConnections.EnsureDatabaseAsync(database, _stopping.Token).ConfigureAwait(false);
                return;
            }
            catch (NpgsqlException exception) when (exception is not PostgresException { IsTransient: false })
            {
                await Task.Delay(BetweenAttempts, timeProvider, _stopping.Token).ConfigureAwait(false);
            }
        }
    }

    private Task PublishAsync(string state) => notifications.PublishUpdateAsync(database, snapshot => snapshot with { State = state });
}
