using Npgsql;

namespace OpenHands.Storage.Audit;

/// <summary>Reads rows of the audit log and of its chain, as the role that maintains them.</summary>
internal static class AuditRows
{
    /// <summary>The columns that <see cref="Event"/> reads, in its order.</summary>
    public const string EventColumns = "id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at, position";

    /// <summary>The columns that <see cref="Seal"/> reads, in its order.</summary>
    public const string SealColumns = "number, first_position, leaves, pruned, sealed_at, previous, hash, signing_key_id, signature";

    public static AuditEvent Event(NpgsqlDataReader row) => new()
    {
        Id = row.GetString(0),
        OrganizationId = Text(row, 1),
        UserId = Text(row, 2),
        Actor = row.GetString(3),
        Action = row.GetString(4),
        Target = row.GetString(5),
        Detail = row.GetString(6),
        Address = Text(row, 7),
        ApiKeyId = Text(row, 8),
        RequestId = Text(row, 9),
        OccurredAt = row.GetFieldValue<DateTimeOffset>(10),
        Position = row.IsDBNull(11) ? null : row.GetInt64(11),
    };

    public static AuditSeal Seal(NpgsqlDataReader row) => new()
    {
        Number = row.GetInt64(0),
        FirstPosition = row.GetInt64(1),
        Leaves = row.GetFieldValue<byte[]>(2),
        Pruned = Text(row, 3),
        SealedAt = row.GetFieldValue<DateTimeOffset>(4),
        Previous = row.GetFieldValue<byte[]>(5),
        Hash = row.GetFieldValue<byte[]>(6),
        SigningKeyId = row.GetString(7),
        Signature = row.GetFieldValue<byte[]>(8),
    };

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
