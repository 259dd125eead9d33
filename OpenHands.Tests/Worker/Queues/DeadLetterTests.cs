using System.Text;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

public sealed class DeadLetterTests(RedisFixture fixture, DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    // Another one for every test: they share the table.
    private readonly string _queue = $"q{Guid.CreateVersion7():N}";

    private RedisDatabase _redis = null!; // set before every test

    public async ValueTask InitializeAsync() => _redis = await fixture.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Theory]
    [InlineData("s3cret", "The value is not JSON.")]
    [InlineData("[\"s3cret\"]", "The value is not a JSON object.")]
    [InlineData("{\"payload\":\"s3cret\"}", "The member type is missing.")]
    [InlineData("{\"type\":\"s3cret\"}", "There is no handler for its type.")]
    public async Task A_value_that_is_no_task_is_set_aside_with_the_reason(string value, string reason)
    {
        await using var worker = await StartAsync();
        await _redis.PushAsync(_queue, value, """{"type":"noop"}""");

        await UntilDrainedAsync();
        Assert.Equal([$"{value}|{reason}"], await RowsAsync());
        var warning = Assert.Single(worker.Log.Entries, entry => entry.Level >= LogLevel.Warning && entry.Text.Contains(_queue, StringComparison.Ordinal));
        Assert.Contains(reason, warning.Text);
        Assert.DoesNotContain(worker.Log.Entries, entry => entry.Text.Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Any_bytes_are_kept_as_they_were()
    {
        byte[] value = [0, 0xff, 0x80, .. Enumerable.Repeat((byte)'x', QueuedTaskReader.MaxBytes)];
        await using var worker = await StartAsync();
        await _redis.Keys.ListRightPushAsync(RedisKeys.Queue(_queue), value);

        await UntilDrainedAsync();
        Assert.Equal(
            [$"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(value))}|The value is larger than 1 MiB."],
            await database.Database.QueryAsync($"SELECT encode(sha256(value), 'hex'), reason FROM dead_letters WHERE queue = '{_queue}'"));
    }

    [Fact]
    public async Task A_task_that_fails_in_every_attempt_is_set_aside()
    {
        var attempts = 0;
        await using var worker = await StartAsync(
            (_, _) =>
            {
                attempts++;
                throw new InvalidOperationException("never");
            },
            "Worker:MaxAttempts=3", "Worker:RetryDelay=00:00:00.001");
        await _redis.PushAsync(_queue, """{"type":"test"}""");

        await UntilDrainedAsync();
        Assert.Equal(3, attempts);
        Assert.Equal(["""{"type":"test"}|Attempt 3 of 3 failed: InvalidOperationException."""], await RowsAsync());
    }

    [Fact]
    public async Task A_task_that_takes_its_worker_with_it_is_set_aside_after_five_deliveries()
    {
        await _redis.PushAsync(_queue, """{"type":"test","payload":"poison"}""", """{"type":"test"}""");
        for (var i = 0; i < 5; i++)
        {
            var victim = _redis.Worker($"victim{i}");
            await victim.RescueAsync(_queue, alsoOthers: true, []);
            Assert.NotNull(await victim.TryTakeAsync(_queue));
            await victim.RetireAsync(); // as if its last heartbeat were long ago
        }

        var ran = new List<string>();
        await using var worker = await StartAsync(
            (task, _) =>
            {
                ran.Add(task.Payload.ToString());
                return Task.FromResult<TaskOutcome>(new TaskOutcome.Done());
            },
            "Worker:Concurrency=1");
        await UntilDrainedAsync();
        Assert.Equal([""], ran);
        Assert.Equal(["""{"type":"test","payload":"poison"}|Its worker went away 5 times while it ran."""], await RowsAsync());
    }

    [Fact]
    public async Task A_dead_letter_waits_in_Redis_until_PostgreSQL_is_back()
    {
        var connection = new NpgsqlConnectionStringBuilder(database.Database.System);
        await using var relay = new TcpRelay(connection.Port);
        (connection.Host, connection.Port) = ("127.0.0.1", relay.Port);
        await using var worker = await WorkerHost.StartAsync(
            _redis.ConnectionString, settings: ["Worker:DeadLetterRetryDelay=00:00:00.05"], postgres: connection.ConnectionString);
        await _redis.PushAsync(_queue, "rubbish", "more rubbish", """{"type":"noop"}""");

        await Eventually.TrueAsync("the task behind the rubbish is done", () => Count(worker, "Task noop") == 1);
        await Eventually.TrueAsync("both are kept with their reason", async () => (await KeptAsync()).SequenceEqual(["more rubbish", "rubbish"]));
        Assert.Empty(await RowsAsync());

        relay.Open();
        await UntilDrainedAsync();
        Assert.Equal(["more rubbish|The value is not JSON.", "rubbish|The value is not JSON."], await RowsAsync());
        Assert.Equal((1, 1), (Count(worker, "Dead letters cannot be stored"), Count(worker, "Dead letters are stored again")));

        await relay.CloseAsync();
        await _redis.PushAsync(_queue, "again");
        await Eventually.TrueAsync("the next outage is logged as well", () => Count(worker, "Dead letters cannot be stored") == 2);
        relay.Open();
        await UntilDrainedAsync();
    }

    [Fact]
    public async Task Storing_a_dead_letter_twice_stores_it_once()
    {
        await using var store = new DeadLetterStore(database.Database.System, TimeProvider.System);
        var task = new TakenTask(_queue, Guid.CreateVersion7().ToString("N"), Encoding.UTF8.GetBytes("x"), 0, 0, null);
        await store.AddAsync(task, "first", TestContext.Current.CancellationToken);
        await store.AddAsync(task, "second", TestContext.Current.CancellationToken);

        Assert.Equal(["x|first"], await RowsAsync());
    }

    private Task<WorkerHost> StartAsync(Handler? handler = null, params string[] settings) => WorkerHost.StartAsync(
        _redis.ConnectionString,
        handler is null ? null : new Dictionary<string, Handler> { ["test"] = handler },
        settings,
        database.Database.System);

    private Task UntilDrainedAsync() => Eventually.TrueAsync("all queues are drained", async () => (await _redis.AllKeysAsync()) is ["workers"]);

    private Task<IReadOnlyList<string>> RowsAsync() => database.Database.QueryAsync(
        $"SELECT convert_from(value, 'UTF8'), reason FROM dead_letters WHERE queue = '{_queue}' ORDER BY value");

    private async Task<IEnumerable<string>> KeptAsync()
    {
        var fields = (await _redis.Keys.HashGetAllAsync(RedisKeys.Deliveries(_queue))).ToDictionary(field => (string)field.Name!, field => (string)field.Value!);
        return fields
            .Where(field => field.Key.EndsWith(":value", StringComparison.Ordinal) && fields.GetValueOrDefault(field.Key.Replace(":value", ":reason", StringComparison.Ordinal)) is { Length: > 0 })
            .Select(field => field.Value)
            .Order();
    }

    private static int Count(WorkerHost worker, string text) => worker.Log.Entries.Count(entry => entry.Text.Contains(text, StringComparison.Ordinal));
}
