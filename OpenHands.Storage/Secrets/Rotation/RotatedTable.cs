using Npgsql;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>A table that holds ciphertexts, re-encrypted batch by batch. A row that cannot be read is left as it is and named.</summary>
internal abstract class RotatedTable(TenantKeys? tenants)
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

    /// <summary>What <c>key_id</c> says of rows under the current key.</summary>
    protected abstract string Current { get; }

    /// <summary>Counts what is left to do.</summary>
    public async Task<long> CountAsync(NpgsqlDataSource system, CancellationToken cancellationToken)
    {
        await using var count = system.CreateCommand(CountStatement);
        count.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Current });
        return (long)(await count.ExecuteScalarAsync(cancellationToken))!; // count(*) is never null
    }

    /// <summary>Re-encrypts one batch in one transaction.</summary>
    /// <returns>How many rows were written, and whether there was any to take.</returns>
    public async Task<(int Written, bool Any)> RotateBatchAsync(NpgsqlDataSource system, int most, CancellationToken cancellationToken)
    {
        await using var connection = await system.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (ids, ciphertexts, any) = await TakeAsync(connection, most, cancellationToken);
        if (ids.Count > 0)
        {
            await using var write = new NpgsqlCommand(WriteStatement, connection, transaction);
            write.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Current });
            write.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. ids] });
            write.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. ciphertexts] });
            await write.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return (ids.Count, any);
    }

    /// <summary>What is to be done with the row.</summary>
    protected abstract RotatedRow Read(NpgsqlDataReader row);

    private async Task<(List<string> Ids, List<string> Ciphertexts, bool Any)> TakeAsync(NpgsqlConnection connection, int most, CancellationToken cancellationToken)
    {
        var taken = await ReadAsync(connection, most, cancellationToken);
        if (tenants is not null && taken.Select(row => row.Owner).OfType<SecretOwner>().Distinct().ToList() is { Count: > 0 } owners)
            await tenants.LoadAsync(connection, owners, create: true, cancellationToken);

        var (ids, ciphertexts) = (new List<string>(), new List<string>());
        foreach (var row in taken)
        {
            try
            {
                ciphertexts.Add(row.Reencrypt());
                ids.Add(row.Id);
            }
            catch (Exception refusal) when (refusal is SecretRefusedException or KeyRingMismatchException)
            {
                _refused.Add(row.Id);
            }
        }

        return (ids, ciphertexts, taken.Count > 0);
    }

    private async Task<List<RotatedRow>> ReadAsync(NpgsqlConnection connection, int most, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand(TakeStatement, connection);
        take.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Current });
        take.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. _refused] });
        take.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        await using var rows = await take.ExecuteReaderAsync(cancellationToken);
        var taken = new List<RotatedRow>();
        while (await rows.ReadAsync(cancellationToken))
            taken.Add(Read(rows));
        return taken;
    }
}
