using System.Text.Json;

namespace OpenHands.Storage.Queues;

/// <summary>A task as a handler gets it.</summary>
/// <param name="Queue">Name of the queue it came from.</param>
/// <param name="Delivery">Id of this one value, the same in every attempt.</param>
/// <param name="Id">The producer's own id of the task; null when it gave none.</param>
/// <param name="Type">Which handler it is for.</param>
/// <param name="Payload">What the handler needs to know; JSON null when the producer sent nothing.</param>
/// <param name="Attempt">Which attempt this is, from 1.</param>
public sealed record QueuedTask(string Queue, string Delivery, string? Id, string Type, JsonElement Payload, int Attempt);
