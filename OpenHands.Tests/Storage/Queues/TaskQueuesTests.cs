using System.Text;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Queues;

public sealed class TaskQueuesTests(RedisFixture redis) : IAsyncLifetime
{
    private const string Queue = "mail";

    private RedisDatabase _redis = null!; // set before every test

    public async ValueTask InitializeAsync() => _redis = await redis.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task Values_are_taken_oldest_first_and_once()
    {
        await _redis.PushAsync(Queue, "a", "b");
        var (one, two) = (_redis.Worker("one"), _redis.Worker("two"));

        Assert.Equal("a", Text(await one.TryTakeAsync(Queue)));
        Assert.Equal("b", Text(await two.TryTakeAsync(Queue)));
        Assert.Null(await one.TryTakeAsync(Queue));
    }

    [Fact]
    public async Task A_value_comes_back_byte_for_byte()
    {
        byte[] value = [0, 255, 10, 13, 0x80];
        await _redis.Keys.ListRightPushAsync(RedisKeys.Queue(Queue), value);

        Assert.Equal(value, (await TakeAsync(_redis.Worker("one"))).Value.ToArray());
    }

    [Fact]
    public async Task Finishing_removes_one_of_two_equal_values()
    {
        await _redis.PushAsync(Queue, "same", "same");
        var worker = _redis.Worker("one");
        var (first, second) = (await TakeAsync(worker), await TakeAsync(worker));

        Assert.True(await worker.FinishAsync(first));
        Assert.False(await worker.FinishAsync(first));
        Assert.Equal(1, await _redis.Keys.HashLengthAsync(RedisKeys.Taken(Queue)));
        Assert.True(await worker.FinishAsync(second));
    }

    [Fact]
    public async Task Nothing_but_the_heartbeat_is_left_when_all_is_done()
    {
        await _redis.PushAsync(Queue, "a", "b");
        var worker = _redis.Worker("one");
        await worker.FinishAsync(await TakeAsync(worker));
        await worker.DeferAsync(await TakeAsync(worker), TimeSpan.Zero);
        await worker.FinishAsync(await TakeAsync(worker));

        Assert.Equal([(string)RedisKeys.Workers!], await _redis.AllKeysAsync());
    }

    [Fact]
    public async Task A_deferred_task_is_taken_again_before_the_list_when_it_is_due()
    {
        await _redis.PushAsync(Queue, "late", "later", "fresh");
        var worker = _redis.Worker("one");
        var (due, waiting) = (await TakeAsync(worker), await TakeAsync(worker));
        Assert.True(await worker.DeferAsync(due with { Attempts = 2 }, TimeSpan.Zero));
        Assert.True(await worker.DeferAsync(waiting, TimeSpan.FromHours(1)));

        var again = await TakeAsync(worker);
        Assert.Equal((due.Delivery, "late", 2), (again.Delivery, Text(again), again.Attempts));
        Assert.Equal("fresh", Text(await worker.TryTakeAsync(Queue)));
        Assert.Null(await worker.TryTakeAsync(Queue));
    }

    [Fact]
    public async Task Handing_back_returns_a_fresh_value_to_the_head_of_its_list()
    {
        await _redis.PushAsync(Queue, "a", "b");
        var worker = _redis.Worker("one");
        Assert.True(await worker.HandBackAsync(await TakeAsync(worker)));

        Assert.Equal(["a", "b"], await _redis.ListAsync(RedisKeys.Queue(Queue)));
        Assert.Equal([(string)RedisKeys.Queue(Queue)!, (string)RedisKeys.Workers!], await _redis.AllKeysAsync());
    }

    [Fact]
    public async Task A_task_with_counts_keeps_them_when_it_is_handed_back()
    {
        await _redis.PushAsync(Queue, "a");
        var worker = _redis.Worker("one");
        await worker.DeferAsync(await TakeAsync(worker) with { Attempts = 3 }, TimeSpan.Zero);
        var tried = await TakeAsync(worker);
        Assert.True(await worker.HandBackAsync(tried));

        var again = await TakeAsync(_redis.Worker("two"));
        Assert.Equal((tried.Delivery, 3, 0), (again.Delivery, again.Attempts, again.Lost));
    }

    [Fact]
    public async Task A_worker_with_a_heartbeat_keeps_its_tasks()
    {
        await _redis.PushAsync(Queue, "a");
        await TakeAsync(_redis.Worker("alive"));

        Assert.Equal(0, await _redis.Worker("other").RescueAsync(Queue, alsoOthers: true, []));
    }

