using Npgsql;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Tenancy;

/// <summary>
/// A tenant's transaction that is written by hand, in as few round trips as it can be: BEGIN and the tenant go out with the first
/// statements, COMMIT with the last. What is not committed is rolled back.
/// </summary>
internal sealed class TenantTransaction : IAsyncDisposable
{
    // Seconds: more than a command may take, since a busy disk or a standby may hold up the COMMIT. See DatabaseConnection.
    private const int CommitTimeout = 5;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private TenantTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction) => (_connection, _transaction) = (connection, transaction);

    /// <summary>Begins one. Nothing is sent yet.</summary>
    public static async Task<TenantTransaction> BeginAsync(DatabasePool pool, CancellationToken cancellationToken)
    {
        var connection = await pool.OpenAsync(cancellationToken);
        return new TenantTransaction(connection, await connection.BeginTransactionAsync(cancellationToken));
    }

    /// <summary>Reads one row as the tenant in one round trip, outside any transaction that lasts.</summary>
    /// <returns>What <paramref name="read"/> makes of it; the default of <typeparamref name="T"/> when there is none.</returns>
    public static async Task<T?> ReadAsync<T>(
        DatabasePool pool, TenantContext tenant, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var connection = await pool.OpenAsync(cancellationToken);
        return await ReadAsync(new NpgsqlBatch(connection), tenant, statement, read, cancellationToken);
    }

    /// <summary>Tells the tenant and runs the first statement, for one row.</summary>
    /// <inheritdoc cref="ReadAsync{T}(DatabasePool, TenantContext, NpgsqlBatchCommand, Func{NpgsqlDataReader, T}, CancellationToken)"/>
    public Task<T?> ReadAsync<T>(TenantContext tenant, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) =>
        ReadAsync(new NpgsqlBatch(_connection, _transaction), tenant, statement, read, cancellationToken);

    /// <summary>Runs the last statement and commits, unless it fails.</summary>
    /// <returns>True when it changed a row: a policy may let none be changed.</returns>
    public async Task<bool> CommitAsync(NpgsqlBatchCommand statement, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(_connection, _transaction) { BatchCommands = { statement, new NpgsqlBatchCommand("COMMIT") }, Timeout = CommitTimeout };
        return await batch.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _transaction.DisposeAsync();
        }
        finally
        {
            await _connection.DisposeAsync();
        }
    }

    private static async Task<T?> ReadAsync<T>(
        NpgsqlBatch batch, TenantContext tenant, NpgsqlBatchCommand statement, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using (batch)
        {
            batch.BatchCommands.Add(TenantSettings.Command(tenant));
            batch.BatchCommands.Add(statement);
            await using var rows = await UnsentBatches.ReadAsync(batch, cancellationToken);
            await rows.NextResultAsync(cancellationToken); // the first is that of the settings
            return await rows.ReadAsync(cancellationToken) ? read(rows) : default;
        }
    }
}
