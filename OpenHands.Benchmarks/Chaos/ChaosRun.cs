using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;
using OpenHands.Storage.Postgres;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>Servers, three workers and the API, all processes of their own, and what the API said is enqueued.</summary>
internal sealed class ChaosRun : IAsyncDisposable
{
    private const int Workers = 3;

    private readonly ConcurrentQueue<string> _acknowledged = new();
    private readonly List<ChaosProcess> _workers = [];
    private readonly DirectoryInfo _folder;
    private TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChaosProcess? _api;
    private ChaosProducer? _producer;
    private int _checked;

    private ChaosRun(BenchmarkDatabase database, CrashableServer redis, DirectoryInfo folder, string redisConnection) =>
        (Database, Redis, _folder, RedisConnection) = (database, redis, folder, redisConnection);

    /// <summary>Lease of the workers: short, so that a run is.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(1);

    /// <summary>PostgreSQL.</summary>
    public BenchmarkDatabase Database { get; }

    /// <summary>Redis, which keeps nothing over a restart.</summary>
    public CrashableServer Redis { get; }

    /// <summary>Connection string of Redis.</summary>
    public string RedisConnection { get; }

    /// <summary>The workers.</summary>
    public IReadOnlyList<ChaosProcess> AllWorkers => _workers;

    /// <summary>How many tasks were acknowledged.</summary>
    public int Acknowledged => _acknowledged.Count;

