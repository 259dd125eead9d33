using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Wakes whoever takes or feeds when Redis says that there is something to do. Signals may be lost: everybody also looks by themselves.</summary>
internal sealed class QueueSignals(QueueWindow window, KnownQueues known, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<string, WakeUp> _low = [];

    /// <summary>Set when a queue has something new.</summary>
    public WakeUp Pushed { get; } = new();

    /// <summary>Set when the list of a queue runs low while more tasks wait.</summary>
    public WakeUp Low(string queue)
    {
        lock (_low)
        {
            if (!_low.TryGetValue(queue, out var wakeUp))
                _low.Add(queue, wakeUp = new WakeUp());
            return wakeUp;
        }
    }

    /// <summary>Says within this worker that a queue has something new.</summary>
    public void Wake(string queue)
    {
        known.HasNews(queue);
        Pushed.Set();
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        Pushed.Dispose();
        lock (_low)
        {
            foreach (var wakeUp in _low.Values)
                wakeUp.Dispose();
        }
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // They come again by themselves after Redis was away.
                await window.OnPushedAsync(Wake);
                await window.OnLowAsync(queue => Low(queue).Set());
                return;
            }
            catch (Exception failure) when (RedisAbsence.Explains(failure))
            {
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}

/// <summary>Wakes one who waits, or the next who does; many signals at once are one.</summary>
internal sealed class WakeUp : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    /// <summary>Wakes.</summary>
    public void Set()
    {
        try
        {
            if (_signal.CurrentCount == 0)
                _signal.Release();
        }
        catch (Exception late) when (late is SemaphoreFullException or ObjectDisposedException)
        {
            // Somebody else was faster, or the worker has ended.
        }
    }

    /// <inheritdoc />
    public void Dispose() => _signal.Dispose();

    /// <summary>Waits for a signal, but no longer than that.</summary>
    /// <returns>True when there was one.</returns>
    public Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => _signal.WaitAsync(atMost, cancellationToken);
}
