using Npgsql;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Maintenance;

/// <summary>The log is sealed by a task of the queue, whatever becomes of the worker that has it and however much else there is to do.</summary>
public sealed class SealAuditTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_log_is_sealed_by_one_of_two_workers_and_by_the_other_when_that_one_is_gone()
    {
        await using (var one = await WorkerHost.StartAsync(_queues))
        {
            await NoteAsync("first");
            await UntilSealedAsync("first");
            Assert.NotEmpty(await SealsAsync("status IN ('scheduled', 'waiting', 'leased')"));
        }

        await using var two = await WorkerHost.StartAsync(_queues);
        await NoteAsync("second");
        await UntilSealedAsync("second");
        Assert.True((await VerifyAsync()).IsIntact);
    }

    [Fact]
    public async Task Two_sealers_at_once_make_one_intact_chain()
    {
        await using var one = await WorkerHost.StartAsync(_queues, settings: ["Worker:RetryDelay=00:00:00.01"]);
        await using var two = await WorkerHost.StartAsync(_queues, settings: ["Worker:RetryDelay=00:00:00.01"]);
        await _queues.Producer.EnqueueAsync([.. Enumerable.Range(0, 8).Select(_ => new OpenHands.Storage.Queues.NewTask("maintenance", "audit.seal"))], Token);
        for (var i = 0; i < 20; i++)
        {
            await NoteAsync($"event {i}");
            await UntilSealedAsync($"event {i}");
        }

        Assert.True((await VerifyAsync()).IsIntact);
    }

    [Fact]
    public async Task The_log_is_sealed_while_long_tasks_have_every_slot()
    {
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var worker = await WorkerHost.StartAsync(
            _queues,
            async (_, cancellationToken) =>
            {
                running.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                return new TaskOutcome.Done();
            },
            "Worker:Concurrency=1", "Worker:ShutdownTimeout=00:00:00.01");
        await _queues.EnqueueAsync("q", 1);
        await running.Task.WaitAsync(Token);

        await NoteAsync("event");
        await UntilSealedAsync("event");
    }

    [Fact]
    public async Task A_sealer_whose_minute_is_over_makes_room_for_the_next()
    {
        await using var worker = await WorkerHost.StartAsync(_queues);
        await Eventually.TrueAsync("there is one", async () => await SealsAsync("true") is [_, ..]);
        await _queues.Postgres.QueryAsync("UPDATE tasks SET created_at = created_at - interval '1 min' WHERE type = 'audit.seal'");

        await Eventually.TrueAsync("it is done", async () => (await SealsAsync("status = 'done'")).Count > 0);
        await _queues.Postgres.QueryAsync("UPDATE recurring_tasks SET next_at = now() WHERE name = 'audit.seal'"); // the next minute begins
        await NoteAsync("event");
        await UntilSealedAsync("event");
    }

    private Task NoteAsync(string target) =>
        _queues.Postgres.Audit.NoteAsync(new AuditNote(AuditNote.SecretRead, target, "", null, null), "user", new AuditOrigin(null, null, null));

    private Task UntilSealedAsync(string target) => Eventually.TrueAsync($"{target} is sealed", async () =>
        (await _queues.Postgres.QueryAsync($"SELECT 1 FROM audit_events WHERE target = '{target}' AND position IS NOT NULL")).Count == 1);

    private Task<IReadOnlyList<string>> SealsAsync(string where) => _queues.Postgres.QueryAsync($"SELECT id FROM tasks WHERE type = 'audit.seal' AND {where}");

    private async Task<AuditReport> VerifyAsync()
    {
        await using var system = new NpgsqlConnection(_queues.Postgres.System);
        await system.OpenAsync(Token);
        await using var transaction = await system.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Token);
        using var verifier = AuditVerifier.With(new KeyRing(new string('k', 43)));
        return await verifier.VerifyAsync(new AuditDatabase(system), null, Token);
    }
}
