using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Audit;

/// <summary>Shows an organization's audit log to its admins, and keeps how long it is kept. Works for the organization that the tenant was entered with.</summary>
public sealed class AuditStore(OpenHandsDb db, TenantContext tenant, AuditLog log)
{
    // What was noted is no event yet, and shared by many tenants: the function shows this one's.
    private const string Shown =
        $"""
        SELECT {AuditRows.EventColumns}, transaction_id FROM audit_events
        UNION ALL SELECT {AuditRows.EventColumns}, transaction_id FROM noted_audit_events()
        """;

    private string OrganizationId => tenant.OrganizationId ?? throw new InvalidOperationException("No organization was entered.");

    /// <summary>Whether the tenant may see the log.</summary>
    public async Task<OrganizationOutcome> MayReadAsync(CancellationToken cancellationToken) => await db.OrganizationMemberships
        .Where(membership => membership.OrganizationId == OrganizationId && membership.UserId == tenant.UserId)
        .Select(membership => membership.Role)
        .SingleOrDefaultAsync(cancellationToken) switch
    {
        null => OrganizationOutcome.NotFound,
        OrganizationRole.Admin => OrganizationOutcome.Done,
        _ => OrganizationOutcome.NotAdmin,
    };

    /// <summary>Events before an id, newest first.</summary>
    /// <param name="before">Id that the page comes before; empty for the newest.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="actor">Only of this user; null for all.</param>
    /// <param name="action">Only of this kind, such as <c>secret.read</c>, or of all kinds of a subject, such as <c>secret</c>; null for all.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<AuditEvent>> ListAsync(string before, int most, string? actor, string? action, CancellationToken cancellationToken)
    {
        var prefix = $"{action}.";
        return await db.AuditEvents.FromSqlRaw(Shown).AsNoTracking()
            .Where(audited => audited.OrganizationId == OrganizationId
                && (before == "" || string.Compare(audited.Id, before) < 0)
                && (actor == null || audited.Actor == actor)
                && (action == null || audited.Action == action || audited.Action.StartsWith(prefix)))
            .OrderByDescending(audited => audited.Id).Take(most).ToListAsync(cancellationToken);
    }

    /// <summary>
    /// Sealed events after a position, in the order of the chain: whoever goes on after the last position misses none, however
    /// late one commits. That it was exported is audited first.
    /// </summary>
    public async Task<IReadOnlyList<AuditEvent>> ExportAsync(long after, int most, CancellationToken cancellationToken) => await Events()
        .Where(audited => audited.Position > after)
        .OrderBy(audited => audited.Position).Take(most).ToListAsync(cancellationToken);

    /// <summary>Audits that the log is exported from a position on.</summary>
    public Task NoteExportAsync(long after) => log.NoteAsync(
        new AuditNote(AuditNote.AuditExported, OrganizationId, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"after position {after}"), OrganizationId, null), tenant);

    /// <summary>How many days events are kept; null for ever.</summary>
    public async Task<int?> RetentionAsync(CancellationToken cancellationToken) => await db.AuditRetentions
        .Where(retention => retention.OrganizationId == OrganizationId).Select(retention => (int?)retention.Days).SingleOrDefaultAsync(cancellationToken);

    /// <summary>Chooses how many days events are kept; null for ever.</summary>
    public Task KeepAsync(int? days, CancellationToken cancellationToken) => days is { } chosen
        ? db.Database.ExecuteSqlAsync(
            $"INSERT INTO audit_retentions (organization_id, days) VALUES ({OrganizationId}, {chosen}) ON CONFLICT (organization_id) DO UPDATE SET days = excluded.days", cancellationToken)
        : db.AuditRetentions.Where(retention => retention.OrganizationId == OrganizationId).ExecuteDeleteAsync(cancellationToken);

    private IQueryable<AuditEvent> Events() => db.AuditEvents.AsNoTracking().Where(audited => audited.OrganizationId == OrganizationId);
}
