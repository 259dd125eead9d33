namespace OpenHands.Storage.Queues;

/// <summary>What PostgreSQL's NOTIFY is used for: rare signals. It takes one lock for the whole database, so no enqueuing ever does it.</summary>
public static class TaskNotice
{
    /// <summary>Says the id of a running task that is called off.</summary>
    public const string CancelChannel = "openhands_task_cancelled";
}
