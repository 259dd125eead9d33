using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>A kind of fault: does its damage and undoes what does not mend by itself.</summary>
/// <param name="Name">What it is called in the verdict.</param>
/// <param name="InjectAsync">Does it. Returns when the damage is done or over, with the condition that says that the platform has recovered.</param>
internal sealed record Fault(string Name, Func<ChaosRun, Random, CancellationToken, Task<Func<Task<bool>>>> InjectAsync)
{
    /// <summary>All kinds.</summary>
    public static IReadOnlyList<Fault> All { get; } =
    [
        new("kill -9 of a worker", KillWorkerAsync),
        new("kill -9 of the API", KillApiAsync),
        new("kill -9 of Redis, restart without its data", KillRedisAsync),
        new("kill -9 of PostgreSQL", KillPostgresAsync),
        new("SIGSTOP of a worker for 3 leases", StopWorkerAsync),
        new("FLUSHALL", FlushAsync),
        new("Redis slow", SlowRedisAsync),
        new("PostgreSQL's backends terminated", TerminateBackendsAsync),
        new("all connections taken", ExhaustAsync),
        new("an idle transaction held open", IdleTransactionAsync),
        new("a poison task", PoisonAsync),
        new("a worker's clock off by minutes", WrongClockAsync),
    ];

    private static async Task<Func<Task<bool>>> KillWorkerAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        var victim = run.AllWorkers[random.Next(run.AllWorkers.Count)];
        var process = await victim.Id;
        var all = await Task.WhenAll(run.AllWorkers.Select(worker => worker.Id));
        // One that is only starting, after a fault before, rescues nothing: both its sessions must be there.
        await run.UntilAsync("all others work", async () => await run.CountAsync(
            """
            SELECT count(*) FROM workers w WHERE w.process_id = ANY ($1) AND 1 < (SELECT count(*) FROM pg_stat_activity a WHERE a.application_name LIKE '%' || w.id)
            """, cancellationToken, all) == all.Length, cancellationToken);
        await run.UntilAsync("it has tasks", async () => await run.CountAsync(
            "SELECT count(*) FROM tasks t JOIN workers w ON w.id = t.worker_id WHERE w.process_id = $1", cancellationToken, process) > 1, cancellationToken);
        run.Left = victim;
        var killed = TimeProvider.System.GetUtcNow(); // by the clock of this machine, which is PostgreSQL's
        await victim.KillAsync();
        await run.Database.ExecuteAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
            DROP TABLE IF EXISTS chaos_lost;
            CREATE TABLE chaos_lost AS
                SELECT t.id, t.lease_number FROM tasks t JOIN workers w ON w.id = t.worker_id WHERE w.process_id = {process} AND t.status = 'leased'
            """), cancellationToken);
        return async () =>
        {
            // What it had has begun elsewhere, unless its outcome was recorded at the last moment.
            if (await run.CountAsync(
                """
                SELECT count(*) FROM chaos_lost l WHERE EXISTS (SELECT FROM tasks t WHERE t.id = l.id AND t.status <> 'done')
                    AND NOT EXISTS (SELECT FROM chaos_starts s WHERE s.task_id = l.id AND s.lease_number > l.lease_number)
                """, cancellationToken) > 0)
                return false;
            run.Recovery = TimeSpan.FromMilliseconds(await run.CountAsync(
                """
                SELECT coalesce(extract(epoch FROM max(again) - $1) * 1000, 0)::bigint FROM (
                    SELECT min(s.at) AS again FROM chaos_lost l JOIN chaos_starts s ON s.task_id = l.id AND s.lease_number > l.lease_number GROUP BY l.id) AS each
                """, cancellationToken, killed));
            run.Left = null;
            run.ReplaceEnded();
            return true;
        };
    }

    private static async Task<Func<Task<bool>>> KillApiAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50)), TimeProvider.System, cancellationToken); // at any step of what it does at 75 requests a second
        await run.ReplaceApiAsync();
        var acknowledged = run.Acknowledged;
        return () => Task.FromResult(run.Acknowledged > acknowledged);
    }

    private static async Task<Func<Task<bool>>> KillRedisAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        await run.Redis.KillAsync();
        var before = await EffectsAsync(run, cancellationToken);
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1000)), TimeProvider.System, cancellationToken);
        await run.Redis.StartAsync(cancellationToken);
        return NewEffect(run, before, cancellationToken);
    }

    private static async Task<Func<Task<bool>>> KillPostgresAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        await run.Database.CrashAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1500)), TimeProvider.System, cancellationToken);
        await run.Database.StartAgainAsync(cancellationToken);
        return NewEffect(run, await EffectsAsync(run, cancellationToken), cancellationToken);
    }

    private static async Task<Func<Task<bool>>> StopWorkerAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        var process = await run.AllWorkers[random.Next(run.AllWorkers.Count)].Id;
        await ChaosProcess.SignalAsync("STOP", process);
        await Task.Delay(3 * ChaosRun.Lease, TimeProvider.System, cancellationToken);
        await ChaosProcess.SignalAsync("CONT", process);
        // It has understood that it was taken for gone, and is entered again.
        return async () => await run.CountAsync("SELECT count(*) FROM workers WHERE process_id = $1 AND last_seen_at > now() - interval '500 ms'", cancellationToken, process) == 1;
    }

    private static async Task<Func<Task<bool>>> FlushAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(run.RedisConnection + ",allowAdmin=true");
        await redis.GetDatabase().ExecuteAsync("FLUSHALL");
        return NewEffect(run, await EffectsAsync(run, cancellationToken), cancellationToken);
    }

    private static async Task<Func<Task<bool>>> SlowRedisAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        var process = await run.Redis.ProcessIdAsync();
        for (var i = 0; i < 5; i++)
        {
            await ChaosProcess.SignalAsync("STOP", process);
            await Task.Delay(TimeSpan.FromMilliseconds(400), TimeProvider.System, cancellationToken);
            await ChaosProcess.SignalAsync("CONT", process);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        return NewEffect(run, await EffectsAsync(run, cancellationToken), cancellationToken);
    }

    private static async Task<Func<Task<bool>>> TerminateBackendsAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        await run.Database.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename LIKE 'openhands%'", cancellationToken);
        return NewEffect(run, await EffectsAsync(run, cancellationToken), cancellationToken);
    }

    private static async Task<Func<Task<bool>>> ExhaustAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        var taken = new List<NpgsqlConnection>();
        try
        {
            while (true)
            {
                var connection = new NpgsqlConnection(run.Database.App + ";Pooling=false;Timeout=2");
                taken.Add(connection);
                await connection.OpenAsync(cancellationToken);
            }
        }
        catch (NpgsqlException)
        {
            // There are no more. And now the workers lose theirs.
            await run.Database.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'openhands_system'", cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken);
        }
        finally
        {
            foreach (var connection in taken)
                await connection.DisposeAsync();
        }

        return NewEffect(run, await EffectsAsync(run, cancellationToken), cancellationToken);
    }

    private static async Task<Func<Task<bool>>> IdleTransactionAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(run.Database.Administrator + ";Pooling=false");
        await connection.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await using (var look = new NpgsqlCommand("SELECT count(*) FROM tasks", connection, transaction))
            await look.ExecuteScalarAsync(cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, cancellationToken);
        return NewEffect(run, await EffectsAsync(run, cancellationToken), cancellationToken);
    }

    private static async Task<Func<Task<bool>>> PoisonAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7().ToString("N");
        var payload = new JsonObject { ["key"] = "poison", ["ms"] = 0, ["poison"] = true };
        await run.Database.ExecuteAsync(
            string.Create(CultureInfo.InvariantCulture, $"""
            INSERT INTO tasks (id, queue, type, payload, fairness_key, priority, status, run_at, retention, created_at)
            VALUES ('{id}', 'chaos', 'effect', '{payload.ToJsonString()}', 'poison', 100, 'waiting', now(), interval '1 day', now())
            """), cancellationToken);
        await run.UntilAsync("it is given up", async () => await run.CountAsync("SELECT count(*) FROM tasks WHERE id = $1 AND status = 'dead'", cancellationToken, id) == 1, cancellationToken);
        var innocent = await run.CountAsync("SELECT count(*) FROM tasks WHERE status = 'dead' AND payload ->> 'key' <> 'poison'", cancellationToken);
        return innocent > 0
            ? throw new InvalidOperationException($"{innocent} tasks were given up that only ran beside it")
            : NewEffect(run, await EffectsAsync(run, cancellationToken), cancellationToken);
    }

    private static async Task<Func<Task<bool>>> WrongClockAsync(ChaosRun run, Random random, CancellationToken cancellationToken)
    {
        var victim = run.AllWorkers[random.Next(run.AllWorkers.Count)];
        await victim.KillAsync();
        run.Replace(victim, random.Next(2) == 0 ? 7 : -7);
        var all = await Task.WhenAll(run.AllWorkers.Select(worker => worker.Id));
        // The one with the wrong clock works as well as the others.
        return async () => await run.CountAsync("SELECT count(DISTINCT process_id) FROM chaos_starts WHERE process_id = ANY ($1)", cancellationToken, all) == all.Length;
    }

    private static Task<long> EffectsAsync(ChaosRun run, CancellationToken cancellationToken) =>
        run.CountAsync("SELECT count(*) FROM chaos_effects", cancellationToken);

    private static Func<Task<bool>> NewEffect(ChaosRun run, long before, CancellationToken cancellationToken) =>
        async () => await EffectsAsync(run, cancellationToken) > before;
}
