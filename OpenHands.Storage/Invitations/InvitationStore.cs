using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Invitations;

/// <summary>Keeps invitations to the organization that the tenant of its scope was entered with, and lets people accept those that they have.</summary>
public sealed class InvitationStore(OpenHandsDb db, TenantContext tenant, TimeProvider time)
{
    private string UserId => tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");

    private string OrganizationId => tenant.OrganizationId ?? throw new InvalidOperationException("No organization was entered.");

    /// <summary>Makes an invitation.</summary>
    /// <param name="role">What the new member becomes.</param>
    /// <param name="email">The only address that may use it, in lower case; null for anybody who has the token.</param>
    /// <param name="expiresAt">From when it is refused.</param>
    /// <param name="sendAsync">Has its mail sent, called with id and token once the invitation is committed; null for no mail.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The invitation with its token, which is kept nowhere; or why there is none.</returns>
    public async Task<(InvitationSummary? Made, string Token, OrganizationOutcome Outcome)> CreateAsync(
        string role, string? email, DateTimeOffset expiresAt, Func<string, string, Task>? sendAsync, CancellationToken cancellationToken)
    {
        await using var transaction = await StoreTransaction.BeginAsync(db, cancellationToken);
        var refused = await RefusalAsync(cancellationToken);
        if (refused != OrganizationOutcome.Done)
            return (null, "", refused);

        var token = InvitationToken.New();
        var invitation = new Invitation
        {
            Id = EntityId.New(time),
            OrganizationId = OrganizationId,
            InvitedBy = UserId,
            Email = email,
            Role = role,
            Hash = InvitationToken.HashOf(token),
            Mail = sendAsync is null ? InvitationMail.None : InvitationMail.Queued,
            CreatedAt = time.GetUtcNow(),
            ExpiresAt = expiresAt,
        };
        db.Invitations.Add(invitation);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException lost) when (lost.InnerException is PostgresException
        {
            SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.ForeignKeyViolation,
        })
        {
            return (null, "", OrganizationOutcome.NotAdmin); // no longer, since the role was read
        }
        finally
        {
            db.ChangeTracker.Clear();
        }

        if (sendAsync is not null)
            transaction.AtEnd(committed => committed ? sendAsync(invitation.Id, token) : Task.CompletedTask);
        await transaction.CommitAsync(cancellationToken);
        return (InvitationSummary.From(invitation), token, OrganizationOutcome.Done);
    }

    /// <summary>The invitations after an id, in the order of their ids; null with the reason when the user may not see them.</summary>
    public async Task<(IReadOnlyList<InvitationSummary>? Invitations, OrganizationOutcome Outcome)> ListAsync(
        string after, int most, CancellationToken cancellationToken)
    {
        var refused = await RefusalAsync(cancellationToken);
        if (refused != OrganizationOutcome.Done)
            return (null, refused);

        var rows = await db.Invitations.AsNoTracking()
            .Where(invitation => invitation.OrganizationId == OrganizationId && string.Compare(invitation.Id, after) > 0)
            .OrderBy(invitation => invitation.Id).Take(most).ToListAsync(cancellationToken);
        return ([.. rows.Select(InvitationSummary.From)], OrganizationOutcome.Done);
    }

    /// <summary>Ends an invitation: its token is good for nothing from now on. A membership that came of it stays.</summary>
    /// <returns>Null when there is no such invitation.</returns>
    public async Task<OrganizationOutcome?> RevokeAsync(string id, CancellationToken cancellationToken)
    {
        var refused = await RefusalAsync(cancellationToken);
        if (refused != OrganizationOutcome.Done)
            return refused;
        return await db.Invitations.Where(invitation => invitation.OrganizationId == OrganizationId && invitation.Id == id).ExecuteDeleteAsync(cancellationToken) == 1
            ? OrganizationOutcome.Done
            : null;
    }

    /// <summary>Writes down how the mail of an invitation stands.</summary>
    public Task NoteMailAsync(string id, string mail, CancellationToken cancellationToken) => db.Invitations
        .Where(invitation => invitation.OrganizationId == OrganizationId && invitation.Id == id)
        .ExecuteUpdateAsync(set => set.SetProperty(invitation => invitation.Mail, mail), cancellationToken);

    /// <summary>What the token invites the user to. Changes nothing.</summary>
    public Task<(InvitationOutcome Outcome, OfferedMembership? Offer)> LookAsync(string token, CancellationToken cancellationToken) =>
        AskAsync(token, accept: false, cancellationToken);

    /// <summary>Makes the user a member. Of any number who try at once with one token, one succeeds.</summary>
    public Task<(InvitationOutcome Outcome, OfferedMembership? Offer)> AcceptAsync(string token, CancellationToken cancellationToken) =>
        AskAsync(token, accept: true, cancellationToken);

    // The user is no member yet, so the policies show nothing: a function of the owner looks by the hash.
    private async Task<(InvitationOutcome Outcome, OfferedMembership? Offer)> AskAsync(string token, bool accept, CancellationToken cancellationToken)
    {
        if (!InvitationToken.IsOne(token))
            return (InvitationOutcome.NotFound, null);

        var rows = await db.Database.SqlQuery<Answer>(
            $"""
            SELECT outcome, organization_id, organization_name, role, email, expires_at
            FROM use_invitation({InvitationToken.HashOf(token)}, {accept}, {time.GetUtcNow()})
            """).ToListAsync(cancellationToken);
        var answer = rows.Single();
        var outcome = answer.Outcome switch
        {
            "done" => InvitationOutcome.Done,
            "member" => InvitationOutcome.AlreadyMember,
            "used" => InvitationOutcome.Used,
            "expired" => InvitationOutcome.Expired,
            "address" => InvitationOutcome.OtherAddress,
            _ => InvitationOutcome.NotFound,
        };
        return outcome == InvitationOutcome.Done
            ? (outcome, new OfferedMembership(answer.OrganizationId!, answer.OrganizationName!, answer.Role!, answer.Email, answer.ExpiresAt!.Value)) // given with "done"
            : (outcome, null);
    }

    private async Task<OrganizationOutcome> RefusalAsync(CancellationToken cancellationToken)
    {
        var role = await db.OrganizationMemberships
            .Where(membership => membership.OrganizationId == OrganizationId && membership.UserId == UserId)
            .Select(membership => membership.Role).SingleOrDefaultAsync(cancellationToken);
        return role switch
        {
            null => OrganizationOutcome.NotFound,
            OrganizationRole.Admin => OrganizationOutcome.Done,
            _ => OrganizationOutcome.NotAdmin,
        };
    }

    private sealed record Answer(
        string Outcome, string? OrganizationId, string? OrganizationName, string? Role, string? Email, DateTimeOffset? ExpiresAt);
}
