using Npgsql;

namespace OpenHands.Storage.Sessions;

/// <summary>A session as its owner sees it.</summary>
/// <param name="Id">Id of the session.</param>
/// <param name="OrganizationId">The organization it was worked on for; null for work of the user's own.</param>
/// <param name="ConversationId">The conversation it belongs to; null for none.</param>
/// <param name="State">The saved state.</param>
/// <param name="Version">Grows by one with every change.</param>
/// <param name="CreatedAt">When it was made, UTC.</param>
/// <param name="UpdatedAt">When it last changed, UTC.</param>
/// <param name="LastAccessedAt">When it was last read or changed, UTC, to the minute.</param>
/// <param name="ExpiresAt">From when it counts as gone, UTC; null for never.</param>
public sealed record SavedSession(
    string Id, string? OrganizationId, string? ConversationId, SessionState State, long Version,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset LastAccessedAt, DateTimeOffset? ExpiresAt)
{
    internal static SavedSession From(Session row) => new(
        row.Id, row.OrganizationId, row.ConversationId,
        new SessionState(row.State), row.Version, row.CreatedAt, row.UpdatedAt, row.LastAccessedAt, row.ExpiresAt);

    // Columns as SessionStore names them.
    internal static SavedSession From(NpgsqlDataReader row) => new(
        row.GetString(0), Text(row, 1), Text(row, 2), new SessionState(row.GetString(3)), row.GetInt64(4), Instant(row, 5), Instant(row, 6), Instant(row, 7),
        row.IsDBNull(8) ? null : Instant(row, 8));

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset Instant(NpgsqlDataReader row, int column) => row.GetFieldValue<DateTimeOffset>(column);
}
