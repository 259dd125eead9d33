using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Redis;
using StackExchange.Redis;

namespace OpenHands.Storage.Queues;

/// <summary>
/// The part of a queue that lies in Redis: ids of the next tasks, about twice as many as run at a time, and values that other
/// producers pushed. It may be lost at any moment: the feeder fills it again from PostgreSQL.
/// </summary>
/// <remarks>Reads and feeding throw what StackExchange.Redis throws when Redis is away; a push then does nothing.</remarks>
public sealed class QueueWindow(IServiceProvider services, RedisGate gate)
{
    /// <summary>Room in a list while no feeder has said how much there is.</summary>
    public const int DefaultRoom = 16;

    // Long enough for a feeder to be followed by another.
    private static readonly TimeSpan RoomHolds = TimeSpan.FromSeconds(2);

    // As often as a feeder looks by itself.
    private static readonly TimeSpan NoRoomHolds = TimeSpan.FromMilliseconds(250);

    private static readonly RedisScript Push = RedisScript.Load("PushTasks.lua");
    private static readonly RedisScript PushAhead = RedisScript.Load("PushAhead.lua");
    private static readonly RedisScript Feed = RedisScript.Load("FeedQueue.lua");
    private static readonly RedisScript Take = RedisScript.Load("TakeTasks.lua");

    private IDatabase Database => services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();

    /// <summary>Announces committed tasks. Never throws for a Redis that is slow or gone: the feeder finds them.</summary>
    public Task PushAsync(string queue, IReadOnlyList<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        // A list takes no more than its window; the rest would only be sent for nothing.
        RedisValue[] arguments = [queue, DefaultRoom, (long)NoRoomHolds.TotalMilliseconds, .. ids.Take(1024).Select(id => (RedisValue)id)];
        return TryPushAsync(database => Push.RunAsync(database, [RedisKeys.Queue(queue), RedisKeys.Window(queue), RedisKeys.Pushed], arguments));
    }

    /// <summary>Announces tasks before all others, whatever the room: they had begun once. Never throws, like <see cref="PushAsync"/>.</summary>
    public Task PushAheadAsync(string queue, IReadOnlyList<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        RedisValue[] arguments = [queue, .. ids.Take(1024).Select(id => (RedisValue)id)];
        return ids.Count == 0 ? Task.CompletedTask : TryPushAsync(database => PushAhead.RunAsync(database, [RedisKeys.Queue(queue), RedisKeys.Pushed], arguments));
    }

    /// <summary>Fills the list up.</summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="length">Length that it is to have.</param>
    /// <param name="hasMore">True when more tasks wait: producers then push nothing, so that nobody passes those who wait.</param>
    /// <param name="ids">Tasks in the order in which they are to run.</param>
    /// <returns>How many were pushed, and whether producers could push nothing before and now can: what they committed until now may not stand in the list.</returns>
    /// <exception cref="WrongTypeException">The key holds something else.</exception>
    public Task<(int Pushed, bool Opened)> FeedAsync(string queue, int length, bool hasMore, IReadOnlyList<string> ids) => RunAsync(queue, async database =>
    {
        var answer = (int[])(await Feed.RunAsync(
            database,
            [RedisKeys.Queue(queue), RedisKeys.Window(queue), RedisKeys.Pushed],
            [queue, length, hasMore ? -length : length, (long)RoomHolds.TotalMilliseconds, .. ids.Select(id => (RedisValue)id)]))!;
        return (answer[0], answer[1] == 1);
    });

    /// <summary>Takes values from the head.</summary>
    /// <param name="queue">Name of the queue.</param>
    /// <param name="most">How many at most.</param>
    /// <exception cref="WrongTypeException">The key holds something else.</exception>
    public Task<TakenValues> TakeAsync(string queue, int most) => RunAsync(queue, async database =>
    {
        var answer = (RedisResult[])(await Take.RunAsync(
            database,
            [RedisKeys.Queue(queue), RedisKeys.Adopting(queue), RedisKeys.Window(queue), RedisKeys.Low],
            [queue, .. Enumerable.Range(0, most).Select(_ => (RedisValue)Guid.CreateVersion7().ToString("N"))]))!;
        var values = (RedisValue[])answer[1]!;
        return new TakenValues(
            (string[])answer[0]!,
            [.. values.Chunk(2).Select(pair => new ForeignValue(queue, (string)pair[0]!, (byte[])pair[1]!))],
            (int)answer[2]);
    });

    /// <summary>Length of the list.</summary>
    public Task<long> LengthAsync(string queue) => RunAsync(queue, database => database.ListLengthAsync(RedisKeys.Queue(queue)));

    /// <summary>Values that were taken and are not yet known to stand in PostgreSQL.</summary>
    public Task<IReadOnlyList<ForeignValue>> AdoptingAsync(string queue) => RunAsync(queue, async database =>
    {
        var entries = await database.HashGetAllAsync(RedisKeys.Adopting(queue));
        return (IReadOnlyList<ForeignValue>)[.. entries.Select(entry => new ForeignValue(queue, (string)entry.Name!, (byte[])entry.Value!))];
    });

    /// <summary>Forgets values that stand in PostgreSQL.</summary>
    public Task AdoptedAsync(string queue, IEnumerable<ForeignValue> values) => RunAsync(queue, database =>
        database.HashDeleteAsync(RedisKeys.Adopting(queue), [.. values.Select(value => (RedisValue)value.Id)]));

    /// <summary>Calls back with the name of a queue that has something new.</summary>
    public Task OnPushedAsync(Action<string> callback) => SubscribeAsync(RedisKeys.Pushed, callback);

    /// <summary>Calls back with the name of a queue that runs low while more tasks wait.</summary>
    public Task OnLowAsync(Action<string> callback) => SubscribeAsync(RedisKeys.Low, callback);

    private static bool IsWrongType(RedisServerException failure) => failure.Message.Contains("WRONGTYPE", StringComparison.Ordinal);

    private Task<RedisResult?> TryPushAsync(Func<IDatabase, Task<RedisResult>> pushAsync)
    {
        return gate.TryAsync(PushAsync, CancellationToken.None);

        async Task<RedisResult> PushAsync(IDatabase database)
        {
            try
            {
                return await pushAsync(database);
            }
            catch (RedisServerException wrong) when (IsWrongType(wrong))
            {
                return RedisResult.Create(0); // somebody else's key: no reason to leave Redis alone
            }
        }
    }

    private Task SubscribeAsync(RedisKey channel, Action<string> callback) => services.GetRequiredService<IConnectionMultiplexer>().GetSubscriber()
        .SubscribeAsync(RedisChannel.Literal(channel.ToString()), (_, queue) => callback(queue.ToString()));

    private async Task<T> RunAsync<T>(string queue, Func<IDatabase, Task<T>> command)
    {
        try
        {
            return await command(Database);
        }
        catch (RedisServerException wrong) when (IsWrongType(wrong))
        {
            throw new WrongTypeException(queue, wrong);
        }
    }
}

/// <summary>What was taken from a list.</summary>
/// <param name="Ids">Ids of tasks that are to be leased; some may be leased already.</param>
/// <param name="Values">Values that are to be adopted.</param>
/// <param name="Left">What the list still holds.</param>
public sealed record TakenValues(IReadOnlyList<string> Ids, IReadOnlyList<ForeignValue> Values, int Left);

/// <summary>A value that somebody else pushed.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="Id">Id that its task will have, whoever adopts it and however often: adopting twice makes one task.</param>
/// <param name="Value">The value as it was pushed; any bytes.</param>
public sealed record ForeignValue(string Queue, string Id, ReadOnlyMemory<byte> Value);
