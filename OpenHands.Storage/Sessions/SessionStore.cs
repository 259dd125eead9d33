using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Sessions;

/// <summary>
/// Keeps the saved states of a user's work: the architecture's SessionStore. Works for the tenant of its scope: in the
/// organization that was entered, else on what is the user's own. Reads come from Redis where they can; every write replaces
/// what is kept there.
/// </summary>
public sealed class SessionStore(OpenHandsDb db, TenantContext tenant, SessionCache cache, SessionAccesses accesses, TimeProvider time)
{
    private string UserId => tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");

    /// <summary>Saves a new session.</summary>
    /// <returns>The session, or why it was not saved.</returns>
    public async Task<(SavedSession? Saved, SessionOutcome Outcome)> CreateAsync(
        JsonObject state, string? conversationId, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (Problem(state) is { } problem)
            return (null, problem);

        var now = time.GetUtcNow();
        var row = new Session
        {
            Id = EntityId.New(time),
            UserId = UserId,
            OrganizationId = tenant.OrganizationId,
            ConversationId = conversationId,
            State = state.ToJsonString(),
            Version = 1,
            CreatedAt = now,
            UpdatedAt = now,
            LastAccessedAt = now,
            ExpiresAt = expiresAt,
        };
        db.Sessions.Add(row);
        var outcome = await SaveAsync(cancellationToken);
        return outcome == SessionOutcome.Done ? (SavedSession.From(row), outcome) : (null, outcome);
    }

    /// <summary>The session; null when the user has none of this id here.</summary>
    public async Task<SavedSession?> FindAsync(string id, CancellationToken cancellationToken)
    {
        var found = await cache.FindAsync(id, tenant, LoadAsync, VersionAsync, cancellationToken);
        var now = time.GetUtcNow();
        if (found is null || found.ExpiresAt <= now)
            return null;
        accesses.Note(id, now);
        return found with { LastAccessedAt = now };

        async Task<SavedSession?> LoadAsync(CancellationToken token) =>
            await Mine().AsNoTracking().SingleOrDefaultAsync(session => session.Id == id, token) is { } row ? SavedSession.From(row) : null;

        Task<long?> VersionAsync(CancellationToken token) =>
            Mine().Where(session => session.Id == id).Select(session => (long?)session.Version).SingleOrDefaultAsync(token);
    }

    /// <summary>The sessions after an id, in the order of their ids, which is that of their making.</summary>
    public async Task<IReadOnlyList<SavedSession>> ListAsync(string after, int most, CancellationToken cancellationToken)
    {
        var rows = await Mine().AsNoTracking()
            .Where(session => string.Compare(session.Id, after) > 0).OrderBy(session => session.Id).Take(most).ToListAsync(cancellationToken);
        return [.. rows.Select(SavedSession.From)];
    }

    /// <summary>Merges a patch (RFC 7396) into the state, under a row lock: of changes that race none is lost.</summary>
    /// <param name="id">Id of the session.</param>
    /// <param name="patch">Members to set; null removes one.</param>
    /// <param name="version">The version that the caller saw; null for any.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<(SavedSession? Saved, SessionOutcome Outcome)> PatchAsync(
        string id, JsonObject patch, long? version, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(patch);
        if (!WellFormedText.In(patch))
            return (null, SessionOutcome.NotStorable);

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // By name: a prepared SELECT * fails once the next release has added a column.
        var locked = await db.Sessions
            .FromSql(
                $"""
                SELECT id, user_id, organization_id, conversation_id, state, version, created_at, updated_at, last_accessed_at, expires_at
                FROM sessions WHERE user_id = {UserId} AND id = {id} FOR UPDATE
                """)
            .ToListAsync(cancellationToken);
        var now = time.GetUtcNow();
        if (locked.SingleOrDefault() is not { } row || row.OrganizationId != tenant.OrganizationId || row.ExpiresAt <= now)
            return (null, SessionOutcome.NotFound);
        if (version is not null && row.Version != version)
            return (null, SessionOutcome.Changed);

        var state = MergePatch.Apply(JsonNode.Parse(row.State), patch)!.AsObject(); // an object merged into an object is one
        if (Problem(state) is { } problem)
            return (null, problem);

        row.State = state.ToJsonString();
        row.Version++;
        row.UpdatedAt = now;
        row.LastAccessedAt = now;
        var outcome = await SaveAsync(cancellationToken);
        if (outcome != SessionOutcome.Done)
            return (null, outcome);

        var saved = SavedSession.From(row);
        var write = await cache.BlockAsync(id, cancellationToken);
        var committed = false;
        try
        {
            await transaction.CommitAsync(cancellationToken);
            committed = true;
        }
        finally
        {
            // A COMMIT that failed may still have happened: the next reader finds out.
            await cache.FinishAsync(write, UserId, committed ? saved : null);
        }

        return (saved, outcome);
    }

    /// <summary>Deletes the session.</summary>
    /// <param name="id">Id of the session.</param>
    /// <param name="version">The version that the caller saw; null for any.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<SessionOutcome> DeleteAsync(string id, long? version, CancellationToken cancellationToken)
    {
        var write = await cache.BlockAsync(id, cancellationToken);
        int deleted;
        try
        {
            deleted = await Mine().Where(session => session.Id == id && (version == null || session.Version == version))
                .ExecuteDeleteAsync(cancellationToken);
        }
        finally
        {
            await cache.FinishAsync(write, UserId, null);
        }

        if (deleted == 1)
            return SessionOutcome.Done;
        return await Mine().AnyAsync(session => session.Id == id, cancellationToken) ? SessionOutcome.Changed : SessionOutcome.NotFound;
    }

    private IQueryable<Session> Mine()
    {
        var now = time.GetUtcNow();
        return db.Sessions.Where(session =>
            session.UserId == UserId && session.OrganizationId == tenant.OrganizationId && (session.ExpiresAt == null || session.ExpiresAt > now));
    }

    private static SessionOutcome? Problem(JsonObject state)
    {
        if (!WellFormedText.In(state))
            return SessionOutcome.NotStorable;
        return Encoding.UTF8.GetByteCount(state.ToJsonString()) > Session.MostStateBytes ? SessionOutcome.TooLarge : null;
    }

    private async Task<SessionOutcome> SaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return SessionOutcome.Done;
        }
        // Numbers of jsonb have a range; "data exception" is the class of all that does not fit into a column.
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: ['2', '2', ..] })
        {
            return SessionOutcome.NotStorable;
        }
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: PostgresErrorCodes.CheckViolation })
        {
            return SessionOutcome.TooLarge; // as jsonb prints it: 1e1000 becomes a thousand digits
        }
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege })
        {
            return SessionOutcome.NotFound; // row-level security: the user does not belong to the organization
        }
        finally
        {
            db.ChangeTracker.Clear();
        }
    }
}
