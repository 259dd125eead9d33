using Npgsql;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.Webhooks;

/// <summary>What the worker needs of webhooks: where to send, with which secret, and the log, as the role <c>openhands_system</c>.</summary>
public sealed class WebhookLog(QueueDatabase database, SecretCipher cipher, TenantKeys tenants)
{
    /// <summary>Where to send; null when the webhook is gone or not enabled. The caller clears the secret.</summary>
    public async Task<(Uri Url, byte[] Secret)?> FindAsync(string organizationId, string id, CancellationToken cancellationToken)
    {
        await using var connection = await database.System.OpenConnectionAsync(cancellationToken);
        await tenants.LoadAsync(connection, [SecretOwner.Organization(organizationId)], create: false, cancellationToken);
        await using var find = new NpgsqlCommand("SELECT url, secret_encrypted FROM webhooks WHERE id = $1 AND organization_id = $2 AND is_enabled", connection);
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = organizationId });
        await using var row = await find.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken)
            ? (new Uri(row.GetString(0)), cipher.Decrypt(WebhookStore.Place(organizationId, id), row.GetString(1)))
            : null;
    }

    /// <summary>Notes an attempt. One under an older lease than the last noted changes nothing.</summary>
    public async Task NoteAsync(QueuedTask task, string webhookId, string eventType, string status, int? responseStatus, string? error, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(task);
        await using var note = database.System.CreateCommand(
            """
            INSERT INTO webhook_deliveries AS d
                (id, webhook_id, organization_id, event_type, status, attempts, response_status, error, lease_number, created_at, last_attempt_at)
            SELECT $1, w.id, w.organization_id, $4, $5, 1, $6, $7, $8, clock_timestamp(), clock_timestamp() FROM webhooks w WHERE w.id = $2 AND w.organization_id = $3
            ON CONFLICT (id) DO UPDATE SET status = $5, attempts = d.attempts + 1, response_status = $6, error = $7, lease_number = $8, last_attempt_at = clock_timestamp()
            WHERE d.lease_number < $8
            """);
        note.Parameters.Add(new NpgsqlParameter<string> { TypedValue = task.Id });
        note.Parameters.Add(new NpgsqlParameter<string> { TypedValue = webhookId });
        note.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = task.OrganizationId });
        note.Parameters.Add(new NpgsqlParameter<string> { TypedValue = eventType });
        note.Parameters.Add(new NpgsqlParameter<string> { TypedValue = status });
        note.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = responseStatus });
        note.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = error });
        note.Parameters.Add(new NpgsqlParameter<long> { TypedValue = task.LeaseNumber });
        await note.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Deletes deliveries that are older.</summary>
    /// <returns>How many.</returns>
    public async Task<int> DeleteOldAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        await using var delete = database.System.CreateCommand("DELETE FROM webhook_deliveries WHERE created_at < statement_timestamp() - $1");
        delete.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = age });
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }
}
