using System.Text.Json.Nodes;

namespace OpenHands.Worker.Queues;

/// <summary>What a handler says happened; an exception instead means "try again later".</summary>
internal abstract record TaskOutcome
{
    private TaskOutcome()
    {
    }

    /// <summary>The task is done.</summary>
    /// <param name="Result">What whoever enqueues it again with the same idempotency key gets; null for nothing, and nothing secret.</param>
    public sealed record Done(JsonNode? Result = null) : TaskOutcome;

    /// <summary>Not now: run it again after the delay, without counting an attempt.</summary>
    /// <param name="Delay">Time to wait; below zero counts as zero.</param>
    public sealed record Snooze(TimeSpan Delay) : TaskOutcome;

    /// <summary>The task makes no sense any more and is dropped.</summary>
    /// <param name="Reason">Why, for operators and the log; nothing secret.</param>
    public sealed record Cancel(string Reason) : TaskOutcome;
}