    [Fact]
    public async Task A_task_of_a_silent_worker_is_rescued_once_and_counted()
    {
        await _redis.PushAsync(Queue, "a", "b");
        var silent = _redis.Worker("silent");
        var lost = await TakeAsync(silent);
        await silent.RetireAsync();
        var other = _redis.Worker("other");

        Assert.Equal(0, await other.RescueAsync(Queue, alsoOthers: false, []));
        Assert.Equal(1, await other.RescueAsync(Queue, alsoOthers: true, []));
        Assert.Equal(0, await other.RescueAsync(Queue, alsoOthers: true, []));
        var again = await TakeAsync(other);
        Assert.Equal((lost.Delivery, "a", 1), (again.Delivery, Text(again), again.Lost));
    }

    [Fact]
    public async Task What_a_silent_worker_says_after_the_rescue_changes_nothing()
    {
        await _redis.PushAsync(Queue, "a");
        var silent = _redis.Worker("silent");
        var lost = await TakeAsync(silent);
        await silent.RetireAsync();
        var other = _redis.Worker("other");
        await other.RescueAsync(Queue, alsoOthers: true, []);
        var again = await TakeAsync(other);

        Assert.False(await silent.FinishAsync(lost));
        Assert.False(await silent.DeferAsync(lost, TimeSpan.Zero));
        Assert.False(await silent.HandBackAsync(lost));
        Assert.True(await other.FinishAsync(again));
    }

    [Fact]
    public async Task A_task_that_its_own_worker_does_not_know_of_is_rescued()
    {
        await _redis.PushAsync(Queue, "known", "answer lost");
        var worker = _redis.Worker("one");
        var known = await TakeAsync(worker);
        await TakeAsync(worker);

        Assert.Equal(1, await worker.RescueAsync(Queue, alsoOthers: false, [known.Delivery]));
        Assert.Equal("answer lost", Text(await worker.TryTakeAsync(Queue)));
    }

    [Fact]
    public async Task An_outcome_forgets_lost_deliveries()
    {
        await _redis.PushAsync(Queue, "a");
        var silent = _redis.Worker("silent");
        await TakeAsync(silent);
        await silent.RetireAsync();
        var other = _redis.Worker("other");
        await other.RescueAsync(Queue, alsoOthers: true, []);
        await other.DeferAsync(await TakeAsync(other), TimeSpan.Zero);

        Assert.Equal(0, (await TakeAsync(other)).Lost);
    }

    [Fact]
    public async Task A_task_that_Redis_lost_while_it_ran_is_written_anew()
    {
        await _redis.PushAsync(Queue, "fails", "is handed back", "is done");
        var worker = _redis.Worker("one");
        var (fails, back, done) = (await TakeAsync(worker), await TakeAsync(worker), await TakeAsync(worker));
        await _redis.FlushAsync();

        Assert.True(await worker.DeferAsync(fails with { Attempts = 1 }, TimeSpan.Zero));
        Assert.True(await worker.HandBackAsync(back));
        Assert.False(await worker.FinishAsync(done));
        var again = await TakeAsync(worker);
        Assert.Equal(("fails", 1), (Text(again), again.Attempts));
        Assert.Equal("is handed back", Text(await worker.TryTakeAsync(Queue)));
        Assert.Null(await worker.TryTakeAsync(Queue));
    }

    [Theory]
    [InlineData("queue:mail")]
    [InlineData("deferred:mail")]
    [InlineData("taken:mail")]
    [InlineData("deliveries:mail")]
    public async Task A_key_of_another_type_is_left_alone_and_loses_no_value(string key)
    {
        if (key != "queue:mail")
            await _redis.PushAsync(Queue, "a");
        await _redis.Keys.StringSetAsync(key, "not ours");

        var wrong = await Assert.ThrowsAsync<WrongTypeException>(() => _redis.Worker("one").TryTakeAsync(Queue));
        Assert.Equal(Queue, wrong.Queue);
        Assert.Equal("not ours", (string?)await _redis.Keys.StringGetAsync(key));
        if (key != "queue:mail")
            Assert.Equal(["a"], await _redis.ListAsync(RedisKeys.Queue(Queue)));
    }

    [Fact]
    public async Task A_heartbeat_forgets_workers_whose_own_no_longer_counts()
    {
        await _redis.Keys.SortedSetAddAsync(RedisKeys.Workers, "gone", 1);
        await _redis.Worker("one").RenewAsync();

        Assert.Null(await _redis.Keys.SortedSetScoreAsync(RedisKeys.Workers, "gone"));
        Assert.NotNull(await _redis.Keys.SortedSetScoreAsync(RedisKeys.Workers, "one"));
        Assert.NotNull(await _redis.Keys.KeyTimeToLiveAsync(RedisKeys.Workers));
    }

    private static async Task<TakenTask> TakeAsync(TaskQueues worker)
    {
        var task = await worker.TryTakeAsync(Queue);
        Assert.NotNull(task);
        return task;
    }

    private static string? Text(TakenTask? task) => task is null ? null : Encoding.UTF8.GetString(task.Value.Span);
}
