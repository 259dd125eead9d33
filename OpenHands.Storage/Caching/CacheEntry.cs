namespace OpenHands.Storage.Caching;

/// <summary>What a cache keeps of a row.</summary>
/// <param name="Version">Version of the row, 1 or more; it grows with every change.</param>
/// <param name="Payload">What is kept; '' where "there is none" is worth keeping.</param>
public sealed record CacheEntry(long Version, string Payload);
