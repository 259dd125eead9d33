using Cronos;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>A task that is enqueued again and again.</summary>
/// <param name="Name">Its name: one each over all workers.</param>
/// <param name="Cron">When, as five fields of cron, in UTC.</param>
/// <param name="Task">What.</param>
internal sealed record RecurringTask(string Name, string Cron, NewTask Task)
{
    /// <summary>True when it is due once as soon as a worker first knows of it, before the first time that the cron expression names.</summary>
    public bool IsDueAtFirst { get; init; }

    /// <summary>The first time after another.</summary>
    public DateTimeOffset Next(DateTimeOffset after) =>
        CronExpression.Parse(Cron).GetNextOccurrence(after.UtcDateTime) ?? DateTimeOffset.MaxValue;
}
