namespace OpenHands.Worker.Queues;

/// <summary>
/// How often to do work whose cost nobody knows beforehand: at an interval while it is cheap, and otherwise so rarely that it takes a
/// twentieth of the time. Looking for rows of one state gets dear while a transaction somewhere stays open: until then PostgreSQL keeps
/// every row that left the state, and has to pass over it.
/// </summary>
internal sealed class Pace(TimeSpan interval, TimeProvider time)
{
    private const int Share = 20;

    private long? _endedAt;

    /// <summary>How long the last work took.</summary>
    public TimeSpan Cost { get; private set; }

    /// <summary>Time from the end of work until it is to be done again.</summary>
    public TimeSpan Rest => Cost * Share > interval ? Cost * Share : interval;

    /// <summary>True when it is to be done again.</summary>
    public bool IsDue => _endedAt is not { } at || time.GetElapsedTime(at) >= Rest;

    /// <summary>Measures work until it is disposed.</summary>
    public IDisposable Work() => new Measured(this, time.GetTimestamp());

    private void End(long started) => (Cost, _endedAt) = (time.GetElapsedTime(started), time.GetTimestamp());

    private sealed class Measured(Pace pace, long started) : IDisposable
    {
        public void Dispose() => pace.End(started);
    }
}
