using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Does nothing: shows that a queue is drained.</summary>
internal sealed class NoopHandler : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "noop";

    public Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken) =>
        Task.FromResult<TaskOutcome>(new TaskOutcome.Done());
}
