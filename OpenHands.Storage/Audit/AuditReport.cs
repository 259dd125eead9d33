namespace OpenHands.Storage.Audit;

/// <summary>What a verification found.</summary>
/// <param name="Events">Sealed events that were compared.</param>
/// <param name="Links">Links of the chain that were compared.</param>
/// <param name="Pruned">Events that are gone because retention deleted them.</param>
/// <param name="Findings">What is wrong, the first hundred.</param>
/// <param name="Faults">How much is wrong in all.</param>
/// <param name="Unsealed">Ids of events that no link speaks for yet, the first hundred.</param>
/// <param name="UnsealedCount">How many there are in all.</param>
/// <param name="Head">Number and hash of the newest link, <c>number:hash</c>: kept elsewhere, it shows later whether the end was cut off. Null without links.</param>
public sealed record AuditReport(
    long Events, long Links, long Pruned, IReadOnlyList<AuditFinding> Findings, long Faults, IReadOnlyList<string> Unsealed, long UnsealedCount, string? Head)
{
    /// <summary>Whether everything that is sealed is as it was.</summary>
    public bool IsIntact => Faults == 0;
}
