using Microsoft.Extensions.Options;
using Npgsql;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Rescues the tasks of workers that are gone, ends what is left of their sessions, deletes what is kept long enough, and measures the queues.</summary>
internal sealed partial class Sweeper(
    WorkerRegistry registry,
    QueueDatabase database,
    QueueWindow window,
    QueueUpkeep upkeep,
    WorkerSession session,
    WorkerMetrics metrics,
    QueueSignals signals,
    IOptions<WorkerOptions> options,
    TimeProvider time,
    ILogger<Sweeper> logger) : IElectedDuty
{
    /// <summary>How long a worker's lock must be free until it counts as gone: a live one takes it again sooner.</summary>
    public static readonly TimeSpan FreeFor = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan UpkeepInterval = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public string Kind => "sweep";

    /// <inheritdoc />
    public IReadOnlyCollection<string> Names { get; } = ["all"];

    /// <inheritdoc />
    public async Task DoAsync(string name, CancellationToken term)
    {
        var unlocked = new Dictionary<string, long>();
        var (lookedAt, upkeptAt) = (time.GetTimestamp(), 0L);
        while (true)
        {
            // A look that came late saw nothing of what happened meanwhile.
            if (time.GetElapsedTime(lookedAt) > FreeFor)
                unlocked.Clear();
            lookedAt = time.GetTimestamp();
            await LookAsync(unlocked, term);
            if (upkeptAt == 0 || time.GetElapsedTime(upkeptAt) > UpkeepInterval)
            {
                upkeptAt = time.GetTimestamp();
                await KeepUpAsync(term);
            }

            await Task.Delay(Interval, time, term);
        }
    }

    private async Task LookAsync(Dictionary<string, long> unlocked, CancellationToken term)
    {
        var seen = await registry.LookAsync(options.Value.Lease, term);
        var now = time.GetTimestamp();
        foreach (var id in unlocked.Keys.Except(seen.Where(worker => worker.IsUnlocked).Select(worker => worker.Id)).ToList())
            unlocked.Remove(id);
        foreach (var worker in seen.Where(worker => worker.IsUnlocked))
            unlocked.TryAdd(worker.Id, now);

        var silenceCounts = session.ReachedPostgresForALease;
        var gone = seen.Where(worker => (worker.IsSilent && silenceCounts)
            || (unlocked.TryGetValue(worker.Id, out var since) && time.GetElapsedTime(since, now) >= FreeFor)).Select(worker => worker.Id).ToList();
        if (gone.Count > 0)
            await RescueAsync(gone, term);
    }

    private async Task RescueAsync(IReadOnlyList<string> gone, CancellationToken term)
    {
        var rescued = await registry.RescueAsync(gone, options.Value.MaxLosses, term);
        foreach (var queue in rescued.GroupBy(task => task.Queue))
        {
            string[] due = [.. queue.Where(task => !task.IsDead).Select(task => task.Id)];
            metrics.Rescue(queue.Key, due.Length);
            LogRescued(due.Length, queue.Key, string.Join(", ", gone));
            foreach (var dead in queue.Where(task => task.IsDead))
                LogPoison(dead.Id, queue.Key);
            signals.Wake(queue.Key);
            await window.PushAsync(queue.Key, due);
        }

        await EndSessionsAsync(gone, term);
    }

    // The session of a lost host lives, and holds what it was elected for, until TCP gives it up.
    private async Task EndSessionsAsync(IReadOnlyList<string> gone, CancellationToken term)
    {
        await using var direct = new NpgsqlConnection(database.Direct("openhands sweeper"));
        await direct.OpenAsync(term);
        await using var end = new NpgsqlCommand(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY ($1) AND usename = current_user", direct);
        end.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. gone.Select(WorkerIdentity.SessionNameOf)] });
        await end.ExecuteNonQueryAsync(term);
    }

    private async Task KeepUpAsync(CancellationToken term)
    {
        await upkeep.DeleteExpiredAsync(term);
        metrics.Measure(await upkeep.DepthsAsync(term));
        if (await registry.StrayAsync(term) is { Count: > 0 } stray)
            await RescueAsync(stray, term);
    }

    [LoggerMessage(LogLevel.Warning, "Rescued {Count} tasks of queue {Queue}: their worker went away ({Workers})")]
    private partial void LogRescued(int count, string queue, string workers);

    [LoggerMessage(LogLevel.Error, "Task {Id} of queue {Queue} is a dead letter: its workers went away too often while it ran")]
    private partial void LogPoison(string id, string queue);
}
