using Npgsql;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Queues;

/// <summary>How the worker reaches PostgreSQL for its own work on all tenants' tasks.</summary>
/// <param name="system">Connection string <c>openhands-system</c>; may go through a transaction pooler.</param>
/// <param name="direct">Connection string <c>openhands-direct</c>: a session of one's own, for locks and LISTEN.</param>
public sealed class QueueDatabase(string system, string direct) : IAsyncDisposable
{
    // A prepared statement keeps its plan until the next ANALYZE. One from when there were a few tasks would read all of the many that came since
    // for each that is leased or settled. Behind a pooler it is set on some connections of the role, which does no harm.
    private const string ByIndex = "SET enable_seqscan = off";

    /// <summary>Connections of role <c>openhands_system</c>. Nothing on them may outlive its transaction, but that rows are found by an index.</summary>
    public NpgsqlDataSource System { get; } = Pool(system);

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

    private static NpgsqlDataSource Pool(string connectionString)
    {
        var bounded = new NpgsqlConnectionStringBuilder(DatabaseConnection.WithBounds(connectionString))
        {
            NoResetOnClose = true, // seven statements with every use, and there is nothing to reset
        };
        return new NpgsqlDataSourceBuilder(bounded.ConnectionString)
            .UsePhysicalConnectionInitializer(
                connection =>
                {
                    using var set = new NpgsqlCommand(ByIndex, connection);
                    set.ExecuteNonQuery();
                },
                async connection =>
                {
                    await using var set = new NpgsqlCommand(ByIndex, connection);
                    await set.ExecuteNonQueryAsync();
                })
            .Build();
    }
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
