using System.Text;
using System.Text.Unicode;
using StackExchange.Redis;

namespace OpenHands.Storage.Queues;

/// <summary>
/// Finds the lists under <c>queue:</c>, and those that are empty by now but of which a worker that died left values under
/// <c>adopting:</c>, in small steps (SCAN), so that a large Redis is never blocked. Not for two callers at once.
/// </summary>
public sealed class QueueDiscovery(IConnectionMultiplexer redis)
{
    // One step looks at about this many keys: some 0.2 ms of Redis' time.
    private const int KeysPerStep = 1000;

    // Bytes; PostgreSQL indexes dead letters by queue.
    private const int LongestKey = 512;

    // Both prefixes in one pass; whatever else it matches is passed over.
    private const string EitherPrefix = "[aq][du][oe][pu]*";

    private const string Start = "0";

    private string _cursor = Start;

    /// <summary>True between two passes over all keys.</summary>
    public bool PassIsComplete => _cursor == Start;

    /// <summary>Looks at the next keys.</summary>
    /// <param name="isKnown">True for names whose type need not be asked for.</param>
    /// <returns>What was found; a name may come more than once in a pass.</returns>
    public async Task<IReadOnlyList<FoundQueue>> StepAsync(Func<string, bool> isKnown)
    {
        ArgumentNullException.ThrowIfNull(isKnown);
        var database = redis.GetDatabase();
        var answer = await database.ExecuteAsync("SCAN", [_cursor, "MATCH", EitherPrefix, "COUNT", KeysPerStep]);
        var parts = (RedisResult[])answer!;
        var keys = (byte[][])parts[1]!;
        var found = await Task.WhenAll(keys.Where(key => key.AsSpan().StartsWith(Queue)).Select(key => LookAsync(database, key, isKnown)));
        _cursor = (string)parts[0]!;
        return [.. found, .. keys.Where(key => key.AsSpan().StartsWith(Adopting)).Select(LeftOf)];
    }

    private static ReadOnlySpan<byte> Queue => "queue:"u8;

    private static ReadOnlySpan<byte> Adopting => "adopting:"u8;

    // Only workers write these, so the name was a usable one.
    private static FoundQueue LeftOf(byte[] key) => new(Encoding.UTF8.GetString(key.AsSpan(Adopting.Length)), QueueShape.List);

    private static async Task<FoundQueue> LookAsync(IDatabase database, byte[] key, Func<string, bool> isKnown)
    {
        var name = Encoding.UTF8.GetString(key.AsSpan(Queue.Length));
        // Other names could not be stored with a dead letter: PostgreSQL's text is UTF-8 without NUL.
        if (name.Length == 0 || name.Contains('\0') || key.Length > LongestKey || !Utf8.IsValid(key))
            return new FoundQueue(name, QueueShape.UnusableName);
        if (isKnown(name))
            return new FoundQueue(name, QueueShape.List);

        // None: its last value was taken between the two commands.
        var type = await database.KeyTypeAsync(key);
        return new FoundQueue(name, type is RedisType.List or RedisType.None ? QueueShape.List : QueueShape.OtherType);
    }
}

/// <summary>A key under <c>queue:</c>, or what was left of one.</summary>
/// <param name="Name">Its name without the prefix.</param>
/// <param name="Shape">What it is.</param>
public readonly record struct FoundQueue(string Name, QueueShape Shape);

/// <summary>What a key under <c>queue:</c> can turn out to be.</summary>
public enum QueueShape
{
    /// <summary>A queue, perhaps an empty one.</summary>
    List,

    /// <summary>A value of another type, not ours.</summary>
    OtherType,

    /// <summary>A name that is empty, longer than 506 bytes, not UTF-8 or contains NUL.</summary>
    UnusableName,
}
