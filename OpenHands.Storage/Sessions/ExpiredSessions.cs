using OpenHands.Storage.Queues;

namespace OpenHands.Storage.Sessions;

/// <summary>Deletes sessions past their expiry as the role <c>openhands_system</c>, which sees of a session only when that is. Readers took them for gone already.</summary>
public static class ExpiredSessions
{
    /// <summary>Deletes some.</summary>
    /// <returns>How many; 0 when none was left.</returns>
    public static async Task<int> DeleteAsync(QueueDatabase database, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var delete = database.System.CreateCommand(
            """
            DELETE FROM sessions WHERE expires_at < statement_timestamp()
            """);
        return await delete.ExecuteNonQueryAsync(cancellationToken);
    }
}
