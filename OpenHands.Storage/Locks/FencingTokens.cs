using Npgsql;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Locks;

/// <summary>Numbers that only grow, from a sequence of PostgreSQL, which belongs to no tenant.</summary>
public sealed class FencingTokens(DatabasePool pool)
{
    /// <summary>Name of the sequence.</summary>
    internal const string Sequence = "fencing_tokens";

    /// <summary>A number greater than all that were drawn before.</summary>
    public async Task<long> DrawAsync(CancellationToken cancellationToken)
    {
        await using var connection = await pool.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"SELECT nextval('{Sequence}')", connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!; // a sequence always has a next value
    }
}
