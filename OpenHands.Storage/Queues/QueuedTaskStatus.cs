namespace OpenHands.Storage.Queues;

/// <summary>What can be the case with a task: the states of docs/queues.md, as they stand in the column <c>status</c>.</summary>
public static class QueuedTaskStatus
{
    /// <summary>Its time has not come: it was delayed, snoozed or failed.</summary>
    public const string Scheduled = "scheduled";

    /// <summary>It is due.</summary>
    public const string Waiting = "waiting";

    /// <summary>A worker has it.</summary>
    public const string Leased = "leased";

    /// <summary>Its handler did it.</summary>
    public const string Done = "done";

    /// <summary>It was called off.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Given up, with a reason: a dead letter.</summary>
    public const string Dead = "dead";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Scheduled, Waiting, Leased, Done, Cancelled, Dead];
}
