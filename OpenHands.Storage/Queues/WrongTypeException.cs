namespace OpenHands.Storage.Queues;

/// <summary>A key of a queue holds a value of a type that is not ours; nothing was changed.</summary>
public sealed class WrongTypeException : Exception
{
    /// <summary>Names the queue.</summary>
    public WrongTypeException(string queue, Exception cause)
        : base($"A key of queue {queue} holds another type than docs/redis-keys.md says; it was left alone.", cause) => Queue = queue;

    /// <summary>Name of the queue.</summary>
    public string Queue { get; }
}
