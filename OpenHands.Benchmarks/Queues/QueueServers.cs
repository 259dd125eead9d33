using System.Text.Json;
using Npgsql;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Queues;

/// <summary>Servers of one queue alone, so that their processor time is its own: PostgreSQL with its defaults, durable; Redis without a disk.</summary>
internal sealed class QueueServers : IAsyncDisposable
{
    private QueueServers(BenchmarkDatabase? postgres, BenchmarkRedis? redis) => (Postgres, Redis) = (postgres, redis);

    /// <summary>Its PostgreSQL; null for none.</summary>
    public BenchmarkDatabase? Postgres { get; }

    /// <summary>Its Redis; null for none.</summary>
    public BenchmarkRedis? Redis { get; }

    /// <summary>Starts them.</summary>
    public static async Task<QueueServers> StartAsync(QueuePeer peer, CancellationToken cancellationToken)
    {
        var postgres = peer.UsesPostgres ? await BenchmarkDatabase.StartAsync(cancellationToken, Durability.Disk) : null;
        var redis = peer.UsesRedis ? await BenchmarkRedis.StartAsync(cancellationToken) : null;
        if (postgres is not null && peer == QueuePeer.Ours)
            await postgres.ExecuteAsync($"INSERT INTO users (id, created_at, updated_at) VALUES ('{OurQueue.User}', now(), now())", cancellationToken);
        return new QueueServers(postgres, redis);
    }

    /// <summary>Processor time of PostgreSQL until now.</summary>
    public TimeSpan PostgresCpu() => Postgres?.Cpu() ?? TimeSpan.Zero;

    /// <summary>Processor time of Redis until now.</summary>
    public async Task<TimeSpan> RedisCpuAsync() => Redis is null ? TimeSpan.Zero : await Redis.CpuAsync();

    /// <summary>What a client is told of them.</summary>
    public string Settings()
    {
        var administrator = Postgres is null ? null : new NpgsqlConnectionStringBuilder(Postgres.Administrator);
        return JsonSerializer.Serialize(new QueueSettings(
            administrator is null ? null : $"postgres://{administrator.Username}:{administrator.Password}@127.0.0.1:{administrator.Port}/{administrator.Database}",
            Postgres?.Administrator, Postgres?.App, Postgres?.System, Redis?.ConnectionString, Redis?.Port, Redis?.Password));
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Postgres is not null)
            await Postgres.DisposeAsync();
        if (Redis is not null)
            await Redis.DisposeAsync();
    }
}
