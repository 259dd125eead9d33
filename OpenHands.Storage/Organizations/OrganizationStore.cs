using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Tenancy;
using OpenHands.Storage.Webhooks;

namespace OpenHands.Storage.Organizations;

/// <summary>
/// Keeps organizations and their members. Works for the tenant of its scope: methods that name no organization mean the one
/// that the tenant was entered with, and find nothing where the tenant is no member.
/// </summary>
public sealed class OrganizationStore(OpenHandsDb db, TenantContext tenant, MembershipCache memberships, TimeProvider time, WebhookStore? webhooks = null)
{
    /// <summary>What the constraint trigger raises at the end of a transaction that would leave an organization without an admin.</summary>
    internal const string NoAdminLeft = "OH001";

    private string UserId => tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");

    private string OrganizationId => tenant.OrganizationId ?? throw new InvalidOperationException("No organization was entered.");

    /// <summary>The organizations of the user after an id, in the order of their ids.</summary>
    public async Task<IReadOnlyList<JoinedOrganization>> ListAsync(string after, int most, CancellationToken cancellationToken) =>
        await Joined().Where(joined => string.Compare(joined.Id, after) > 0).OrderBy(joined => joined.Id).Take(most).ToListAsync(cancellationToken);

    /// <summary>The organization with the user's role in it; null when the user is no member.</summary>
    public Task<JoinedOrganization?> FindAsync(CancellationToken cancellationToken) =>
        Joined().SingleOrDefaultAsync(joined => joined.Id == OrganizationId, cancellationToken);

    /// <summary>Whether the user is a member of the organization; what Redis keeps of it is never older than an acknowledged change.</summary>
    public Task<bool> HasMemberAsync(CancellationToken cancellationToken) => memberships.HasAsync(
        OrganizationId, UserId,
        token => Members(UserId).Select(membership => (DateTimeOffset?)membership.UpdatedAt).SingleOrDefaultAsync(token), cancellationToken);

