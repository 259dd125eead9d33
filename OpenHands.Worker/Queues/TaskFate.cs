namespace OpenHands.Worker.Queues;

/// <summary>What becomes of a taken task: an arrow of docs/queues.md.</summary>
/// <param name="Word">The arrow's name, as metrics and log say it.</param>
internal abstract record TaskFate(string Word)
{
    /// <summary>True when the task did not do what it was for.</summary>
    public bool IsFailure => this is Retried or SetAside;

    /// <summary>Its handler did it.</summary>
    public sealed record Done() : TaskFate("done");

    /// <summary>Its handler dropped it.</summary>
    public sealed record Cancelled() : TaskFate("cancelled");

    /// <summary>Its handler wants to see it later.</summary>
    public sealed record Snoozed(TimeSpan Delay) : TaskFate("snoozed");

    /// <summary>It failed and runs again.</summary>
    public sealed record Retried(TimeSpan Delay) : TaskFate("retried");

    /// <summary>It goes to the dead letters.</summary>
    public sealed record SetAside(string Reason) : TaskFate("set_aside");

    /// <summary>The worker stops: another one runs it.</summary>
    public sealed record HandedBack() : TaskFate("handed_back");
}
