using System.Diagnostics;
using System.Globalization;
using Npgsql;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage.Audit;

namespace OpenHands.Benchmarks.Audit;

/// <summary>
/// What auditing costs the readers of secrets: many at a time read a cached secret, once through the store, which audits and is
/// sealed meanwhile, once through the same steps without audit. A turn ends when everything that it read is sealed. First with
/// all on the same processors; then the readers have one of their own, as a replica of the API has, and the servers and the sealer another.
/// </summary>
internal static class AuditedReads
{
    /// <summary>Runs the benchmark on throw-away servers.</summary>
    /// <exception cref="InvalidOperationException">This machine has but one processor.</exception>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        if (Environment.ProcessorCount < 2)
            throw new InvalidOperationException("The readers need a processor of their own, and this machine has but one.");
        var together = await RunAsync("all on the same processors", null, cancellationToken);
        // Before the servers start: they inherit it.
        using (var confine = Process.Start("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]))
            await confine.WaitForExitAsync(cancellationToken);
        return $"{together}\n{await RunAsync("the readers on a processor of their own", 0, cancellationToken)}";
    }

    private static async Task<string> RunAsync(string where, int? processor, CancellationToken cancellationToken)
    {
        await using var database = await BenchmarkDatabase.StartAsync(cancellationToken);
        await using var redis = await BenchmarkRedis.StartAsync(cancellationToken);
        await database.ExecuteAsync("ALTER SYSTEM SET min_wal_size = '1GB'", cancellationToken);
        await database.ExecuteAsync("SELECT pg_reload_conf()", cancellationToken);
        await database.ExecuteAsync("INSERT INTO users (id, created_at, updated_at) VALUES ('u1', now(), now())", cancellationToken);
        await using var readers = await SecretReaders.StartAsync(database, redis, processor);

        return await new Contest($"Reading a secret that is kept in Redis, {SecretReaders.Readers} readers at a time, {where}", redis, database)
            .Add(Of("audited and sealed", async token =>
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
                var sealing = SealAsync(database.System, stop.Token);
                await readers.ReadAllAsync("audited", token);
                await stop.CancelAsync();
                await sealing;
            }))
            .Add(Of("without audit", token => readers.ReadAllAsync("plain", token)))
            .RunAsync(cancellationToken);

        Contestant Of(string name, Func<CancellationToken, Task> runAsync) => new(name, SecretReaders.ReadsOfTurn, runAsync)
        {
            Cpu = () => readers.Cpu() + Environment.CpuUsage.TotalTime, // the sealer is here
            // As on a server that runs for long: it writes its log over an older one, and need not make the files first.
            PrepareAsync = token => database.ExecuteAsync("CHECKPOINT", token),
        };
    }

    private static async Task SealAsync(string system, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(system + ";Timeout=60;Command Timeout=60");
        await connection.OpenAsync(CancellationToken.None);
        var sealer = new AuditSealer(SecretReaders.Ring, TimeProvider.System);
        bool isLast;
        do
        {
            isLast = stop.IsCancellationRequested;
            await sealer.SealAsync(connection, CancellationToken.None);
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!isLast);
    }
}
