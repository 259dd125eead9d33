using Npgsql;
using NpgsqlTypes;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.Audit;

/// <summary>
/// Chains the audit log, as the role <c>openhands_system</c>: the oldest transactions' events get the next positions, and one signed link
/// for the batch. Only below the horizon, the oldest transaction that still runs, so that nothing comes in between later; what
/// commits late is sealed late. In a batch, what triggers wrote comes first, then by the time in its id what <see cref="AuditLog"/> noted.
/// </summary>
/// <remarks>One at a time; two at once collide at the number of the link, and the second fails without harm.</remarks>
public sealed class AuditSealer(KeyRing keys, TimeProvider time)
{
    // Of either in one link, so that a backlog does not become one endless transaction.
    private const int MostEvents = 1000;
    private const int MostGroups = 200;

    // Beyond xmax: no transaction of this server, so the row came with a backup of another.
    private const string IsFinal = "(transaction_id < pg_snapshot_xmin(pg_current_snapshot()) OR transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))";

    private const string Unsealed = $"SELECT {AuditRows.EventColumns} FROM audit_events WHERE position IS NULL AND {IsFinal} ORDER BY transaction_id, id LIMIT $1";

    private const string TakeGroups =
        $"""
        DELETE FROM audit_groups WHERE id IN (SELECT id FROM audit_groups WHERE {IsFinal} ORDER BY transaction_id, id LIMIT $1)
        RETURNING transaction_id, ids, organization_ids, user_ids, actors, actions, targets, details, addresses, api_key_ids, request_ids, instants
        """;

    private const string InsertSealed =
        $"""
        INSERT INTO audit_events ({AuditRows.EventColumns}, transaction_id)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """;

    private const string NewestSeal = $"SELECT {AuditRows.SealColumns} FROM audit_seals ORDER BY number DESC LIMIT 1";

    /// <summary>Days for which events are kept that no organization, or none that is still there, decides about; null for ever.</summary>
    public int? DaysWithoutOrganization { get; init; }

    /// <summary>Seals everything that can be.</summary>
    /// <returns>The newest link, if one was made, and how many events were sealed.</returns>
    public async Task<(AuditSeal? Newest, int Events)> SealAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(system);
        var (newest, events) = ((AuditSeal?)null, 0);
        while (true)
        {
            await using var transaction = await system.BeginTransactionAsync(cancellationToken);
            var written = await UnsealedAsync(system, cancellationToken);
            var (groups, noted) = await TakeGroupsAsync(system, cancellationToken);
            if (written.Count + groups == 0)
                return (newest, events);

            newest = await AppendAsync(system, [.. written, .. noted.Select(note => note.Event)], pruned: null, cancellationToken);
            await PlaceAsync(system, written, newest.FirstPosition, cancellationToken);
            await InsertAsync(system, noted, newest.FirstPosition + written.Count, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            events += newest.Count;
            if (written.Count < MostEvents && groups < MostGroups)
                return (newest, events);
        }
    }

    /// <summary>Deletes sealed events older than their organization, or the operator, keeps them, and says so in the chain.</summary>
    /// <returns>How many were deleted.</returns>
    public async Task<int> PruneAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(system);
        var deleted = 0;
        while (true)
        {
            await using var transaction = await system.BeginTransactionAsync(cancellationToken);
            var positions = await DeleteExpiredAsync(system, cancellationToken);
            if (positions.Count == 0 && DaysWithoutOrganization is { } days)
                positions = await DeleteOwnerlessAsync(system, days, cancellationToken);
            if (positions.Count == 0)
                return deleted;

            await AppendAsync(system, [], PositionRanges.Write(positions.Order()), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            deleted += positions.Count;
        }
    }

