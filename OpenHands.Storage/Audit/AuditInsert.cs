using Npgsql;
using NpgsqlTypes;

namespace OpenHands.Storage.Audit;

/// <summary>Writes an event in the transaction that it describes, for the roles that maintain the platform: they have no trigger that says what they do as a whole.</summary>
internal static class AuditInsert
{
    /// <summary>Writes it.</summary>
    /// <param name="connection">Of the role <c>openhands_system</c> or of an administrator.</param>
    /// <param name="audited">The event.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task InsertAsync(NpgsqlConnection connection, AuditEvent audited, CancellationToken cancellationToken)
    {
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO audit_events (id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """, connection);
        foreach (var text in (string?[])
            [
                audited.Id, audited.OrganizationId, audited.UserId, audited.Actor, audited.Action, audited.Target, audited.Detail, audited.Address,
                audited.ApiKeyId, audited.RequestId,
            ])
        {
            insert.Parameters.Add(new NpgsqlParameter { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        }

        insert.Parameters.Add(new NpgsqlParameter { Value = audited.OccurredAt });
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }
}
