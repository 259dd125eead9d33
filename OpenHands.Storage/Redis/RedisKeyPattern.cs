namespace OpenHands.Storage.Redis;

/// <summary>One family of keys that we keep in Redis, as docs/redis-keys.md lists it.</summary>
/// <param name="Pattern">The key with its variable parts in braces.</param>
/// <param name="Type">Type of the value as Redis names it.</param>
/// <param name="Owner">Who writes it.</param>
/// <param name="Lifetime">When it goes away.</param>
public sealed record RedisKeyPattern(string Pattern, string Type, string Owner, string Lifetime);
