using Npgsql;

namespace OpenHands.Worker.Maintenance;

/// <summary>
/// Work that one worker of all does at a time: the one that holds an advisory lock. The lock lives as long as its connection,
/// so a killed worker is replaced as soon as PostgreSQL notices; work is done on that very connection, so whoever lost the
/// lock cannot go on.
/// </summary>
internal abstract partial class ElectedChore(string connectionString, long lockKey, TimeSpan pause, TimeProvider time, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan ElectionPause = TimeSpan.FromSeconds(2);

    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        Pooling = false, // the lock must end with the connection
        Timeout = 5,
    }.ConnectionString;

    private bool _told;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // others start meanwhile
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(_connectionString);
                await connection.OpenAsync(stoppingToken);
                var isElected = await IsElectedAsync(connection, stoppingToken);
                while (isElected)
                {
                    await WorkAsync(connection, stoppingToken);
                    _told = false;
                    await Task.Delay(pause, time, stoppingToken);
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                // Once, until it works again: an outage would fill the log.
                if (!_told)
                    LogFailed(logger, GetType().Name, failure.Message);
                _told = true;
            }

            await Task.Delay(ElectionPause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Does what there is to do now. An exception gives up the election, and somebody tries again.</summary>
    protected abstract Task WorkAsync(NpgsqlConnection system, CancellationToken cancellationToken);

    private async Task<bool> IsElectedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = lockKey });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    [LoggerMessage(LogLevel.Warning, "{Chore} cannot be done now and is tried again: {Reason}")]
    private static partial void LogFailed(ILogger logger, string chore, string reason);
}
