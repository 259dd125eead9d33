namespace OpenHands.Dashboard.Operators;

/// <summary>A pushed value that is no task: a dead letter from the beginning. Its content is shown only to who inspects it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Queue">Name of the queue.</param>
/// <param name="Reason">Why it is none.</param>
/// <param name="CreatedAt">When it was set aside.</param>
internal sealed record RefusedRow(string Id, string Queue, string Reason, DateTimeOffset CreatedAt)
{
    /// <summary>The same in a list of tasks.</summary>
    public TaskRow AsTask() => new(Id, Queue, "", TaskRow.Dead, 0, 0, Reason, CreatedAt, CreatedAt, null, CreatedAt);
}
