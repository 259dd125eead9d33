using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Adopts what others pushed, and says in the log what cannot be handled.</summary>
internal sealed partial class Adopter(TaskAdoption adoption, TaskHandlers handlers, QueueCounts counts, ILogger<Adopter> logger)
{
    /// <summary>Adopts the values.</summary>
    /// <returns>Ids of those that are tasks now. What PostgreSQL did not take stays in Redis and is adopted later.</returns>
    public async Task<IReadOnlyList<string>> AdoptAsync(string queue, IReadOnlyList<ForeignValue> values, CancellationToken cancellationToken)
    {
        var adopted = await adoption.AdoptAsync(queue, values, handlers.Knows, cancellationToken);
        foreach (var (id, reason) in adopted.DeadLetters)
        {
            LogDeadLetter(id, queue, reason);
            counts.Add(queue, new TaskFate.GivenUp(reason, CountsAttempt: false));
        }

        return adopted.Tasks;
    }

    [LoggerMessage(LogLevel.Warning, "Value {Id} pushed to queue {Queue} is a dead letter: {Reason}")]
    private partial void LogDeadLetter(string id, string queue, string reason);
}