    /// <summary>Starts everything.</summary>
    public static async Task<ChaosRun> StartAsync(CancellationToken cancellationToken)
    {
        var database = await BenchmarkDatabase.StartAsync(cancellationToken);
        await database.ExecuteAsync(EffectHandler.Tables, cancellationToken);
        var folder = Directory.CreateTempSubdirectory("openhands-chaos-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101); // the server may have another account
        var options = new RedisServerOptions
        {
            CacheDirectory = HostDirectories.Find().Cache,
            DataDirectory = Path.Combine(folder.FullName, "redis"),
            Port = BenchmarkDatabase.FreePort(),
            ExtraArguments = ["--save", "", "--appendonly", "no"],
        };
        var redis = new CrashableServer(new RedisServer(options));
        await redis.PrepareAsync(cancellationToken);
        var run = new ChaosRun(database, redis, folder, $"127.0.0.1:{options.Port},connectTimeout=300,syncTimeout=300,asyncTimeout=300");
        for (var i = 0; i < Workers; i++)
            run._workers.Add(run.StartWorker(minutesAhead: 0));
        run.StartApi();
        run._producer = new ChaosProducer(() => run._address.Task, run._acknowledged.Enqueue);
        await run.UntilAsync("the first tasks are done", async () => await run.CountAsync("SELECT count(*) FROM chaos_effects", cancellationToken) > 20, cancellationToken);
        return run;
    }

    /// <summary>Starts a worker in place of one that has ended.</summary>
    public void Replace(ChaosProcess ended, int minutesAhead = 0) => _workers[_workers.IndexOf(ended)] = StartWorker(minutesAhead);

    /// <summary>A worker that is not replaced for now: one that starts takes the processors from those who rescue its tasks.</summary>
    public ChaosProcess? Left { get; set; }

    /// <summary>How long the recovery took, where a fault knows it better than from asking again and again.</summary>
    public TimeSpan? Recovery { get; set; }

    /// <summary>Starts workers in place of all that have ended, but for <see cref="Left"/>.</summary>
    public void ReplaceEnded()
    {
        foreach (var ended in _workers.Where(worker => worker.HasEnded && worker != Left).ToList())
            Replace(ended);
    }

    /// <summary>Kills the API and starts another.</summary>
    public async Task ReplaceApiAsync()
    {
        await _api!.KillAsync(); // started with the run
        await _api.DisposeAsync();
        _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
        StartApi();
    }

    /// <summary>Waits until everything that was acknowledged so far has had its effect, and says whether each had it once.</summary>
    /// <returns>What does not hold; null when all does.</returns>
    public async Task<string?> CheckAsync(CancellationToken cancellationToken)
    {
        string[] keys = [.. _acknowledged.Skip(_checked)];
        try
        {
            await UntilAsync("everything acknowledged is done", async () => await MissingAsync(keys, cancellationToken) == 0, cancellationToken);
        }
        catch (TimeoutException)
        {
            return $"{await MissingAsync(keys, cancellationToken)} of {keys.Length} acknowledged tasks have had no effect";
        }

        _checked += keys.Length;
        var twice = await CountAsync("SELECT count(*) FROM (SELECT key FROM chaos_effects GROUP BY key HAVING count(*) > 1) t", cancellationToken);
        var stale = await CountAsync(
            "SELECT count(*) FROM tasks t JOIN chaos_starts s ON s.task_id = t.id WHERE t.status = 'done' AND s.lease_number > t.lease_number", cancellationToken);
        return twice > 0 ? $"{twice} effects happened twice" : stale > 0 ? $"{stale} tasks were completed under a stale lease" : _producer?.WrongAnswer;
    }

    /// <summary>A number from the database, which may be away: then it is asked again.</summary>
    public async Task<long> CountAsync(string query, CancellationToken cancellationToken, params object[] parameters)
    {
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(Database.Administrator + ";Pooling=false;Timeout=2");
                await connection.OpenAsync(cancellationToken);
                await using var command = new NpgsqlCommand(query, connection);
                foreach (var parameter in parameters)
                    command.Parameters.Add(new NpgsqlParameter { Value = parameter });
                return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
            }
            catch (NpgsqlException away) when (away is not PostgresException || DatabaseAvailability.IsUnavailable(away))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <summary>Waits for a condition.</summary>
    /// <exception cref="TimeoutException">It did not come to hold within 40 s.</exception>
    public async Task UntilAsync(string condition, Func<Task<bool>> holdsAsync, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holdsAsync())
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(40))
                throw new TimeoutException($"Not within 40 s: {condition}.");
            ReplaceEnded();
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_producer is not null)
            await _producer.DisposeAsync();
        await Task.WhenAll(_workers.Append(_api!).Select(async process =>
        {
            if (!process.HasEnded)
                await process.KillAsync();
            await process.DisposeAsync();
        }));
        await Redis.DisposeAsync();
        await Database.DisposeAsync();
        if (_folder.Exists)
            _folder.Delete(recursive: true);
    }

    private Task<long> MissingAsync(string[] keys, CancellationToken cancellationToken) =>
        CountAsync("SELECT count(*) FROM unnest($1::text[]) k(key) WHERE NOT EXISTS (SELECT FROM chaos_effects e WHERE e.key = k.key)", cancellationToken, (object)keys);

    private ChaosProcess StartWorker(int minutesAhead) => ChaosProcess.Start(
        [
            ChaosWorker.Verb, minutesAhead.ToString(CultureInfo.InvariantCulture), .. Configuration(), $"--ConnectionStrings:openhands-system={Database.System}",
            $"--Worker:Lease={Lease}", "--Worker:Concurrency=8", "--Worker:RetryDelay=00:00:00.1", "--Worker:MaxAttempts=100", "--Worker:Queues=chaos",
        ],
        Console.Error.WriteLine);

    private void StartApi()
    {
        var address = _address;
        _api = ChaosProcess.Start(
            [ChaosApi.Verb, .. Configuration(), "--Logging:LogLevel:Microsoft=None"], // what it cannot do it answers
            line =>
            {
                if (line.StartsWith(ChaosApi.Listens, StringComparison.Ordinal))
                    address.TrySetResult(new Uri(line[ChaosApi.Listens.Length..]));
                else
                    Console.Error.WriteLine(line);
            });
    }

    private string[] Configuration() =>
    [
        "--urls=http://127.0.0.1:0", "--environment=Production", "--Logging:LogLevel:Default=Error",
        $"--ConnectionStrings:openhands={Database.App}", $"--ConnectionStrings:redis={RedisConnection}", $"--ConnectionStrings:secrets={new string('k', 43)}",
    ];
}
