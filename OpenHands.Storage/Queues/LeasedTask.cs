namespace OpenHands.Storage.Queues;

/// <summary>A task that a worker leases: it answers for it until it settles it, or is gone.</summary>
/// <param name="Task">The task as its handler gets it.</param>
/// <param name="MaxAttempts">Failed attempts after which it is given up; null for what the worker is set to.</param>
/// <param name="Lost">Leases since the last outcome that ended with the loss of their worker.</param>
/// <param name="TraceParent">The span that enqueued it; null for none.</param>
/// <param name="Waited">How long it was due.</param>
public sealed record LeasedTask(QueuedTask Task, int? MaxAttempts, int Lost, string? TraceParent, TimeSpan Waited);

/// <summary>What a worker says became of a task.</summary>
/// <param name="Id">Id of the task.</param>
/// <param name="LeaseNumber">The lease under which it ran: an older one settles nothing.</param>
/// <param name="Status">Where it goes: any of <see cref="QueuedTaskStatus"/> but leased.</param>
/// <param name="Delay">Time until it may run again; for <see cref="QueuedTaskStatus.Scheduled"/>.</param>
/// <param name="FailedAttempts">Attempts that failed so far.</param>
/// <param name="KeepsLost">True when this was no outcome: losses of workers still count.</param>
/// <param name="Result">What the handler gave back, JSON; null for nothing.</param>
/// <param name="Reason">Why, in words for an operator; null where there is nothing to say.</param>
public sealed record Settlement(
    string Id, long LeaseNumber, string Status, TimeSpan Delay, int FailedAttempts, bool KeepsLost, string? Result, string? Reason);
