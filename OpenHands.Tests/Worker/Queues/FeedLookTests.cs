using System.Text.Json.Nodes;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>A feeder finds what waits, and in no more time, while an open transaction keeps everything that waited before.</summary>
public sealed class FeedLookTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    // Every look is dear: it goes through the lanes.
    private readonly FeedLook _look = new("q", TimeProvider.System) { Cheap = TimeSpan.MinValue };
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_new_is_found_in_known_lanes_and_between_them_in_order()
    {
        await EnqueueAsync("b", 1, 0);
        await EnqueueAsync("d", 1, 0);
        Assert.Equal(["b 0 1", "d 0 1"], await LookAsync()); // at everything: it knows nothing yet

        await EnqueueAsync("b", 2, 0);
        await EnqueueAsync("b", 3, 5);
        await EnqueueAsync("b", 4, -5);
        await EnqueueAsync("b", 5, 3);
        foreach (var key in new[] { "a", "c", "e" })
            await EnqueueAsync(key, 1, 0);
        Assert.Equal(["a 0 1", "b 5 3", "b 3 5", "b 0 1", "b 0 2", "b -5 4", "c 0 1", "d 0 1", "e 0 1"], await LookAsync());
        Assert.Equal(await LookAsync(), await LookAsync());
    }

    [Fact]
    public async Task A_lane_that_was_empty_is_known_and_what_comes_next_is_found_in_it()
    {
        await EnqueueAsync("a", 1, 0);
        await LookAsync();
        await DoneAsync();
        Assert.Empty(await LookAsync());
        await EnqueueAsync("a", 2, 0);

        Assert.Equal(["a 0 2"], await LookAsync());
    }

    [Fact]
    public async Task What_is_put_back_behind_the_front_of_its_lane_is_found_by_a_look_at_everything()
    {
        await EnqueueAsync("a", 1, 0);
        await EnqueueAsync("a", 2, 0);
        await LookAsync();
        await _queues.Postgres.QueryAsync("UPDATE tasks SET run_at = run_at - interval '1 h' WHERE payload::text = '2'");

        await Eventually.TrueAsync("it is found", async () => (await LookAsync()).SequenceEqual(["a 0 2", "a 0 1"]));
    }

    [Fact]
    public async Task A_look_reads_no_more_after_ten_thousand_tasks_that_an_open_transaction_keeps()
    {
        await using var holder = new NpgsqlConnection(_queues.Postgres.Administrator);
        await holder.OpenAsync(Cancelled);
        await using var open = await holder.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Cancelled);
        await using (var snapshot = new NpgsqlCommand("SELECT count(*) FROM tasks", holder, open))
            await snapshot.ExecuteScalarAsync(Cancelled);
        await _queues.Producer.EnqueueAsync([.. Enumerable.Range(0, 10_000).Select(i => new NewTask("q", "test", i) { FairnessKey = $"t{i % 2}" })], Cancelled);
        await DoneAsync();
        var now = DateTimeOffset.Parse(Assert.Single(await _queues.Postgres.QueryAsync("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ')")), System.Globalization.CultureInfo.InvariantCulture);
        await EnqueueAsync("t0", 1, 0);

        var pages = await PagesAsync([new WaitingLane("t0", 0, now), new WaitingLane("t1", 0, now)]);
        Assert.InRange(pages, 1, 200); // a look at everything reads thousands
    }

    private async Task<long> PagesAsync(IReadOnlyList<WaitingLane> lanes)
    {
        await using var explain = _queues.Database.System.CreateCommand("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + WaitingLanes.Query);
        WaitingLanes.AddParameters(explain.Parameters, "q", lanes, 32);
        var plan = JsonNode.Parse((string)(await explain.ExecuteScalarAsync(Cancelled))!)![0]!["Plan"]!;
        Assert.Equal(2, (int)plan["Actual Rows"]!.GetValue<double>()); // the new task, and the time
        return (long)plan["Shared Hit Blocks"]! + (long)plan["Shared Read Blocks"]!;
    }

    private Task<IReadOnlyList<string>> EnqueueAsync(string key, int payload, short priority) =>
        _queues.Producer.EnqueueAsync([new NewTask("q", "test", payload) { FairnessKey = key, Priority = priority }], Cancelled);

    private Task<IReadOnlyList<string>> DoneAsync() => _queues.Postgres.QueryAsync("UPDATE tasks SET status = 'done', finished_at = now()");

    private async Task<IReadOnlyList<string>> LookAsync()
    {
        var heads = await _look.LookAsync(_queues.Waiting, 32, Cancelled);
        var rows = (await _queues.TasksAsync("id, fairness_key, priority, payload")).Select(row => row.Split('|')).ToDictionary(row => row[0], row => string.Join(' ', row[1..]));
        return [.. heads.SelectMany(head => head.Ids).Select(id => rows[id])];
    }
}
