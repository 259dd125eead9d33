using System.Collections.Concurrent;

namespace OpenHands.Storage.Locks;

/// <summary>
/// Looks after all locks of this process on a thread of its own: a busy thread pool, where timers run, must not delay the news
/// that a lock is lost.
/// </summary>
internal sealed class LockWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<HeldLock, byte> _held = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<Thread> _thread;
    private int _idle;

    public LockWatch() => _thread = new(Start);

    public void Add(HeldLock held)
    {
        _held.TryAdd(held, 0);
        _ = _thread.Value;
        if (Interlocked.CompareExchange(ref _idle, 0, 1) == 1)
            _work.Release();
    }

    public void Remove(HeldLock held) => _held.TryRemove(held, out _);

    public void Dispose()
    {
        _stop.Cancel();
        if (_thread.IsValueCreated)
            _thread.Value.Join();
        _stop.Dispose();
        _work.Dispose();
    }

    private Thread Start()
    {
        var thread = new Thread(Watch) { IsBackground = true, Name = "lock watch", Priority = ThreadPriority.AboveNormal };
        thread.Start();
        return thread;
    }

    private void Watch()
    {
        try
        {
            while (true)
            {
                foreach (var (held, _) in _held)
                    held.Look();
                if (!_held.IsEmpty)
                {
                    _work.Wait(Interval, _stop.Token);
                    continue;
                }

                // Says that it sleeps, and only then looks once more: who comes after that wakes it.
                Interlocked.Exchange(ref _idle, 1);
                if (_held.IsEmpty)
                    _work.Wait(_stop.Token);
                Interlocked.Exchange(ref _idle, 0);
            }
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
    }
}
