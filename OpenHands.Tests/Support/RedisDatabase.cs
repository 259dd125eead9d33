using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Tests.Support;

/// <summary>A logical database of a real Redis that one test has to itself.</summary>
internal sealed class RedisDatabase(string connectionString, IConnectionMultiplexer connection) : IAsyncDisposable
{
    /// <summary>What a service is given to reach it.</summary>
    public string ConnectionString => connectionString;

    public IConnectionMultiplexer Connection => connection;

    public IDatabase Keys { get; } = connection.GetDatabase();

    /// <summary>What a worker sees of the queues; it sends no heartbeat by itself.</summary>
    public TaskQueues Worker(string id) => new(connection, id, TimeSpan.FromSeconds(30));

    /// <summary>Loses everything in this database.</summary>
    public Task FlushAsync() => Keys.ExecuteAsync("FLUSHDB");

    /// <summary>All keys, sorted.</summary>
    public async Task<string[]> AllKeysAsync() =>
        [.. ((string[])(await Keys.ExecuteAsync("KEYS", "*"))!).Order(StringComparer.Ordinal)];

    /// <summary>Appends values to a queue as any producer does.</summary>
    public async Task PushAsync(string queue, params string[] values) =>
        await Keys.ListRightPushAsync(RedisKeys.Queue(queue), [.. values.Select(value => (RedisValue)value)]);

    /// <summary>A list as text, head first.</summary>
    public async Task<string[]> ListAsync(RedisKey key) => [.. (await Keys.ListRangeAsync(key)).Select(value => (string)value!)];

    /// <summary>Opens a database.</summary>
    public static async Task<RedisDatabase> OpenAsync(string connectionString) =>
        new(connectionString, await ConnectionMultiplexer.ConnectAsync(connectionString + ",allowAdmin=true"));

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
