using Npgsql;
using OpenHands.Storage.Idempotency;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Expiry;

/// <summary>Deletes rows of all tenants whose time is over, as the role <c>openhands_system</c>. Several at once do no harm.</summary>
/// <param name="connectionString">The connection string <c>openhands-system</c>.</param>
/// <param name="time">Says what is over.</param>
public sealed class ExpiredRows(string connectionString, TimeProvider time) : IAsyncDisposable
{
    // Nobody waits for it.
    private const int SecondsPerStatement = 60;

    /// <summary>Table, the column that says when, and how long a row stays after that.</summary>
    private static readonly (string Table, string Column, TimeSpan Stay)[] Tables =
    [
        ("idempotency_records", "created_at", IdempotencyStore.Retention),
        ("sessions", "expires_at", TimeSpan.Zero),
        ("invitations", "expires_at", TimeSpan.FromDays(30)), // so long an admin sees what became of it
    ];

    private readonly NpgsqlDataSource _system = NpgsqlDataSource.Create(DatabaseConnection.WithBounds(connectionString));

    /// <summary>Deletes what is over by now.</summary>
    /// <returns>How many rows of each table.</returns>
    public async Task<IReadOnlyDictionary<string, int>> SweepAsync(CancellationToken cancellationToken)
    {
        var swept = new Dictionary<string, int>();
        foreach (var (table, column, stay) in Tables)
        {
            await using var delete = _system.CreateCommand($"DELETE FROM {table} WHERE {column} < $1");
            delete.CommandTimeout = SecondsPerStatement;
            delete.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() - stay });
            swept[table] = await delete.ExecuteNonQueryAsync(cancellationToken);
        }

        return swept;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _system.DisposeAsync();
}
