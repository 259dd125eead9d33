using Npgsql;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Queues;

/// <summary>How the worker reaches PostgreSQL for its own work on all tenants' tasks.</summary>
/// <param name="system">Connection string <c>openhands-system</c>; may go through a transaction pooler.</param>
/// <param name="direct">Connection string <c>openhands-direct</c>: a session of one's own, for locks and LISTEN.</param>
public sealed class QueueDatabase(string system, string direct) : IAsyncDisposable
{
    /// <summary>Connections of role <c>openhands_system</c>. Nothing on them may outlive its transaction.</summary>
    public NpgsqlDataSource System { get; } = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(DatabaseConnection.WithBounds(system))
    {
        NoResetOnClose = true, // seven statements with every use, and there is nothing to reset
    });

    /// <summary>
    /// A statement that looks for rows of one state. While a transaction somewhere stays open it passes over every row that has left the state,
    /// and takes long; to be asked rarely.
    /// </summary>
    public NpgsqlCommand SlowCommand(string statement)
    {
        var command = System.CreateCommand(statement);
        command.CommandTimeout = 30;
        return command;
    }

    /// <summary>The connection string with our bounds for everything that it does not set itself.</summary>
    public static string Bounded(string connectionString) => DatabaseConnection.WithBounds(connectionString);

    /// <summary>A connection string without a pool for a session that bears a name; the sweeper ends sessions by it.</summary>
    public string Direct(string applicationName) => new NpgsqlConnectionStringBuilder(DatabaseConnection.WithBounds(direct))
    {
        ApplicationName = applicationName,
        Pooling = false,
        MaxAutoPrepare = 0,
    }.ConnectionString;

    /// <inheritdoc />
    public ValueTask DisposeAsync() => System.DisposeAsync();
}

/// <summary>Reads answers of one column.</summary>
public static class CommandExtensions
{
    /// <summary>The first column of every row.</summary>
    public static async Task<IReadOnlyList<string>> TextsAsync(this NpgsqlCommand command, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(command);
        var texts = new List<string>();
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            texts.Add(rows.GetString(0));
        return texts;
    }
}
