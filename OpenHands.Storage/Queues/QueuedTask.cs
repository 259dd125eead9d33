using System.Text.Json;

namespace OpenHands.Storage.Queues;

/// <summary>A task as a handler gets it.</summary>
/// <param name="Id">A UUIDv7 as 32 hex digits, the same in every attempt.</param>
/// <param name="Queue">Name of its queue.</param>
/// <param name="Type">Which handler it is for.</param>
/// <param name="Payload">What the handler needs to know; JSON null when the producer sent nothing.</param>
/// <param name="Attempt">Which attempt this is, from 1.</param>
/// <param name="LeaseNumber">The fencing token: grows with every lease and never starts anew. Write it with every effect, and refuse a smaller one.</param>
public sealed record QueuedTask(string Id, string Queue, string Type, JsonElement Payload, int Attempt, long LeaseNumber)
{
    /// <summary>The organization it works for; null for none.</summary>
    public string? OrganizationId { get; init; }

    /// <summary>The user as whom it works; null for a task of the platform itself.</summary>
    public string? UserId { get; init; }

    /// <summary>The producer's own name of a value pushed into Redis; null when it gave none.</summary>
    public string? ProducerId { get; init; }
}
