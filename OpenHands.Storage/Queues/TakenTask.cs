namespace OpenHands.Storage.Queues;

/// <summary>A value that a worker took from a queue and answers for until it finishes, defers or hands it back.</summary>
/// <param name="Queue">Name of the queue, without the prefix <c>queue:</c>.</param>
/// <param name="Delivery">Names this one value even among equal ones: a UUIDv7 as 32 hex digits, kept over retries and rescues.</param>
/// <param name="Value">The value as it was pushed; any bytes.</param>
/// <param name="Lost">Deliveries since the last outcome whose worker went away without one.</param>
/// <param name="Attempts">Attempts that failed so far.</param>
/// <param name="Reason">Why it has to be set aside without another run; null when it is to run.</param>
public sealed record TakenTask(string Queue, string Delivery, ReadOnlyMemory<byte> Value, int Lost, int Attempts, string? Reason);
