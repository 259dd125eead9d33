using StackExchange.Redis;

namespace OpenHands.Storage.Caching;

/// <summary>A write that is under way. Its entry is a marker until <see cref="LeaseCache.FinishAsync"/>.</summary>
/// <param name="Key">Key of the entry.</param>
/// <param name="Token">Tells this writer from others.</param>
/// <param name="IsBlocked">Whether the marker is there; false when Redis did not answer.</param>
public sealed record CacheWrite(RedisKey Key, string Token, bool IsBlocked);
