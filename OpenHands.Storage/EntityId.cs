namespace OpenHands.Storage;

/// <summary>Makes the ids of our rows: a UUIDv7 as 32 lower-case hex digits, so that ids sort by the time they were made.</summary>
public static class EntityId
{
    /// <summary>A new id, stamped with the time of <paramref name="time"/>.</summary>
    public static string New(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
    }
}
