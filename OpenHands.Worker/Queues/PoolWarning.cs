using Npgsql;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>
/// Says at the start when the pools of all workers together may open more connections than PostgreSQL allows: they would be refused just
/// when there is most to do. The API's come on top; <c>openhands doctor</c> counts those, too.
/// </summary>
internal sealed partial class PoolWarning(
    WorkerSession session, QueueDatabase database, IConfiguration configuration, ILogger<PoolWarning> logger) : BackgroundService
{
    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await session.Entered.WaitAsync(stoppingToken);
            var each = PoolOf(ConnectionStrings.App) + PoolOf(ConnectionStrings.System) + WorkerRegistry.SessionsBesidePools;
            var (workers, allowed) = await ReadAsync(stoppingToken);
            if (workers * each > allowed)
                LogTooMany(workers, each, workers * each, allowed);
        }
        catch (Exception failure) when (PostgresAbsence.Explains(failure) || failure is OperationCanceledException)
        {
            // Others say in the log that PostgreSQL is away.
        }
    }

    // What applies, bounds of ours included, and not what the string alone says.
    private int PoolOf(string name) => new NpgsqlConnectionStringBuilder(QueueDatabase.Bounded(configuration.GetConnectionString(name)!)).MaxPoolSize; // demanded before

    private async Task<(long Workers, long Allowed)> ReadAsync(CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand(
            "SELECT (SELECT count(*) FROM workers), current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint");
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    [LoggerMessage(
        LogLevel.Warning,
        "{Workers} workers with up to {Each} connections each may open {Sum} to PostgreSQL, which allows {Allowed}: bound their pools (Maximum Pool Size in the connection strings), run fewer workers, put a pooler in front, or raise max_connections")]
    private partial void LogTooMany(long workers, int each, long sum, long allowed);
}
