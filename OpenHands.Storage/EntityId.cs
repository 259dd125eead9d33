using System.Globalization;

namespace OpenHands.Storage;

/// <summary>
/// Makes the ids of our rows: a UUIDv7 as 32 lower-case hex digits, so that ids sort by the time they were made. Where RFC 9562 leaves 12 bits
/// to chance they tell the part of the millisecond (§6.2, method 3), so that also ids of the same millisecond sort, and an index is appended to.
/// </summary>
public static class EntityId
{
    private const int Steps = 1 << 12; // of a millisecond: 244 ns each

    /// <summary>A new id, stamped with the time of <paramref name="time"/>.</summary>
    public static string New(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return string.Create(32, time.GetUtcNow(), static (digits, now) =>
        {
            Guid.CreateVersion7(now).TryFormat(digits, out _, "N");
            // After 12 digits of milliseconds and one of the version.
            (now.Ticks % TimeSpan.TicksPerMillisecond * Steps / TimeSpan.TicksPerMillisecond).TryFormat(digits[13..16], out _, "x3", CultureInfo.InvariantCulture);
        });
    }
}
