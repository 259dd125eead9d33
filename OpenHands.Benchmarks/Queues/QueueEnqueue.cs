using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage.Postgres;

namespace OpenHands.Benchmarks.Queues;

/// <summary>
/// Enqueues per second beside inserts per second of a plain row, where a commit takes 2 ms: the disk of PostgreSQL is memory, and
/// <c>commit_delay</c> holds every flush of the log up for 2 ms, which all that commit meanwhile share, as they do on a disk.
/// </summary>
internal static class QueueEnqueue
{
    private const int Turns = 5;
    private const int Loops = 64;
    private const int Inserts = 6_400;

    /// <summary>Runs the benchmark, 64 at a time over 20 connections.</summary>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        await using var redis = await BenchmarkRedis.StartAsync(cancellationToken);
        await using var postgres = await BenchmarkDatabase.StartAsync(cancellationToken, Durability.Memory);
        await postgres.ExecuteAsync(
            $"""
            CREATE TABLE plain (id text PRIMARY KEY, payload json NOT NULL);
            GRANT INSERT ON plain TO openhands_app;
            INSERT INTO users (id, created_at, updated_at) VALUES ('{OurQueue.User}', now(), now());
            """, cancellationToken);
        await postgres.ExecuteAsync("ALTER SYSTEM SET commit_delay = 2000", cancellationToken);
        await postgres.ExecuteAsync("ALTER SYSTEM SET commit_siblings = 0", cancellationToken);
        await postgres.ExecuteAsync("SELECT pg_reload_conf()", cancellationToken);
        await using var queue = new OurQueue(new QueueSettings(null, null, postgres.App, postgres.System, redis.ConnectionString, null, null));
        await using var source = NpgsqlDataSource.Create(DatabaseConnection.WithBounds(postgres.App + ";Timeout=30;Command Timeout=30"));

        (string Name, Func<Task> OperateAsync, List<double> Rates)[] all =
        [
            ("plain INSERT", () => InsertAsync(source, cancellationToken), []),
            ("EnqueueAsync", () => queue.AddAsync(0, cancellationToken), []),
            ("a tenant's transaction with a plain INSERT", () => queue.InTransactionAsync(
                (db, _) => db.Database.ExecuteSqlAsync($"INSERT INTO plain VALUES ({Id()}, '0')", cancellationToken), cancellationToken), []),
            ("a tenant's transaction with EnqueueAsync", () => queue.CommitAsync(0, cancellationToken), []),
        ];
        var load = MachineLoad.Now();
        for (var turn = 0; turn <= Turns; turn++)
        {
            foreach (var (_, operateAsync, rates) in all)
            {
                var started = TimeProvider.System.GetTimestamp();
                await Task.WhenAll(Enumerable.Range(0, Loops).Select(_ => Task.Run(
                    async () =>
                    {
                        for (var insert = 0; insert < Inserts / Loops; insert++)
                            await operateAsync();
                    }, cancellationToken)));
                if (turn > 0) // the first warms up
                    rates.Add(Inserts / TimeProvider.System.GetElapsedTime(started).TotalSeconds);
            }
        }

        var table = new StringBuilder().Append(CultureInfo.InvariantCulture, $"Per second where a commit takes 2 ms, {Loops} at a time over 20 connections: median (range of {Turns})\n");
        foreach (var (name, _, rates) in all)
            table.Append(CultureInfo.InvariantCulture, $"{name,-50}{Spread.Of(rates).ToString("F0")}\n");
        return $"{table}EnqueueAsync : plain INSERT: {Percent(1, 0)}, within a transaction: {Percent(3, 2)}\n"
            + $"Load of the machine: {load} at the beginning, {MachineLoad.Now()} at the end\n";

        string Percent(int ours, int other) => (Spread.Of(all[ours].Rates).Median / Spread.Of(all[other].Rates).Median).ToString("P0", CultureInfo.InvariantCulture);
    }

    private static async Task InsertAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var insert = source.CreateCommand("INSERT INTO plain VALUES ($1, $2::json)");
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Id() });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = "0" });
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Id() => Guid.CreateVersion7().ToString("N");
}
