namespace OpenHands.Worker.Queues;

/// <summary>Whether Redis is away, as all see it who take tasks in this worker: told in the log once when it goes and once when it is back.</summary>
internal sealed partial class RedisOutage(TimeProvider time, ILogger<RedisOutage> logger)
{
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private bool _isAway;
    private long _leftAt;

    /// <summary>True for a moment after it was found away: it is not to be asked again yet.</summary>
    public bool IsResting
    {
        get
        {
            lock (_lock)
                return _isAway && time.GetElapsedTime(_leftAt) < Rest;
        }
    }

    /// <summary>It did not answer.</summary>
    public void Found(Exception failure)
    {
        lock (_lock)
        {
            _leftAt = time.GetTimestamp();
            if (_isAway)
                return;
            _isAway = true;
        }

        LogAway(failure.GetType().Name);
    }

    /// <summary>It answered.</summary>
    public void Ended()
    {
        lock (_lock)
        {
            if (!_isAway)
                return;
            _isAway = false;
        }

        LogBack();
    }

    [LoggerMessage(LogLevel.Warning, "Redis cannot be used ({Failure}); tasks are taken from PostgreSQL alone until it is back")]
    private partial void LogAway(string failure);

    [LoggerMessage(LogLevel.Information, "Redis is back; tasks are taken through it again")]
    private partial void LogBack();
}
