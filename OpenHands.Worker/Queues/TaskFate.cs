using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>What becomes of a leased task: an arrow of docs/queues.md.</summary>
/// <param name="Word">The arrow's name, as metrics and log say it.</param>
internal abstract record TaskFate(string Word)
{
    /// <summary>True when the task did not do what it was for.</summary>
    public bool IsFailure => this is Retried or GivenUp;

    /// <summary>The fate as it is recorded.</summary>
    /// <param name="leased">The task.</param>
    /// <param name="failedBefore">Attempts that had failed before this one.</param>
    public Settlement Settle(LeasedTask leased, int failedBefore)
    {
        var (task, failed) = (leased.Task, this is Retried or GivenUp { CountsAttempt: true } ? failedBefore + 1 : failedBefore);
        var (status, delay, result, reason) = this switch
        {
            Done done => (QueuedTaskStatus.Done, TimeSpan.Zero, done.Result, (string?)null),
            Cancelled cancelled => (QueuedTaskStatus.Cancelled, TimeSpan.Zero, null, cancelled.Reason),
            Snoozed snoozed => (QueuedTaskStatus.Scheduled, snoozed.Delay, null, null),
            Retried retried => (QueuedTaskStatus.Scheduled, retried.Delay, null, retried.Reason),
            GivenUp givenUp => (QueuedTaskStatus.Dead, TimeSpan.Zero, null, givenUp.Reason),
            _ => (QueuedTaskStatus.Waiting, TimeSpan.Zero, null, null),
        };
        return new Settlement(task.Id, task.LeaseNumber, status, delay, failed, this is HandedBack, result, reason);
    }

    /// <summary>Its handler did it.</summary>
    public sealed record Done(string? Result) : TaskFate("done");

    /// <summary>Its handler dropped it, or somebody called it off.</summary>
    public sealed record Cancelled(string Reason) : TaskFate("cancelled");

    /// <summary>Its handler wants to see it later.</summary>
    public sealed record Snoozed(TimeSpan Delay) : TaskFate("snoozed");

    /// <summary>It failed and runs again.</summary>
    public sealed record Retried(TimeSpan Delay, string Reason) : TaskFate("retried");

    /// <summary>It becomes a dead letter.</summary>
    public sealed record GivenUp(string Reason, bool CountsAttempt) : TaskFate("given_up");

    /// <summary>The worker stops: another one runs it.</summary>
    public sealed record HandedBack() : TaskFate("handed_back");

    /// <summary>The lease ended while it ran: somebody else has it, and nothing is recorded.</summary>
    public sealed record LeaseLost() : TaskFate("lease_lost");
}
