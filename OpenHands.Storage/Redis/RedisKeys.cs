using StackExchange.Redis;

namespace OpenHands.Storage.Redis;

/// <summary>Every key that we keep in Redis. A key that is not made here does not exist.</summary>
public static class RedisKeys
{
    /// <summary>Start of the key of every queue. Nothing that is not a queue is stored under it.</summary>
    public const string QueuePrefix = "queue:";

    private const string WhileItHasEntries = "until its last entry is gone";

    /// <summary>All patterns, in the order of docs/redis-keys.md.</summary>
    public static IReadOnlyList<RedisKeyPattern> Patterns { get; } =
    [
        new("secret:{scope}.{owner}.{name}", "string", "SecretCache", "five minutes after it was loaded; a lease 3 s, a marker of a writer 10 s"),
        new("session:{id}", "string", "SessionCache", "one hour after it was loaded or written; a lease 3 s, a marker of a writer 10 s"),
        new("lock:{resource}:{id}", "string", "RedisLocks, and any client that sets it if absent", "ten seconds after its holder last renewed it, unless it asked for another time; until it is released"),
        new("queue:{name}", "list", "any producer (RPUSH); workers take from its head", WhileItHasEntries),
        new("deliveries:{name}", "hash", "workers", WhileItHasEntries),
        new("taken:{name}", "hash", "workers", WhileItHasEntries),
        new("deferred:{name}", "zset", "workers", WhileItHasEntries),
        new("queues", "set", "workers", WhileItHasEntries),
        new("workers", "zset", "workers", "one hour after the last heartbeat of any worker"),
    ];

    /// <summary>A secret, encrypted, or that there is none of this name; a lease to load it, or the marker of a writer.</summary>
    /// <param name="scope"><c>user</c> or <c>organization</c>.</param>
    /// <param name="owner">Id of the owner.</param>
    /// <param name="name">Name of the secret.</param>
    public static RedisKey Secret(string scope, string owner, string name) => $"secret:{scope}.{owner}.{name}";

    /// <summary>A saved session with its owner, a lease to load it, or the marker of a writer.</summary>
    public static RedisKey Session(string id) => "session:" + id;

    /// <summary>A lock; its value is the token of its owner. Its release is told on a channel of the same name.</summary>
    /// <param name="resource">What kind of thing is locked.</param>
    /// <param name="id">Which one.</param>
    public static RedisKey Lock(string resource, string id) => $"lock:{Resource(resource)}:{Id(id)}";

    /// <summary>Names of the queues that have deliveries.</summary>
    public static RedisKey Queues { get; } = "queues";

    /// <summary>Worker id → time by Redis' clock, in ms, until which its last heartbeat counts.</summary>
    public static RedisKey Workers { get; } = "workers";

    /// <summary>Values that nobody took yet, oldest first.</summary>
    public static RedisKey Queue(string name) => QueuePrefix + name;

    /// <summary>What is known of every value that left the list and is not done: fields <c>{id}:value</c>, <c>:lost</c>, <c>:attempts</c>, <c>:reason</c>.</summary>
    public static RedisKey Deliveries(string name) => "deliveries:" + name;

    /// <summary>Delivery id → id of the worker that has it.</summary>
    public static RedisKey Taken(string name) => "taken:" + name;

    /// <summary>Delivery id → time by Redis' clock, in ms, from which it may be taken again; 0 for at once.</summary>
    public static RedisKey Deferred(string name) => "deferred:" + name;

    // With a colon in the first part, two different pairs could have one key.
    private static string Resource(string resource) => resource is { Length: > 0 } && !resource.Contains(':')
        ? resource
        : throw new ArgumentException($"The resource of a key must be a word without a colon, not '{resource}'.", nameof(resource));

    private static string Id(string id) => id is { Length: > 0 } ? id : throw new ArgumentException("The id of a key must not be empty.", nameof(id));
}
