using System.Text.Json.Nodes;

namespace OpenHands.Storage.Queues;

/// <summary>A task to be enqueued.</summary>
/// <param name="Queue">Name of the queue: 1 to 200 bytes.</param>
/// <param name="Type">Which handler it is for.</param>
/// <param name="Payload">What the handler needs to know; null for nothing. At most 1 MiB.</param>
public sealed record NewTask(string Queue, string Type, JsonNode? Payload = null)
{
    /// <summary>Longest name of a queue, type, fairness or idempotency key, in UTF-8 bytes.</summary>
    public const int LongestName = 200;

    /// <summary>How long a finished task is kept unless it says otherwise.</summary>
    public static readonly TimeSpan DefaultRetention = TimeSpan.FromDays(1);

    /// <summary>Time until it may run; zero for at once.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Among tasks with the same fairness key, a higher one runs first; -100 to 100.</summary>
    public short Priority { get; init; }

    /// <summary>Of tasks of a tenant with the same key in one queue there is one; enqueuing again answers with it and its result. Null for none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Among whom a queue is shared fairly; null for the tenant: the organization, else the user.</summary>
    public string? FairnessKey { get; init; }

    /// <summary>How long it is kept once it is done or cancelled, with its result; zero deletes it at once.</summary>
    public TimeSpan Retention { get; init; } = DefaultRetention;

    /// <summary>Failed attempts after which it is a dead letter; null for what the worker is set to.</summary>
    public int? MaxAttempts { get; init; }

    /// <summary>What is wrong with it, in words for whoever made it; null for nothing.</summary>
    public string? Problem()
    {
        var name = ProblemOfName("queue", Queue) ?? ProblemOfName("type", Type)
            ?? ProblemOfName("idempotency key", IdempotencyKey) ?? ProblemOfName("fairness key", FairnessKey);
        if (name is not null)
            return name;
        if (Priority is < -100 or > 100)
            return "The priority must be -100 to 100.";
        if (MaxAttempts is < 1 or > 100)
            return "The attempts must be 1 to 100.";
        if (Delay < TimeSpan.Zero || Delay > TimeSpan.FromDays(3650))
            return "The delay must be zero to ten years.";
        return Retention < TimeSpan.Zero || Retention > TimeSpan.FromDays(3650) ? "The retention must be zero to ten years." : null;
    }

    private static string? ProblemOfName(string what, string? value) =>
        value?.Length == 0 || value?.Contains('\0') == true || System.Text.Encoding.UTF8.GetByteCount(value ?? "") > LongestName
            ? $"The {what} must have 1 to {LongestName} bytes and no NUL."
            : null;
}

/// <summary>What became of enqueuing.</summary>
/// <param name="Id">Id of the task.</param>
/// <param name="IsNew">False when there was one with the same idempotency key.</param>
/// <param name="Status">One of <see cref="QueuedTaskStatus"/>.</param>
/// <param name="Result">What its handler gave back, JSON; null while it is not done or when there is none.</param>
public sealed record EnqueuedTask(string Id, bool IsNew, string Status, string? Result);
