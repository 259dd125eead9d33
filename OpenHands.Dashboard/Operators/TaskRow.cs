namespace OpenHands.Dashboard.Operators;

/// <summary>A task in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Name of its queue.</param>
/// <param name="Type">Which handler it is for; empty for a value that is no task.</param>
/// <param name="Status">Its state.</param>
/// <param name="Attempt">Attempts that failed.</param>
/// <param name="LeaseNumber">How often a worker began it.</param>
/// <param name="Reason">Why it was given up, cancelled or is tried again.</param>
/// <param name="CreatedAt">When it was enqueued.</param>
/// <param name="RunAt">When it was or will be due.</param>
/// <param name="LeasedAt">When a worker last began it.</param>
/// <param name="FinishedAt">When it ended.</param>
internal sealed record TaskRow(
    string Id, string Queue, string Type, string Status, int Attempt, long LeaseNumber, string? Reason,
    DateTimeOffset CreatedAt, DateTimeOffset RunAt, DateTimeOffset? LeasedAt, DateTimeOffset? FinishedAt)
{
    /// <summary>The state of a dead letter.</summary>
    public const string Dead = "dead";

    /// <summary>What a list can be narrowed to: the value that the worker knows, and what people call it.</summary>
    public static IReadOnlyList<(string Value, string Name)> States { get; } =
        [("waiting", "waiting"), ("leased", "running"), ("scheduled", "scheduled"), ("retrying", "retrying"), (Dead, "dead letter"), ("cancelled", "cancelled"), ("done", "done")];

    /// <summary>False for a pushed value that is none.</summary>
    public bool IsTask => Type.Length > 0;

    /// <summary>True when it can be called off.</summary>
    public bool CanBeCancelled => Status is "waiting" or "leased" or "scheduled";

    /// <summary>True when it can run again.</summary>
    public bool CanBeReplayed => Status is Dead or "cancelled";

    /// <summary>The state as people say it.</summary>
    public string State => Status == "scheduled" && Attempt > 0 ? "retrying" : States.FirstOrDefault(state => state.Value == Status).Name ?? Status;

    /// <summary>How to colour it.</summary>
    public string Tone => State switch
    {
        "done" => "good",
        "dead letter" => "bad",
        "running" or "retrying" => "busy",
        _ => "idle",
    };

    /// <summary>When it last became what it is.</summary>
    public DateTimeOffset Since => FinishedAt ?? (Status == "leased" ? LeasedAt : null) ?? (Status == "scheduled" ? CreatedAt : RunAt);
}
