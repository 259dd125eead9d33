using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>
/// Does the tasks of one type. A handler runs at least once for each of them, so it is safe to run twice; it gets a scope of
/// its own and obeys its token, which is cancelled at the time limit and when the worker stops.
/// </summary>
internal interface ITaskHandler
{
    /// <summary>Does the task.</summary>
    Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken);
}
