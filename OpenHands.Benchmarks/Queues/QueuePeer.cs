namespace OpenHands.Benchmarks.Queues;

/// <summary>A queue that is measured.</summary>
/// <param name="Title">What it is.</param>
/// <param name="Name">What its client knows it by.</param>
/// <param name="UsesPostgres">True when it keeps tasks in PostgreSQL.</param>
/// <param name="UsesRedis">True when it uses Redis.</param>
/// <param name="IsOfNode">True when its client runs in node.</param>
internal sealed record QueuePeer(string Title, string Name, bool UsesPostgres, bool UsesRedis, bool IsOfNode)
{
    /// <summary>The queue of this platform.</summary>
    public static readonly QueuePeer Ours = new("OpenHands", "openhands", UsesPostgres: true, UsesRedis: true, IsOfNode: false);

    /// <summary>pg-boss as it is meant: fetched and completed one by one.</summary>
    public static readonly QueuePeer PgBoss = new("pg-boss 12.38 (npm)", "pg-boss", UsesPostgres: true, UsesRedis: false, IsOfNode: true);

    /// <summary>pg-boss that fetches 16 at a time and completes each by itself.</summary>
    public static readonly QueuePeer PgBossBatch = new("pg-boss, 16 a fetch", "pg-boss-batch", UsesPostgres: true, UsesRedis: false, IsOfNode: true);

    /// <summary>graphile-worker with its defaults.</summary>
    public static readonly QueuePeer Graphile = new("graphile-worker 0.18 (npm)", "graphile-worker", UsesPostgres: true, UsesRedis: false, IsOfNode: true);

    /// <summary>graphile-worker with local queue and batched completion.</summary>
    public static readonly QueuePeer GraphileBatch = new("graphile-worker, batches", "graphile-worker-batch", UsesPostgres: true, UsesRedis: false, IsOfNode: true);

    /// <summary>Hangfire in PostgreSQL.</summary>
    public static readonly QueuePeer HangfirePostgres = new("Hangfire 1.8, PostgreSQL", "hangfire-postgres", UsesPostgres: true, UsesRedis: false, IsOfNode: false);

    /// <summary>Hangfire in Redis.</summary>
    public static readonly QueuePeer HangfireRedis = new("Hangfire 1.8, Redis", "hangfire-redis", UsesPostgres: false, UsesRedis: true, IsOfNode: false);

    /// <summary>BullMQ.</summary>
    public static readonly QueuePeer BullMq = new("BullMQ 6.7 (npm), Redis", "bullmq", UsesPostgres: false, UsesRedis: true, IsOfNode: true);
}
