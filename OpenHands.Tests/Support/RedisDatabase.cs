using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Storage.Caching;
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

    /// <summary>The queues' part in Redis as a service has it.</summary>
    public QueueWindow Window { get; } = new(
        new ServiceCollection().AddSingleton(connection).BuildServiceProvider(),
        new RedisGate(new ServiceCollection().AddSingleton(connection).BuildServiceProvider(), TimeProvider.System, NullLogger<RedisGate>.Instance));

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