    /// <summary>Makes an organization with the user as its admin; what is active stays active.</summary>
    public async Task<JoinedOrganization> CreateAsync(string name, CancellationToken cancellationToken)
    {
        var id = EntityId.New(time);
        // Together: the user may remove themselves in this moment, and the organization with them.
        await using var transaction = await StoreTransaction.BeginAsync(db, cancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT create_organization({id}, {name}, {time.GetUtcNow()})", cancellationToken);
        var made = await Joined().SingleAsync(joined => joined.Id == id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return made;
    }

    /// <summary>Renames the organization.</summary>
    /// <param name="name">The new name.</param>
    /// <param name="version">The version that the caller saw; null for any.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<OrganizationOutcome> RenameAsync(string name, long? version, CancellationToken cancellationToken)
    {
        if (await RoleAsync(cancellationToken) is not { } role)
            return OrganizationOutcome.NotFound;
        if (role != OrganizationRole.Admin)
            return OrganizationOutcome.NotAdmin;

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await TellAsync(WebhookEvents.OrganizationUpdated, new() { ["name"] = name }, cancellationToken);
        var now = time.GetUtcNow();
        var renamed = await db.Organizations
            .Where(organization => organization.Id == OrganizationId && (version == null || organization.Version == version))
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(organization => organization.Name, name)
                    .SetProperty(organization => organization.Version, organization => organization.Version + 1)
                    .SetProperty(organization => organization.UpdatedAt, now),
                cancellationToken);
        if (renamed == 0)
            return OrganizationOutcome.Changed;
        await transaction.CommitAsync(cancellationToken);
        return OrganizationOutcome.Done;
    }

    /// <summary>The members after a user id, in the order of their ids; null when the user is no member.</summary>
    public async Task<IReadOnlyList<OrganizationMember>?> MembersAsync(string after, int most, CancellationToken cancellationToken)
    {
        var members = await db.OrganizationMemberships
            .Where(membership => membership.OrganizationId == OrganizationId && string.Compare(membership.UserId, after) > 0)
            .OrderBy(membership => membership.UserId)
            .Take(most)
            .Join(
                db.Users, membership => membership.UserId, user => user.Id,
                (membership, user) => new OrganizationMember(user.Id, user.Email, user.DisplayName, membership.Role, membership.CreatedAt))
            .ToListAsync(cancellationToken);
        return members.Count == 0 && await RoleAsync(cancellationToken) is null ? null : [.. members.OrderBy(member => member.UserId, StringComparer.Ordinal)];
    }

    /// <summary>Adds a user of the platform.</summary>
    public async Task<OrganizationOutcome> AddMemberAsync(string userId, string role, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await ChangeAsync(WebhookEvents.MemberAdded, new() { ["user_id"] = userId, ["role"] = role }, async () =>
        {
            try
            {
                var added = await db.Database.ExecuteSqlAsync(
                    $"""
                    INSERT INTO organization_memberships (organization_id, user_id, role, version, created_at, updated_at)
                    VALUES ({OrganizationId}, {userId}, {role}, 1, {now}, {now}) ON CONFLICT (organization_id, user_id) DO NOTHING
                    """, cancellationToken);
                return added == 1 ? OrganizationOutcome.Done : OrganizationOutcome.AlreadyMember;
            }
            catch (PostgresException unknown) when (unknown.SqlState == PostgresErrorCodes.ForeignKeyViolation)
            {
                return OrganizationOutcome.NoSuchUser;
            }
        }, cancellationToken);
    }

    /// <summary>Gives a member another role, perhaps the user's own.</summary>
    public Task<OrganizationOutcome> ChangeRoleAsync(string userId, string role, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return ChangeAsync(
            WebhookEvents.MemberChanged,
            new() { ["user_id"] = userId, ["role"] = role },
            async () => await Members(userId).ExecuteUpdateAsync(
                set => set
                    .SetProperty(membership => membership.Role, role)
                    .SetProperty(membership => membership.Version, membership => membership.Version + 1)
                    .SetProperty(membership => membership.UpdatedAt, now),
                cancellationToken) == 1
                ? OrganizationOutcome.Done
                : OrganizationOutcome.NoSuchMember,
            cancellationToken);
    }

    /// <summary>Ends a membership, and with it the member's keys and sessions in the organization. Members may end their own.</summary>
    public Task<OrganizationOutcome> RemoveMemberAsync(string userId, CancellationToken cancellationToken) => ChangeAsync(
        WebhookEvents.MemberRemoved,
        new() { ["user_id"] = userId },
        async () => await Members(userId).ExecuteDeleteAsync(cancellationToken) == 1 ? OrganizationOutcome.Done : OrganizationOutcome.NoSuchMember,
        cancellationToken,
        mayAnyMember: userId == UserId,
        ended: userId);

    /// <summary>Makes the organization the one that the user's requests act in unless they name one.</summary>
    /// <returns>Whether the user is a member.</returns>
    public async Task<bool> ActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            var now = time.GetUtcNow();
            await db.Users.Where(user => user.Id == UserId).ExecuteUpdateAsync(
                set => set.SetProperty(user => user.ActiveOrganizationId, OrganizationId).SetProperty(user => user.UpdatedAt, now),
                cancellationToken);
            return true;
        }
        catch (PostgresException foreign) when (foreign.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return false;
        }
    }

    private IQueryable<JoinedOrganization> Joined() => db.OrganizationMemberships
        .Where(membership => membership.UserId == UserId)
        .Join(
            db.Organizations, membership => membership.OrganizationId, organization => organization.Id,
            (membership, organization) => new { membership, organization })
        .Select(both => new JoinedOrganization
        {
            Id = both.organization.Id,
            Name = both.organization.Name,
            Role = both.membership.Role,
            IsActive = db.Users.Any(user => user.Id == UserId && user.ActiveOrganizationId == both.organization.Id),
            Version = both.organization.Version,
            CreatedAt = both.organization.CreatedAt,
            UpdatedAt = both.organization.UpdatedAt,
        });

    private IQueryable<OrganizationMembership> Members(string userId) =>
        db.OrganizationMemberships.Where(membership => membership.OrganizationId == OrganizationId && membership.UserId == userId);

    private Task<string?> RoleAsync(CancellationToken cancellationToken) =>
        Members(UserId).Select(membership => membership.Role).SingleOrDefaultAsync(cancellationToken);

    /// <summary>Runs a change of the members if the user may make it. The database checks the right once more, and at the end the admin.</summary>
    private async Task<OrganizationOutcome> ChangeAsync(
        string eventType, JsonObject details, Func<Task<OrganizationOutcome>> change, CancellationToken cancellationToken, bool mayAnyMember = false, string? ended = null)
    {
        await using var transaction = await StoreTransaction.BeginAsync(db, cancellationToken);
        if (await RoleAsync(cancellationToken) is not { } role)
            return OrganizationOutcome.NotFound;
        if (role != OrganizationRole.Admin && !mayAnyMember)
            return OrganizationOutcome.NotAdmin;

        try
        {
            // First: whoever ends their own membership may not do it afterwards. What is not done is rolled back with it.
            await TellAsync(eventType, details, cancellationToken);
            var outcome = await change();
            if (outcome != OrganizationOutcome.Done)
                return outcome;
            if (ended is null)
                await transaction.CommitAsync(cancellationToken);
            else
                await memberships.CommitAsync(OrganizationId, ended, transaction.CommitAsync, cancellationToken);
            return outcome;
        }
        catch (PostgresException refused) when (refused.SqlState == NoAdminLeft)
        {
            return OrganizationOutcome.LastAdmin;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return OrganizationOutcome.NotAdmin; // no longer, since the role was read
        }
    }

    private Task TellAsync(string eventType, JsonObject details, CancellationToken cancellationToken) =>
        webhooks?.PublishAsync(eventType, details, cancellationToken) ?? Task.CompletedTask;
}
