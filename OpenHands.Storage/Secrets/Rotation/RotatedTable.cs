using Npgsql;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>A table that holds ciphertexts, re-encrypted batch by batch. A row that cannot be read is left as it is and named.</summary>
internal abstract class RotatedTable
{
    private readonly HashSet<string> _refused = [];

    /// <summary>Name of the table.</summary>
    public abstract string Name { get; }

    /// <summary>Rows that could not be read in this run: ids, no contents.</summary>
    public IReadOnlyCollection<string> Refused => _refused;

    /// <summary>How many rows are not encrypted under the current key ($1).</summary>
    protected abstract string CountStatement { get; }

    /// <summary>
    /// Locks up to $3 rows that are not under the current key ($1) and not among the refused ids ($2), and gives the id first.
    /// Rows that somebody else has locked are skipped: they come later, or are written under the current key anyway.
    /// </summary>
    protected abstract string TakeStatement { get; }

    /// <summary>Writes the ciphertexts ($3) of the rows with these ids ($2) and notes the current key ($1).</summary>
    protected abstract string WriteStatement { get; }

    /// <summary>Counts what is left to do.</summary>
    public async Task<long> CountAsync(NpgsqlDataSource system, string current, CancellationToken cancellationToken)
    {
        await using var count = system.CreateCommand(CountStatement);
        count.Parameters.Add(new NpgsqlParameter<string> { TypedValue = current });
        return (long)(await count.ExecuteScalarAsync(cancellationToken))!; // count(*) is never null
    }

    /// <summary>Re-encrypts one batch in one transaction.</summary>
    /// <returns>How many rows were written, and whether there was any to take.</returns>
    public async Task<(int Written, bool Any)> RotateBatchAsync(NpgsqlDataSource system, string current, int most, CancellationToken cancellationToken)
    {
        await using var connection = await system.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (ids, ciphertexts, any) = await TakeAsync(connection, current, most, cancellationToken);
        if (ids.Count > 0)
        {
            await using var write = new NpgsqlCommand(WriteStatement, connection, transaction);
            write.Parameters.Add(new NpgsqlParameter<string> { TypedValue = current });
            write.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. ids] });
            write.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. ciphertexts] });
            await write.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return (ids.Count, any);
    }

    /// <summary>The row's ciphertext under the current key.</summary>
    protected abstract string Reencrypt(NpgsqlDataReader row);

    private async Task<(List<string> Ids, List<string> Ciphertexts, bool Any)> TakeAsync(
        NpgsqlConnection connection, string current, int most, CancellationToken cancellationToken)
    {
        var (ids, ciphertexts, any) = (new List<string>(), new List<string>(), false);
        await using var take = new NpgsqlCommand(TakeStatement, connection);
        take.Parameters.Add(new NpgsqlParameter<string> { TypedValue = current });
        take.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. _refused] });
        take.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        await using var rows = await take.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            any = true;
            var id = rows.GetString(0);
            try
            {
                ciphertexts.Add(Reencrypt(rows));
                ids.Add(id);
            }
            catch (Exception refusal) when (refusal is SecretRefusedException or KeyRingMismatchException)
            {
                _refused.Add(id);
            }
        }

        return (ids, ciphertexts, any);
    }
}