    private static async Task<List<AuditEvent>> UnsealedAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        await using var select = new NpgsqlCommand(Unsealed, system);
        select.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MostEvents });
        await using var rows = await select.ExecuteReaderAsync(cancellationToken);
        var events = new List<AuditEvent>();
        while (await rows.ReadAsync(cancellationToken))
            events.Add(AuditRows.Event(rows));
        return events;
    }

    // In the order of their ids, as the indexes are: to append to one costs a third of a place in the middle.
    private static async Task<(int Groups, List<Note> Noted)> TakeGroupsAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand(TakeGroups, system);
        take.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MostGroups });
        await using var rows = await take.ExecuteReaderAsync(cancellationToken);
        var (groups, noted) = (0, new List<Note>());
        for (; await rows.ReadAsync(cancellationToken); groups++)
        {
            var transaction = rows.GetFieldValue<ulong>(0);
            noted.AddRange(AuditRows.Group(rows, 1).Select(audited => new Note(audited, transaction)));
        }

        noted.Sort((one, other) => string.CompareOrdinal(one.Event.Id, other.Event.Id));
        return (groups, noted);
    }

    private async Task<AuditSeal> AppendAsync(NpgsqlConnection system, IReadOnlyList<AuditEvent> batch, string? pruned, CancellationToken cancellationToken)
    {
        var before = await NewestAsync(system, cancellationToken);
        var seal = Sign(new AuditSeal
        {
            Number = (before?.Number ?? 0) + 1,
            FirstPosition = before is null ? 1 : before.FirstPosition + before.Count,
            Leaves = Leaves(batch),
            Pruned = pruned,
            SealedAt = time.GetUtcNow(),
            Previous = before?.Hash ?? AuditHash.Zero,
            Hash = [],
            SigningKeyId = keys.Current.Id,
            Signature = [],
        });
        await using var insert = new NpgsqlCommand($"INSERT INTO audit_seals ({AuditRows.SealColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", system);
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.Number });
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.FirstPosition });
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.Leaves });
        insert.Parameters.Add(new NpgsqlParameter { Value = (object?)seal.Pruned ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.SealedAt });
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.Previous });
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.Hash });
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.SigningKeyId });
        insert.Parameters.Add(new NpgsqlParameter { Value = seal.Signature });
        await insert.ExecuteNonQueryAsync(cancellationToken);
        return seal;
    }

    private static byte[] Leaves(IReadOnlyList<AuditEvent> batch)
    {
        var leaves = new byte[batch.Count * AuditHash.Bytes];
        for (var index = 0; index < batch.Count; index++)
            AuditHash.Of(batch[index]).CopyTo(leaves, index * AuditHash.Bytes);
        return leaves;
    }

    private AuditSeal Sign(AuditSeal unsigned)
    {
        using var key = AuditSigningKey.Of(keys.Current);
        var hash = AuditHash.Of(unsigned);
        return new AuditSeal
        {
            Number = unsigned.Number,
            FirstPosition = unsigned.FirstPosition,
            Leaves = unsigned.Leaves,
            Pruned = unsigned.Pruned,
            SealedAt = unsigned.SealedAt,
            Previous = unsigned.Previous,
            Hash = hash,
            SigningKeyId = unsigned.SigningKeyId,
            Signature = key.SignHash(hash),
        };
    }

    /// <summary>The newest link; null when nothing has been sealed yet.</summary>
    public static async Task<AuditSeal?> NewestAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        await using var select = new NpgsqlCommand(NewestSeal, system);
        await using var rows = await select.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) ? AuditRows.Seal(rows) : null;
    }

    private static async Task PlaceAsync(NpgsqlConnection system, List<AuditEvent> batch, long first, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
            return;
        await using var update = new NpgsqlCommand(
            """
            UPDATE audit_events SET position = placed.position FROM unnest($1, $2) AS placed(id, position)
            WHERE audit_events.id = placed.id AND audit_events.position IS NULL
            """, system);
        update.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. batch.Select(audited => audited.Id)] });
        update.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. batch.Select((_, index) => first + index)] });
        Demand(batch.Count, await update.ExecuteNonQueryAsync(cancellationToken));
    }

    private static async Task InsertAsync(NpgsqlConnection system, List<Note> noted, long first, CancellationToken cancellationToken)
    {
        if (noted.Count == 0)
            return;
        await using var insert = new NpgsqlCommand(InsertSealed, system);
        AuditRows.AddTo(insert.Parameters, noted.ConvertAll(note => note.Event));
        insert.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. noted.Select((_, index) => first + index)] });
        insert.Parameters.Add(new NpgsqlParameter
        {
            Value = noted.Select(note => note.TransactionId).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Xid8,
        });
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Demand(int expected, int found)
    {
        if (expected != found)
            throw new InvalidOperationException($"Of {expected} rows of the audit log {found} were there to be sealed: somebody else seals or deletes.");
    }

    private Task<List<long>> DeleteExpiredAsync(NpgsqlConnection system, CancellationToken cancellationToken) => DeleteAsync(
        system,
        """
        SELECT e.id FROM audit_retentions r CROSS JOIN LATERAL (
            SELECT id FROM audit_events
            WHERE organization_id = r.organization_id AND position IS NOT NULL AND occurred_at < $1 - make_interval(days => r.days)
                AND id < lpad(to_hex((extract(epoch FROM $1 - make_interval(days => r.days)) * 1000)::bigint), 12, '0') -- ids begin with their time
            ORDER BY id LIMIT $2) AS e
        LIMIT $2
        """, [new NpgsqlParameter { Value = time.GetUtcNow() }, new NpgsqlParameter<int> { TypedValue = MostEvents }], cancellationToken);

    private Task<List<long>> DeleteOwnerlessAsync(NpgsqlConnection system, int days, CancellationToken cancellationToken) => DeleteAsync(
        system,
        """
        SELECT e.id FROM audit_events e
        WHERE e.position IS NOT NULL AND e.occurred_at < $1 AND e.id < lpad(to_hex((extract(epoch FROM $1) * 1000)::bigint), 12, '0')
            AND NOT EXISTS (SELECT FROM organizations o WHERE o.id = e.organization_id)
        ORDER BY e.id LIMIT $2
        """, [new NpgsqlParameter { Value = time.GetUtcNow().AddDays(-days) }, new NpgsqlParameter<int> { TypedValue = MostEvents }], cancellationToken);

    private static async Task<List<long>> DeleteAsync(NpgsqlConnection system, string ids, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var delete = new NpgsqlCommand($"DELETE FROM audit_events WHERE id = ANY (ARRAY({ids})) RETURNING position", system);
        delete.Parameters.AddRange(parameters);
        await using var rows = await delete.ExecuteReaderAsync(cancellationToken);
        var positions = new List<long>();
        while (await rows.ReadAsync(cancellationToken))
            positions.Add(rows.GetInt64(0));
        return positions;
    }

    private readonly record struct Note(AuditEvent Event, ulong TransactionId);
}
