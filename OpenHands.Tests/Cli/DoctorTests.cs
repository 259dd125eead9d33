using System.CommandLine;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using OpenHands.Cli;
using OpenHands.Cli.Diagnosis;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Cli;

/// <summary>Every check of the doctor sees what it is for.</summary>
public sealed class DoctorTests(DatabaseServer server, RedisFixture redisServer) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await server.CreateMigratedAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task It_sees_a_schema_that_is_behind_what_is_unsealed_and_what_was_set_aside()
    {
        var healthy = await StatesAsync();
        Assert.Equal(("ok", "ok", "ok"), (healthy["schema"].State, healthy["audit"].State, healthy["dead letters"].State));
        await _database.QueryAsync(
            """
            DELETE FROM "__EFMigrationsHistory" WHERE migration_id = (SELECT max(migration_id) FROM "__EFMigrationsHistory");
            INSERT INTO audit_events (id, actor, action, target, detail, occurred_at) VALUES ('e', 'a', 'b', 'c', '', now() - interval '2 minutes');
            INSERT INTO audit_groups (ids, organization_ids, user_ids, actors, actions, targets, details, addresses, api_key_ids, request_ids, instants) VALUES
                ('{n}', '{NULL}', '{NULL}', '{a}', '{b}', '{c}', '{""}', '{NULL}', '{NULL}', '{NULL}', ARRAY[now() - interval '2 minutes']);
            INSERT INTO dead_letters (id, queue, value, reason, created_at) VALUES ('d', 'q', 'v', 'no task', now())
            """);
        var ill = await StatesAsync();
        Assert.Equal(("failed", "warning", "warning"), (ill["schema"].State, ill["audit"].State, ill["dead letters"].State));
        Assert.Contains("1 migrations are missing", ill["schema"].Message);
        Assert.StartsWith("2 events have waited", ill["audit"].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_says_how_long_the_oldest_due_task_of_each_queue_waits_and_that_nobody_works()
    {
        var idle = await StatesAsync();
        Assert.Equal(("warning", "ok", "Nothing that is due waits."), (idle["workers"].State, idle["queue age"].State, idle["queue age"].Message));
        await _database.QueryAsync(
            """
            INSERT INTO workers (id, host, process_id, slots, queues, lock_key, started_at, last_seen_at) VALUES ('w', 'h', 1, 1, '*', 1, now(), now());
            INSERT INTO tasks (id, queue, type, payload, fairness_key, priority, status, run_at, retention, created_at) VALUES
                ('t1', 'mail', 'x', '{}', '', 0, 'waiting', now() - interval '30 seconds', '0', now()),
                ('t2', 'later', 'x', '{}', '', 0, 'scheduled', now() + interval '1 hour', '0', now())
            """);
        var busy = await StatesAsync();
        Assert.Equal(("ok", "ok"), (busy["workers"].State, busy["queue age"].State));
        Assert.Matches(@"has waited: mail \d+ s\.", busy["queue age"].Message);

        await _database.QueryAsync(
            """
            INSERT INTO queue_rules (queue, is_paused) VALUES ('mail', true);
            INSERT INTO tasks (id, queue, type, payload, fairness_key, priority, status, run_at, retention, created_at) VALUES
                ('t3', 'mail', 'x', '{}', '', 0, 'waiting', now() - interval '20 minutes', '0', now())
            """);
        var late = await StatesAsync();
        Assert.Equal("warning", late["queue age"].State);
        Assert.Contains("mail 20 min (paused)", late["queue age"].Message);
    }

    [Fact]
    public async Task It_adds_up_the_pools_of_all_processes()
    {
        await using var redis = await redisServer.CreateDatabaseAsync();
        await redis.Keys.SortedSetAddAsync(RedisKeys.Replicas, [new("a", Milliseconds(60)), new("b", Milliseconds(60)), new("gone", Milliseconds(-60))]);
        await _database.QueryAsync("INSERT INTO workers (id, host, process_id, slots, queues, lock_key, started_at, last_seen_at) VALUES ('w', 'h', 1, 1, '*', 1, now(), now())");
        var fits = await StatesAsync(redis.ConnectionString);
        Assert.Equal("ok", fits["pools"].State);
        Assert.Contains("Processes of the API: 2, 20 connections each; workers: 1, 20 + 20 + 7 each. Together up to 87 of ", fits["pools"].Message);

        var uncounted = await StatesAsync(pool: 5);
        Assert.Contains("at least 1 (to count them, ConnectionStrings__redis is needed), 5 connections each", uncounted["pools"].Message);
        Assert.Equal("warning", (await StatesAsync(pool: 50_000))["pools"].State);
    }

    [Fact]
    public async Task It_sees_a_Redis_that_throws_keys_away_and_one_that_is_not_there()
    {
        await using (var redis = await RedisTestServer.StartAsync("--maxmemory-policy", "allkeys-lru"))
        {
            var states = await StatesAsync(redis.ConnectionString);
            Assert.Equal(("ok", "ok", "failed"), (states["redis"].State, states["clock of redis"].State, states["eviction policy"].State));
        }

        Assert.Equal("failed", (await StatesAsync($"127.0.0.1:{RunningServer.FreePort()},connectTimeout=500"))["redis"].State);
    }

    [Fact]
    public async Task It_sees_a_clock_that_is_wrong_and_a_transaction_that_stays_open()
    {
        await using var redis = await redisServer.CreateDatabaseAsync();
        await using var held = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_database.Administrator) { ApplicationName = "left open" }.ConnectionString);
        await held.OpenAsync(Token);
        await using var transaction = await held.BeginTransactionAsync(Token);
        await using (var write = new NpgsqlCommand("SELECT pg_current_xact_id()", held, transaction))
            await write.ExecuteNonQueryAsync(Token);

        using var error = new StringWriter();
        var work = Work(error, redis.ConnectionString, new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddSeconds(30)));
        var checks = new[] { await new DatabaseChecks(work) { LongTransaction = TimeSpan.Zero }.RunAsync(Token), await new RedisChecks(work).RunAsync(Token) }
            .SelectMany(all => all).ToDictionary(check => check.Name);
        Assert.All(["clock", "clock of redis", "transactions"], name => Assert.Equal(CheckState.Warning, checks[name].State));
        Assert.Contains("differ by", checks["clock"].Message);
        Assert.Contains("(left open)", checks["transactions"].Message);
    }

    [Fact]
    public async Task It_sees_an_old_server_one_whose_connections_are_used_up_and_a_role_that_may_do_too_much()
    {
        // Roles are of the whole server, where other tests look at those of the platform.
        var role = $"strong_{Guid.CreateVersion7():n}";
        await _database.QueryAsync($"CREATE ROLE {role} BYPASSRLS");
        try
        {
            using var error = new StringWriter();
            var checks = await new DatabaseChecks(Work(error, redis: null, TimeProvider.System)) { OldestServer = 99, MostConnections = 0, Roles = role }.RunAsync(Token);
            var states = checks.ToDictionary(check => check.Name);
            Assert.Equal((CheckState.Failed, CheckState.Warning, CheckState.Failed), (states["postgres"].State, states["connections"].State, states["roles"].State));
            Assert.Contains(role, states["roles"].Message);
        }
        finally
        {
            await _database.QueryAsync($"DROP ROLE {role}");
        }
    }

    [Fact]
    public void It_sees_a_disk_that_fills_up()
    {
        Assert.Equal(CheckState.Ok, DoctorCommand.Disk("/data", 5L << 30).State);
        var full = DoctorCommand.Disk("/data", 1L << 29);
        Assert.Equal((CheckState.Failed, "Only 0.5 GiB are free where /data lies: make room before PostgreSQL has to stop."), (full.State, full.Message));
    }

    [Fact]
    public async Task It_says_that_PostgreSQL_is_not_there()
    {
        var gone = new TestDatabase(new NpgsqlConnectionStringBuilder(_database.Administrator) { Port = RunningServer.FreePort() }.ConnectionString, "gone");
        var run = await new CliInstallation(gone, CliInstallation.KeyRing).RunAsync("doctor", "--json");
        Assert.Equal(1, run.Code);
        Assert.Contains("PostgreSQL cannot be reached", run.Output);
    }

    private Work Work(StringWriter error, string? redis, TimeProvider time) => new(
        new RootCommand().Parse([]), Installation.Find(null, new CliInstallation(_database, CliInstallation.KeyRing, redis: redis).Settings()), error, time);

    private static double Milliseconds(int seconds) => TimeProvider.System.GetUtcNow().AddSeconds(seconds).ToUnixTimeMilliseconds();

    private async Task<Dictionary<string, (string State, string Message)>> StatesAsync(string? redis = null, int? pool = null)
    {
        var run = await new CliInstallation(_database, CliInstallation.KeyRing, redis: redis, pool: pool).RunAsync("doctor", "--json");
        return JsonNode.Parse(run.Output)!.AsArray().ToDictionary(check => (string)check!["name"]!, check => ((string)check!["state"]!, (string)check["message"]!));
    }
}
