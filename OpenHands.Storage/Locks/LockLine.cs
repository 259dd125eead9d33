using System.Threading.Channels;
using StackExchange.Redis;

namespace OpenHands.Storage.Locks;

/// <summary>
/// Those of this process who wait for one lock, in the order in which they came. Only the first asks Redis, so a release wakes one
/// of each process and not all.
/// </summary>
internal sealed class LockLine(RedisKey key) : IDisposable
{
    private readonly Channel<bool> _releases = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private ISubscriber? _subscriber;

    /// <summary>Held by the first.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    /// <summary>How many there are. Guarded by <see cref="LockLines"/>.</summary>
    public int Length { get; set; }

    public RedisKey Key => key;

    /// <summary>Whether the one before the first has the lock: its release is heard, and asking earlier is no use.</summary>
    public bool IsTaken { get; set; }

    private RedisChannel Releases => RedisChannel.Literal(key.ToString());

    /// <summary>Hears of releases from now on, if Redis answers; without it, the first in line asks now and then.</summary>
    public async Task ListenAsync(IConnectionMultiplexer redis, CancellationToken cancellationToken)
    {
        if (_subscriber is not null)
            return;
        try
        {
            _subscriber = redis.GetSubscriber();
            await _subscriber.SubscribeAsync(Releases, Heard).WaitAsync(cancellationToken);
        }
        catch (Exception failure) when (RedisLocks.IsFailure(failure))
        {
            // The client subscribes by itself when it has a connection again.
        }
    }

    /// <summary>Returns when the lock was released, or after the time.</summary>
    public async Task WaitForReleaseAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await _releases.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nobody told anything: foreign clients do not, and a message can be lost.
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _subscriber?.Unsubscribe(Releases, Heard, CommandFlags.FireAndForget);
        Turn.Dispose();
    }

    private void Heard(RedisChannel channel, RedisValue message) => _releases.Writer.TryWrite(true);
}

/// <summary>The lines of this process.</summary>
internal sealed class LockLines
{
    private readonly Dictionary<RedisKey, LockLine> _lines = [];

    /// <summary>Whether somebody waits.</summary>
    public bool Any(RedisKey key)
    {
        lock (_lines)
            return _lines.ContainsKey(key);
    }

    public LockLine Enter(RedisKey key)
    {
        lock (_lines)
        {
            if (!_lines.TryGetValue(key, out var line))
                _lines[key] = line = new LockLine(key);
            line.Length++;
            return line;
        }
    }

    public void Leave(LockLine line)
    {
        lock (_lines)
        {
            if (--line.Length > 0)
                return;
            _lines.Remove(line.Key);
        }

        line.Dispose();
    }
}
