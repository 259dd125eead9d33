namespace OpenHands.Storage.Audit;

/// <summary>Something that is not as it was sealed.</summary>
/// <param name="Kind">What was done.</param>
/// <param name="Position">Position of the event, or number of the link.</param>
/// <param name="EventId">Id of the event that is there; null where none is.</param>
/// <param name="Message">The same in words.</param>
public sealed record AuditFinding(AuditFault Kind, long Position, string? EventId, string Message);

/// <summary>What can be wrong with the audit log.</summary>
public enum AuditFault
{
    /// <summary>An event says something else than when it was sealed.</summary>
    Edited,

    /// <summary>An event is gone, and no retention deleted it.</summary>
    Deleted,

    /// <summary>An event stands where none was sealed.</summary>
    Inserted,

    /// <summary>An event stands at another place than it was sealed at.</summary>
    Reordered,

    /// <summary>A link of the chain is missing, or says something else than when it was signed.</summary>
    ChainBroken,

    /// <summary>The newest link is signed by nobody whom we know.</summary>
    NotSigned,
}
