namespace OpenHands.Storage.Queues;

/// <summary>How a queue is doing.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Waiting">Tasks that are due: its depth.</param>
/// <param name="Running">Tasks that workers have.</param>
/// <param name="Scheduled">Tasks whose time has not come.</param>
/// <param name="Retrying">Those of them that failed before.</param>
/// <param name="Dead">Tasks that were given up.</param>
/// <param name="Done">Tasks that are done and still kept.</param>
/// <param name="OldestAgeSeconds">How long the oldest that is due has been due; null when none is.</param>
/// <param name="FinishedLastMinute">Tasks that ended within a minute, of those that are kept.</param>
/// <param name="FinishedLastHour">The same within an hour.</param>
public sealed record QueueOverview(
    string Queue, long Waiting, long Running, long Scheduled, long Retrying, long Dead, long Done, double? OldestAgeSeconds, long FinishedLastMinute, long FinishedLastHour);

/// <summary>A task in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Name of its queue.</param>
/// <param name="Type">Which handler it is for.</param>
/// <param name="Status">One of <see cref="QueuedTaskStatus"/>.</param>
/// <param name="OrganizationId">The organization it works for; null for none.</param>
/// <param name="UserId">The user as whom it works; null for the platform itself.</param>
/// <param name="Attempt">Attempts that failed so far.</param>
/// <param name="LeaseNumber">Leases so far: the fencing token.</param>
/// <param name="Priority">Its priority.</param>
/// <param name="Reason">Why it was given up, cancelled or is tried again; null where there is nothing to say.</param>
/// <param name="CreatedAt">When it was enqueued.</param>
/// <param name="RunAt">When it was or will be due.</param>
/// <param name="LeasedAt">When a worker last began it; null for never.</param>
/// <param name="FinishedAt">When it ended; null while it has not.</param>
public sealed record TaskSummary(
    string Id, string Queue, string Type, string Status, string? OrganizationId, string? UserId, int Attempt, long LeaseNumber, short Priority, string? Reason,
    DateTimeOffset CreatedAt, DateTimeOffset RunAt, DateTimeOffset? LeasedAt, DateTimeOffset? FinishedAt);

/// <summary>Everything about a task.</summary>
public sealed class TaskDetail
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Name of its queue.</summary>
    public required string Queue { get; init; }

    /// <summary>Which handler it is for.</summary>
    public required string Type { get; init; }

    /// <summary>One of <see cref="QueuedTaskStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>The organization it works for; null for none.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>The user as whom it works; null for the platform itself.</summary>
    public string? UserId { get; init; }

    /// <summary>Among whom its queue is shared.</summary>
    public required string FairnessKey { get; init; }

    /// <summary>Attempts that failed so far.</summary>
    public int Attempt { get; init; }

    /// <summary>Failed attempts after which it is given up; null for what the worker is set to.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>Leases since the last outcome that ended with the loss of their worker.</summary>
    public int Lost { get; init; }

    /// <summary>Leases so far: the fencing token.</summary>
    public long LeaseNumber { get; init; }

    /// <summary>Its priority.</summary>
    public short Priority { get; init; }

    /// <summary>The worker that has it; null for none.</summary>
    public string? WorkerId { get; init; }

    /// <summary>True when somebody called it off.</summary>
    public bool CancelRequested { get; init; }

    /// <summary>Its idempotency key; null for none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The producer's own name of a value pushed into Redis.</summary>
    public string? ProducerId { get; init; }

    /// <summary>Why it was given up, cancelled or is tried again.</summary>
    public string? Reason { get; init; }

    /// <summary>The span that enqueued it, after W3C Trace Context.</summary>
    public string? TraceParent { get; init; }

    /// <summary>What its handler gets, JSON.</summary>
    public required string Payload { get; init; }

    /// <summary>How far it is, JSON; null when its handler did not say.</summary>
    public string? Progress { get; init; }

    /// <summary>What its handler gave back, JSON; null for nothing.</summary>
    public string? Result { get; init; }

    /// <summary>When it was enqueued.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was or will be due.</summary>
    public DateTimeOffset RunAt { get; init; }

    /// <summary>When a worker last began it.</summary>
    public DateTimeOffset? LeasedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When it is deleted.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}
