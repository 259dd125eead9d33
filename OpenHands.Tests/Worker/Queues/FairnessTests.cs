using System.Globalization;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

/// <summary>
/// Two tenants, one with very many tasks: how long the other waits is bounded by the window, whatever the first has. TEST_SCALE=1 also
/// measures it: fifty thousand tasks, and the time as docs/queues.md promises it.
/// </summary>
public sealed class FairnessTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private const int Slots = 8;

    private static readonly TaskOutcome Done = new TaskOutcome.Done();
    private static readonly bool IsFullScale = Environment.GetEnvironmentVariable("TEST_SCALE") == "1";

    private TestQueues _queues = null!; // set before every test
    private int _startsOfMany;
    private TaskCompletionSource _few = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_more_tasks_of_a_tenant_with_many_start_before_one_of_another_than_the_window_holds()
    {
        for (var i = 0; i < (IsFullScale ? 25 : 1); i++)
            await EnqueueAsync("many", 2000);
        using var ends = new SemaphoreSlim(0);
        await using var worker = await StartAsync(ends.WaitAsync, "Worker:ShutdownTimeout=00:00:00");
        await Eventually.TrueAsync("many have all slots", () => Volatile.Read(ref _startsOfMany) == Slots);
        for (var i = 0; i < 8; i++)
        {
            _few = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await EnqueueAsync("few", 1);
            while (!_few.Task.IsCompleted)
            {
                var before = Volatile.Read(ref _startsOfMany);
                ends.Release();
                await Eventually.TrueAsync("the slot is taken again", () => _few.Task.IsCompleted || Volatile.Read(ref _startsOfMany) > before);
            }
        }

        // In the order of leases: when a handler gets its thread is the machine's business. What the list held, what was on its way into
        // it, and what was on its way out of it.
        var window = Math.Max(QueueWindow.DefaultRoom, 2 * Slots);
        Assert.All(
            await _queues.Postgres.QueryAsync(
                """
                SELECT (SELECT count(*) FROM tasks m WHERE m.fairness_key = 'many' AND m.leased_at BETWEEN f.created_at AND f.leased_at)
                FROM tasks f WHERE f.fairness_key = 'few'
                """),
            passed => Assert.InRange(int.Parse(passed, CultureInfo.InvariantCulture), 0, window + Slots));
    }

    [Fact]
    public async Task The_wait_of_a_tenant_with_few_tasks_stays_within_its_idle_wait_and_the_window()
    {
        Assert.SkipUnless(IsFullScale, "Measures time: for a machine that does nothing else, with TEST_SCALE=1.");
        var service = TimeSpan.FromMilliseconds(10);
        await using var worker = await StartAsync(stop => Task.Delay(service, TimeProvider.System, stop)); // what is measured is made of it
        await WaitsAsync(20); // warms up
        var idle = await WaitsAsync(300);
        for (var i = 0; i < 5; i++)
            await EnqueueAsync("many", 10_000);
        await Eventually.TrueAsync("many run", () => Volatile.Read(ref _startsOfMany) > 100);
        var beside = await WaitsAsync(300);

        var mean = double.Parse((await _queues.Postgres.QueryAsync(
            "SELECT extract(epoch FROM avg(finished_at - leased_at)) * 1000 FROM tasks WHERE fairness_key = 'many' AND status = 'done'")).Single(), CultureInfo.InvariantCulture);
        var bound = P99(idle) + mean * Math.Max(QueueWindow.DefaultRoom, 2 * Slots) / Slots;
        var figures = string.Create(CultureInfo.InvariantCulture, $"wait p50 / p99 in ms: idle {P50(idle):0.0} / {P99(idle):0.0}, beside 50,000 tasks {P50(beside):0.0} / {P99(beside):0.0}; mean service {mean:0.0}, bound {bound:0.0}");
        TestContext.Current.TestOutputHelper?.WriteLine(figures);
        Assert.True(P99(beside) <= bound, figures);
    }

    private async Task<IReadOnlyList<double>> WaitsAsync(int tasks)
    {
        var ids = new List<string>();
        for (var i = 0; i < tasks; i++)
        {
            _few = new(TaskCreationOptions.RunContinuationsAsynchronously);
            ids.AddRange(await EnqueueAsync("few", 1));
            await _few.Task.WaitAsync(Cancelled);
        }

        return [.. (await _queues.Postgres.QueryAsync($"SELECT extract(epoch FROM leased_at - created_at) * 1000 FROM tasks WHERE id IN ('{string.Join("', '", ids)}')"))
            .Select(wait => double.Parse(wait, CultureInfo.InvariantCulture)).Order()];
    }

    private static double P50(IReadOnlyList<double> sorted) => sorted[sorted.Count / 2];

    private static double P99(IReadOnlyList<double> sorted) => sorted[(int)(sorted.Count * 0.99)];

    private Task<IReadOnlyList<string>> EnqueueAsync(string tenant, int count) => _queues.Producer.EnqueueAsync(
        [.. Enumerable.Range(0, count).Select(_ => new NewTask("q", "test", tenant) { FairnessKey = tenant })], Cancelled);

    private Task<WorkerHost> StartAsync(Func<CancellationToken, Task> workAsync, params string[] settings) => WorkerHost.StartAsync(
        _queues,
        async (task, cancellationToken) =>
        {
            if (task.Payload.GetString() == "few")
            {
                _few.TrySetResult();
                return Done;
            }

            Interlocked.Increment(ref _startsOfMany);
            await workAsync(cancellationToken);
            return Done;
        },
        ["Logging:LogLevel:OpenHands=Warning", "Worker:Queues=q", $"Worker:Concurrency={Slots}", .. settings]);
}
