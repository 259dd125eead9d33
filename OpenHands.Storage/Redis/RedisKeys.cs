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
        new("cache:{resource}:{id}", "string", "ResourceCache", "as long as its resource says after it was loaded or written, memberships five minutes; a lease 3 s, a marker of a writer 10 s"),
        new("lock:{resource}:{id}", "string", "RedisLocks, and any client that sets it if absent", "ten seconds after its holder last renewed it, unless it asked for another time; until it is released"),
        new("ratelimit:{resource}:{id}", "string", "RateLimiter", "one window of its policy after the last request; two above a limit of 100"),
        new("replicas", "zset", "API", "twenty seconds after any replica last said that it is there"),
        new("queue:{name}", "list", "any producer (RPUSH), the feeder; workers take from its head", WhileItHasEntries),
        new("adopting:{name}", "hash", "workers", WhileItHasEntries),
        new("window:{name}", "string", "the feeder of the queue", "two seconds after it was written"),
        new("queues:pushed", "channel", "producers and the feeder", "nothing is kept"),
        new("queues:low", "channel", "workers", "nothing is kept"),
    ];

    /// <summary>A secret, encrypted, or that there is none of this name; a lease to load it, or the marker of a writer.</summary>
    /// <param name="scope"><c>user</c> or <c>organization</c>.</param>
    /// <param name="owner">Id of the owner.</param>
    /// <param name="name">Name of the secret.</param>
    public static RedisKey Secret(string scope, string owner, string name) => $"secret:{scope}.{owner}.{name}";

    /// <summary>A saved session with its owner, a lease to load it, or the marker of a writer.</summary>
    public static RedisKey Session(string id) => "session:" + id;

    /// <summary>A value, or that there is none; a lease to load it, or the marker of a writer.</summary>
    /// <param name="resource">What kind of thing is kept.</param>
    /// <param name="id">Which one.</param>
    public static RedisKey Cache(string resource, string id) => $"cache:{Resource(resource)}:{Id(id)}";

    /// <summary>A lock; its value is the token of its owner. Its release is told on a channel of the same name.</summary>
    /// <param name="resource">What kind of thing is locked.</param>
    /// <param name="id">Which one.</param>
    public static RedisKey Lock(string resource, string id) => $"lock:{Resource(resource)}:{Id(id)}";

    /// <summary>What a caller has asked for lately under a policy.</summary>
    /// <param name="resource">Name of the policy.</param>
    /// <param name="id">Who it is.</param>
    public static RedisKey RateLimit(string resource, string id) => $"ratelimit:{Resource(resource)}:{Id(id)}";

    /// <summary>Id of a replica → time by Redis' clock, in ms, until which it counts.</summary>
    public static RedisKey Replicas { get; } = "replicas";

    /// <summary>Ids of tasks that are due, and values of other producers that nobody took yet, oldest first.</summary>
    public static RedisKey Queue(string name) => QueuePrefix + name;

    /// <summary>Values of other producers on their way into the table of tasks: id of the task to be → value.</summary>
    public static RedisKey Adopting(string name) => "adopting:" + name;

    /// <summary>How long the list may be for a producer to push; 0 while more tasks wait than the list holds.</summary>
    public static RedisKey Window(string name) => "window:" + name;

    /// <summary>Says the name of a queue that has something new.</summary>
    public static RedisKey Pushed { get; } = "queues:pushed";

    /// <summary>Says the name of a queue whose list runs low while more tasks wait.</summary>
    public static RedisKey Low { get; } = "queues:low";

    // With a colon in the first part, two different pairs could have one key.
    private static string Resource(string resource) => resource is { Length: > 0 } && !resource.Contains(':')
        ? resource
        : throw new ArgumentException($"The resource of a key must be a word without a colon, not '{resource}'.", nameof(resource));

    private static string Id(string id) => id is { Length: > 0 } ? id : throw new ArgumentException("The id of a key must not be empty.", nameof(id));
}
