namespace OpenHands.Storage.Audit;

/// <summary>Where a verification reads the audit log and its chain from.</summary>
public interface IAuditSource
{
    /// <summary>All links, by number. Read twice.</summary>
    IAsyncEnumerable<AuditSeal> SealsAsync(CancellationToken cancellationToken);

    /// <summary>The events with a position, by position.</summary>
    IAsyncEnumerable<AuditEvent> SealedAsync(CancellationToken cancellationToken);

    /// <summary>The events without a position, by id.</summary>
    IAsyncEnumerable<AuditEvent> UnsealedAsync(CancellationToken cancellationToken);
}
