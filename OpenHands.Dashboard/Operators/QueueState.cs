namespace OpenHands.Dashboard.Operators;

/// <summary>How many tasks of a queue are in which state, as the worker counts them.</summary>
/// <param name="Queue">Its name.</param>
/// <param name="Waiting">Tasks that are due.</param>
/// <param name="Running">Tasks that workers have.</param>
/// <param name="Retrying">Tasks that failed and wait for another attempt.</param>
/// <param name="Dead">Tasks that were given up.</param>
internal sealed record QueueState(string Queue, long Waiting, long Running, long Retrying, long Dead);
