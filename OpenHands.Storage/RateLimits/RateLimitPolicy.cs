namespace OpenHands.Storage.RateLimits;

/// <summary>How much one caller may ask for within a time that slides along: at no moment more than the limit in the window before it.</summary>
/// <param name="Name">Its name: in Redis, in the headers of an answer and in metrics.</param>
/// <param name="Limit">What requests may cost together. Exact up to 100; above, an estimate that takes the former window as evenly filled.</param>
/// <param name="Window">The time.</param>
/// <param name="IsShadow">Whether it only watches: it counts and says what it would refuse, and refuses nothing.</param>
/// <param name="IsClosedWithoutRedis">Whether it refuses everything while Redis is gone; otherwise this process limits alone.</param>
public sealed record RateLimitPolicy(string Name, int Limit, TimeSpan Window, bool IsShadow = false, bool IsClosedWithoutRedis = false);
