using Npgsql;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Queues;

/// <summary>Keeps in PostgreSQL what could not be handled, as the role <c>openhands_system</c>.</summary>
/// <param name="connectionString">The connection string <c>openhands-system</c>.</param>
/// <param name="time">Gives the time of setting aside.</param>
public sealed class DeadLetterStore(string connectionString, TimeProvider time) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _system = NpgsqlDataSource.Create(DatabaseConnection.WithBounds(connectionString));

    /// <summary>Stores the value byte for byte. Doing it again for the same delivery changes nothing.</summary>
    public async Task AddAsync(TakenTask task, string reason, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(task);
        await using var insert = _system.CreateCommand(
            """
            INSERT INTO dead_letters (id, queue, value, reason, created_at) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO NOTHING
            """);
        insert.Parameters.Add(new() { Value = task.Delivery });
        insert.Parameters.Add(new() { Value = task.Queue });
        insert.Parameters.Add(new() { Value = task.Value });
        insert.Parameters.Add(new() { Value = reason });
        insert.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _system.DisposeAsync();
}
