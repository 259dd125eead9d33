namespace OpenHands.Worker.Queues;

/// <summary>
/// When this worker last lost PostgreSQL. The others have lost it, too, for all it knows: a failover, a cut network and a restart free every
/// lock, so for a while afterwards a free lock says nothing.
/// </summary>
internal sealed class LastOutage(TimeProvider time)
{
    private long _at; // timestamp; 0 for never

    /// <summary>Notes that a session was lost.</summary>
    public void Note() => Volatile.Write(ref _at, time.GetTimestamp());

    /// <summary>True when one was lost within this time.</summary>
    public bool IsWithin(TimeSpan age) => Volatile.Read(ref _at) is var at and not 0 && time.GetElapsedTime(at) < age;
}
