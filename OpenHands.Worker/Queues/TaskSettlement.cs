using System.Diagnostics;
using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Records what became of a task, again and again while Redis is away: every step may be repeated.</summary>
internal sealed partial class TaskSettlement(
    TaskQueues queues, DeadLetters deadLetters, IOptions<WorkerOptions> options, TimeProvider time, ILogger<TaskSettlement> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Records the fate of a task.</summary>
    /// <param name="task">The task as it was taken.</param>
    /// <param name="fate">What is to become of it.</param>
    /// <param name="giveUp">Ends the attempts; the task is then rescued like that of a killed worker.</param>
    public async Task SettleAsync(TakenTask task, TaskFate fate, CancellationToken giveUp)
    {
        while (true)
        {
            try
            {
                if (!await TrySettleAsync(task, fate))
                    LogNotOurs(task.Delivery, task.Queue, fate.Word);
                return;
            }
            catch (WrongTypeException wrong)
            {
                LogWrongType(wrong, task.Delivery, task.Queue);
                return;
            }
            catch (Exception failure) when (RedisAbsence.Explains(failure))
            {
                await Task.Delay(Pause, time, giveUp);
            }
        }
    }

    private Task<bool> TrySettleAsync(TakenTask task, TaskFate fate) => fate switch
    {
        TaskFate.Done or TaskFate.Cancelled => queues.FinishAsync(task),
        TaskFate.Snoozed(var delay) => queues.DeferAsync(task, delay),
        TaskFate.Retried(var delay) => queues.DeferAsync(task with { Attempts = task.Attempts + 1 }, delay),
        TaskFate.SetAside(var reason) => SetAsideAsync(task, reason),
        TaskFate.HandedBack => queues.HandBackAsync(task),
        _ => throw new UnreachableException(),
    };

    // PostgreSQL first: between the two steps the value is in both places, never in none.
    private async Task<bool> SetAsideAsync(TakenTask task, string reason) =>
        await deadLetters.TryAddAsync(task, reason)
            ? await queues.FinishAsync(task)
            : await queues.DeferAsync(task with { Reason = reason }, options.Value.DeadLetterRetryDelay);

    [LoggerMessage(LogLevel.Warning, "Task {Delivery} of queue {Queue} was {Fate} here after another worker had rescued it, or Redis had lost it: it may run twice")]
    private partial void LogNotOurs(string delivery, string queue, string fate);

    [LoggerMessage(LogLevel.Error, "The outcome of task {Delivery} cannot be recorded: a key of queue {Queue} holds another type than docs/redis-keys.md says")]
    private partial void LogWrongType(Exception wrong, string delivery, string queue);
}
