using Npgsql;

namespace OpenHands.Storage.Audit;

/// <summary>Reads rows of the audit log and of its chain, as the role that maintains them.</summary>
internal static class AuditRows
{
    /// <summary>The columns that <see cref="Event"/> reads, in its order.</summary>
    public const string EventColumns = "id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at, position";

    /// <summary>Events that <see cref="AuditLog"/> wrote and that are not sealed yet: columns as <see cref="EventColumns"/>, then the transaction.</summary>
    public const string Noted =
        """
        SELECT n.id, n.organization_id, n.user_id, n.actor, n.action, n.target, n.detail, n.address, n.api_key_id, n.request_id, n.occurred_at,
            NULL::bigint AS position, g.transaction_id
        FROM audit_groups g CROSS JOIN LATERAL unnest(
            g.ids, g.organization_ids, g.user_ids, g.actors, g.actions, g.targets, g.details, g.addresses, g.api_key_ids, g.request_ids, g.instants)
            AS n(id, organization_id, user_id, actor, action, target, detail, address, api_key_id, request_id, occurred_at)
        """;

    /// <summary>All events, wherever they are: columns as <see cref="EventColumns"/>, then the transaction.</summary>
    public const string All = $"SELECT {EventColumns}, transaction_id FROM audit_events UNION ALL {Noted}";

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

    /// <summary>Adds the columns of events as arrays, in the order of <see cref="EventColumns"/> without the position.</summary>
    public static void AddTo(NpgsqlParameterCollection parameters, IReadOnlyList<AuditEvent> events)
    {
        Add(audited => audited.Id);
        Add(audited => audited.OrganizationId);
        Add(audited => audited.UserId);
        Add(audited => audited.Actor);
        Add(audited => audited.Action);
        Add(audited => audited.Target);
        Add(audited => audited.Detail);
        Add(audited => audited.Address);
        Add(audited => audited.ApiKeyId);
        Add(audited => audited.RequestId);
        Add(audited => audited.OccurredAt);

        void Add<T>(Func<AuditEvent, T> column) => parameters.Add(new NpgsqlParameter<T[]> { TypedValue = [.. events.Select(column)] });
    }

    /// <summary>The events of a group, without positions.</summary>
    /// <param name="row">A row with the columns of <c>audit_groups</c>.</param>
    /// <param name="first">Where <c>ids</c> is; the others follow in their order.</param>
    public static IReadOnlyList<AuditEvent> Group(NpgsqlDataReader row, int first)
    {
        var (ids, organizations, users) = (Column<string>(0), Column<string?>(1), Column<string?>(2));
        var (actors, actions, targets, details) = (Column<string>(3), Column<string>(4), Column<string>(5), Column<string>(6));
        var (addresses, keys, requests, instants) = (Column<string?>(7), Column<string?>(8), Column<string?>(9), Column<DateTimeOffset>(10));
        var events = new AuditEvent[ids.Length];
        for (var index = 0; index < events.Length; index++)
        {
            events[index] = new AuditEvent
            {
                Id = ids[index],
                OrganizationId = organizations[index],
                UserId = users[index],
                Actor = actors[index],
                Action = actions[index],
                Target = targets[index],
                Detail = details[index],
                Address = addresses[index],
                ApiKeyId = keys[index],
                RequestId = requests[index],
                OccurredAt = instants[index],
            };
        }

        return events;

        T[] Column<T>(int column) => row.GetFieldValue<T[]>(first + column);
    }

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
