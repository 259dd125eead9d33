using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>Runs statements that no parameter can be part of (roles, grants), each text as one implicit transaction.</summary>
internal static class Statements
{
    private static readonly NpgsqlCommandBuilder Quoting = new();

    /// <summary>The name as it may stand in a statement, whatever it contains.</summary>
    public static string Quoted(string name) => Quoting.QuoteIdentifier(name);

    public static async Task ExecuteAsync(this NpgsqlConnection connection, string statements, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(statements, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>First column of the first row; the default of <typeparamref name="T"/> when there is no row or it is null.</summary>
    public static async Task<T?> ValueAsync<T>(
        this NpgsqlConnection connection, string query, object? parameter, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        if (parameter is not null)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }
}
