using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Looks for workers that are gone, and has their tasks rescued. It does nothing else, so that nothing delays it.</summary>
internal sealed class Sweeper(
    WorkerRegistry registry, RescueTasks rescue, WorkerSession session, LastOutage outage, IOptions<WorkerOptions> options, TimeProvider time) : IElectedDuty
{
    /// <summary>How long a worker's lock must be free until it counts as gone: a live one takes it again sooner.</summary>
    public static readonly TimeSpan FreeFor = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(1);

    /// <inheritdoc />
    public string Kind => "sweep";

    /// <inheritdoc />
    public IReadOnlyCollection<string> Names { get; } = ["all"];

    /// <inheritdoc />
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await registry.LookAsync(options.Value.Lease, cancellationToken);
        await rescue.OfAsync([], cancellationToken);
    }

    /// <inheritdoc />
    public async Task DoAsync(string name, CancellationToken term)
    {
        var unlocked = new Dictionary<string, long>();
        var lookedAt = time.GetTimestamp();
        while (true)
        {
            // A look that came late saw nothing of what happened meanwhile.
            if (time.GetElapsedTime(lookedAt) > FreeFor)
                unlocked.Clear();
            lookedAt = time.GetTimestamp();
            await LookAsync(unlocked, term);
            await Task.Delay(UntilNext(unlocked), time, term);
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
        var freedomCounts = !outage.IsWithin(options.Value.Lease);
        var gone = seen.Where(worker => (worker.IsSilent && silenceCounts)
            || (freedomCounts && unlocked.TryGetValue(worker.Id, out var since) && time.GetElapsedTime(since, now) >= FreeFor)).Select(worker => worker.Id).ToList();
        if (gone.Count > 0)
            await rescue.OfAsync(gone, term);
    }

    // When the first of them will have been without its lock for long enough.
    private TimeSpan UntilNext(Dictionary<string, long> unlocked)
    {
        var next = Interval;
        foreach (var since in unlocked.Values)
        {
            var left = FreeFor - time.GetElapsedTime(since);
            if (left > TimeSpan.Zero && left < next)
                next = left + ShortestInterval;
        }

        return next;
    }
}
