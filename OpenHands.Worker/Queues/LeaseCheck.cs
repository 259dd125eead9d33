using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Compares what runs here with the leases that PostgreSQL knows of, after anything that may have changed one without the other.</summary>
internal sealed partial class LeaseCheck(TaskLeases leases, RunningTasks running, ILogger<LeaseCheck> logger) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>Waits until nobody else leases or compares; dispose to let the next one in.</summary>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        return new Exit(_gate);
    }

    /// <summary>Stops what lost its lease, and hands back leases that nothing runs under: the answer that gave them was lost.</summary>
    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        using var alone = await EnterAsync(cancellationToken);
        var before = running.All;
        var held = await leases.HeldAsync(cancellationToken);
        foreach (var task in before.Where(task => !held.TryGetValue(task.Id, out var number) || number != task.LeaseNumber))
            task.Stop(StopCause.LeaseLost);

        // A task that ended meanwhile is among those from before; its lease is settled.
        var unknown = held.Where(lease => before.All(task => task.Id != lease.Key || task.LeaseNumber != lease.Value)).ToList();
        if (unknown.Count == 0)
            return;
        var handedBack = await leases.HandBackAsync([.. unknown.Select(lease => lease.Key)], [.. unknown.Select(lease => lease.Value)], cancellationToken);
        LogHandedBack(handedBack);
    }

    /// <inheritdoc />
    public void Dispose() => _gate.Dispose();

    private sealed class Exit(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }

    [LoggerMessage(LogLevel.Information, "Handed back {Count} tasks whose lease this worker had without knowing")]
    private partial void LogHandedBack(int count);
}
