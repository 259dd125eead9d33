using Microsoft.Extensions.Logging;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>Values that others push: adopted, or set aside with a reason, and never lost in between.</summary>
public sealed class DeadLetterTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    [Fact]
    public async Task A_value_that_is_no_task_is_set_aside_with_the_reason()
    {
        await using var worker = await WorkerHost.StartAsync(_queues);
        await _queues.Redis.PushAsync("q", "s3cret", "[\"s3cret\"]", "{\"payload\":\"s3cret\"}", """{"type":"noop"}""");

        await _queues.UntilDrainedAsync();
        Assert.Equal(
            ["[\"s3cret\"]|The value is not a JSON object.", "s3cret|The value is not JSON.", "{\"payload\":\"s3cret\"}|The member type is missing."],
            await RowsAsync());
        Assert.Equal(["noop|done"], await _queues.TasksAsync("type, status"));
        Assert.Equal(3, worker.Log.Entries.Count(entry => entry.Level >= LogLevel.Warning && entry.Text.Contains("is a dead letter", StringComparison.Ordinal)));
        Assert.Equal(0, worker.Logged("s3cret"));
    }

    [Fact]
    public async Task A_value_of_an_unknown_type_is_a_dead_letter_that_can_be_replayed()
    {
        await using var worker = await WorkerHost.StartAsync(_queues);
        await _queues.Redis.PushAsync("q", """{"type":"s3cret"}""");

        await _queues.UntilDrainedAsync();
        Assert.Equal(["s3cret|dead|There is no handler for its type."], await _queues.TasksAsync("type, status, reason"));
    }

    [Fact]
    public async Task Any_bytes_are_kept_as_they_were()
    {
        byte[] value = [0, 0xff, 0x80, .. Enumerable.Repeat((byte)'x', QueuedTaskReader.MaxBytes)];
        await using var worker = await WorkerHost.StartAsync(_queues);
        await _queues.Redis.Keys.ListRightPushAsync(RedisKeys.Queue("q"), value);

        await _queues.UntilDrainedAsync();
        Assert.Equal(
            [$"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(value))}|The value is larger than 1 MiB."],
            await _queues.Postgres.QueryAsync("SELECT encode(sha256(value), 'hex'), reason FROM dead_letters"));
    }

    [Fact]
    public async Task A_task_that_takes_its_worker_with_it_is_a_dead_letter_after_five_losses()
    {
        var poison = Assert.Single(await _queues.EnqueueAsync("q", 1));
        for (var i = 0; i < 5; i++)
        {
            var victim = await _queues.EnterAsync($"victim{i}");
            Assert.Single(await victim.LeaseAsync("q", [poison], null, Cancelled));
            await _queues.RescueAsync($"victim{i}");
            // From the second time on it waits for a moment, apart from those that ran beside it.
            await _queues.Postgres.QueryAsync("UPDATE tasks SET status = 'waiting' WHERE status = 'scheduled'");
        }

        Assert.Equal(["dead|5|5|Its worker went away 5 times while it ran."], await _queues.TasksAsync("status, lost, lease_number, reason"));
    }

    [Fact]
    public async Task A_value_that_PostgreSQL_cannot_take_stays_in_Redis_until_it_can()
    {
        var connection = new NpgsqlConnectionStringBuilder(_queues.Postgres.System);
        await using var relay = new TcpRelay(connection.Port);
        (connection.Host, connection.Port) = ("127.0.0.1", relay.Port);
        relay.Open();
        await using var worker = await WorkerHost.StartAsync(_queues, settings: [$"ConnectionStrings:openhands-system={connection.ConnectionString}", "Worker:Queues=q"]);
        await Eventually.TrueAsync("it drains", () => worker.Logged("drains queues") == 1);
        await relay.CloseAsync();

        await _queues.Redis.PushAsync("q", "rubbish", """{"type":"noop"}""");
        await Eventually.TrueAsync("the worker has noticed", () => worker.Logged("PostgreSQL cannot be used") > 0);
        // In the list or on their way out of it, wherever the worker was when it noticed; asked at one moment, since it tries again meanwhile.
        var moment = _queues.Redis.Keys.CreateTransaction();
        var (listed, adopting) = (moment.ListLengthAsync(RedisKeys.Queue("q")), moment.HashLengthAsync(RedisKeys.Adopting("q")));
        await moment.ExecuteAsync();
        Assert.Equal(2, await listed + await adopting);
        relay.Open();

        await Eventually.TrueAsync("both are adopted", async () => await RowsAsync() is ["rubbish|The value is not JSON."] && await _queues.TasksAsync("type, status") is ["noop|done"]);
        await _queues.UntilDrainedAsync();
    }

    [Fact]
    public async Task What_a_killed_worker_was_adopting_is_adopted_once()
    {
        await _queues.Redis.PushAsync("q", "rubbish", """{"type":"noop"}""");
        var taken = await _queues.Redis.Window.TakeAsync("q", 16); // and here it is killed, before or after PostgreSQL has them
        await new TaskAdoption(_queues.Database, _queues.Redis.Window).AdoptAsync("q", taken.Values, _ => true, Cancelled);
        await _queues.Redis.PushAsync("q", "more rubbish");
        await _queues.Redis.Window.TakeAsync("q", 16);
        foreach (var value in taken.Values)
            await _queues.Redis.Keys.HashSetAsync(RedisKeys.Adopting("q"), value.Id, value.Value);

        await using var worker = await WorkerHost.StartAsync(_queues); // and the list is empty: only what was left tells of the queue
        await Eventually.TrueAsync("everything is adopted", async () => (await RowsAsync()).Count == 2);
        await _queues.UntilDrainedAsync();
        Assert.Equal(["more rubbish|The value is not JSON.", "rubbish|The value is not JSON."], await RowsAsync());
        Assert.Equal(["noop|done|1"], await _queues.TasksAsync("type, status, lease_number"));
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Task<IReadOnlyList<string>> RowsAsync() =>
        _queues.Postgres.QueryAsync("SELECT convert_from(value, 'UTF8') AS value, reason FROM dead_letters ORDER BY dead_letters.value");
}
