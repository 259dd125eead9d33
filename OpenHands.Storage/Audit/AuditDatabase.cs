using System.Runtime.CompilerServices;
using Npgsql;

namespace OpenHands.Storage.Audit;

/// <summary>The audit log in the database, as of one moment: a chain that grows meanwhile is not taken for a broken one.</summary>
/// <param name="connection">Of the role <c>openhands_system</c>, in a transaction under REPEATABLE READ.</param>
public sealed class AuditDatabase(NpgsqlConnection connection) : IAuditSource
{
    /// <inheritdoc />
    public IAsyncEnumerable<AuditSeal> SealsAsync(CancellationToken cancellationToken) =>
        ReadAsync($"SELECT {AuditRows.SealColumns} FROM audit_seals ORDER BY number", AuditRows.Seal, cancellationToken);

    /// <inheritdoc />
    public IAsyncEnumerable<AuditEvent> SealedAsync(CancellationToken cancellationToken) =>
        ReadAsync($"SELECT {AuditRows.EventColumns} FROM audit_events WHERE position IS NOT NULL ORDER BY position", AuditRows.Event, cancellationToken);

    /// <inheritdoc />
    public IAsyncEnumerable<AuditEvent> UnsealedAsync(CancellationToken cancellationToken) =>
        ReadAsync($"SELECT {AuditRows.EventColumns} FROM ({AuditRows.All}) AS e WHERE position IS NULL ORDER BY id", AuditRows.Event, cancellationToken);

    // One reader at a time on a connection, so the rows of a page are taken out before they are handed on.
    private async IAsyncEnumerable<T> ReadAsync<T>(string query, Func<NpgsqlDataReader, T> row, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursor = $"audit_{Guid.CreateVersion7():n}";
        await using (var declare = new NpgsqlCommand($"DECLARE {cursor} NO SCROLL CURSOR FOR {query}", connection))
            await declare.ExecuteNonQueryAsync(cancellationToken);
        while (true)
        {
            var page = new List<T>();
            await using (var fetch = new NpgsqlCommand($"FETCH 1000 FROM {cursor}", connection))
            await using (var rows = await fetch.ExecuteReaderAsync(cancellationToken))
            {
                while (await rows.ReadAsync(cancellationToken))
                    page.Add(row(rows));
            }

            if (page.Count == 0)
                yield break;
            foreach (var item in page)
                yield return item;
        }
    }
}
