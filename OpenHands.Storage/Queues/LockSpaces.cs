namespace OpenHands.Storage.Queues;

/// <summary>First halves of the advisory locks of the queues, so that they meet no others.</summary>
public static class LockSpaces
{
    /// <summary>Held by every worker for as long as its session lasts; the second half stands in its row.</summary>
    public const int Workers = 0x4f480001;

    /// <summary>Held by whoever is elected; the second half is the hash of what for.</summary>
    public const int Elections = 0x4f480002;

    /// <summary>Taken while tasks of a queue with limits are leased; the second half is the hash of its name.</summary>
    public const int Limits = 0x4f480003;
}
