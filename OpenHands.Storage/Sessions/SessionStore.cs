using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Sessions;

/// <summary>
/// Keeps the saved states of a user's work: the architecture's SessionStore. Works for the tenant of its scope: in the
/// organization that was entered, else on what is the user's own. Reads come from Redis where they can; every write replaces
/// what is kept there.
/// </summary>
/// <param name="db">Rented only where it is needed: most reads come from Redis.</param>
/// <param name="pool">For what is written by hand.</param>
/// <param name="tenant">For whom it works.</param>
/// <param name="cache">What Redis keeps.</param>
/// <param name="accesses">Notes who was read when.</param>
/// <param name="time">The clock.</param>
public sealed class SessionStore(Lazy<OpenHandsDb> db, DatabasePool pool, TenantContext tenant, SessionCache cache, SessionAccesses accesses, TimeProvider time)
{
    // By name: a prepared SELECT * fails once the next release has added a column.
    private const string Row =
        """
        SELECT id, organization_id, conversation_id, state, version, created_at, updated_at, last_accessed_at, expires_at
        FROM sessions WHERE user_id = $1 AND id = $2
        """;

    private const string LockedRow = Row + " FOR UPDATE";
    private const string RowVersion = "SELECT version FROM sessions WHERE user_id = $1 AND id = $2";
    private const string ChangeRow = "UPDATE sessions SET state = $1, version = $2, updated_at = $3, last_accessed_at = $3 WHERE user_id = $4 AND id = $5";

    private string UserId => tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");

    /// <summary>Saves a new session.</summary>
    /// <returns>The session, or why it was not saved.</returns>
    public async Task<(SavedSession? Saved, SessionOutcome Outcome)> CreateAsync(
        JsonObject state, string? conversationId, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (!WellFormedText.In(state))
            return (null, SessionOutcome.NotStorable);
        var json = state.ToJsonString();
        if (Encoding.UTF8.GetByteCount(json) > Session.MostStateBytes)
            return (null, SessionOutcome.TooLarge);

        var now = time.GetUtcNow();
        var row = new Session
        {
            Id = EntityId.New(time),
            UserId = UserId,
            OrganizationId = tenant.OrganizationId,
            ConversationId = conversationId,
            State = json,
            Version = 1,
            CreatedAt = now,
            UpdatedAt = now,
            LastAccessedAt = now,
            ExpiresAt = expiresAt,
        };
        db.Value.Sessions.Add(row);
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
            await TenantTransaction.ReadAsync(pool, tenant, Statement(Row, id), SavedSession.From, token) is { } row && IsHere(row) ? row : null;

        Task<long?> VersionAsync(CancellationToken token) =>
            TenantTransaction.ReadAsync(pool, tenant, Statement(RowVersion, id), row => (long?)row.GetInt64(0), token);
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

        await using var transaction = await TenantTransaction.BeginAsync(pool, cancellationToken);
        if (await transaction.ReadAsync(tenant, Statement(LockedRow, id), SavedSession.From, cancellationToken) is not { } row || !IsHere(row))
            return (null, SessionOutcome.NotFound);
        if (version is not null && row.Version != version)
            return (null, SessionOutcome.Changed);

        // An object merged into an object is one, and what PostgreSQL has stored can be stored.
        var state = MergePatch.Apply(row.State.Read(), patch)!.ToJsonString();
        if (Encoding.UTF8.GetByteCount(state) > Session.MostStateBytes)
            return (null, SessionOutcome.TooLarge);
        var now = time.GetUtcNow();
        var changed = row with { State = new SessionState(state), Version = row.Version + 1, UpdatedAt = now, LastAccessedAt = now };
        return await CommitAsync(transaction, changed, cancellationToken) is { } refusal ? (null, refusal) : (changed, SessionOutcome.Done);
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
        return db.Value.Sessions.Where(session =>
            session.UserId == UserId && session.OrganizationId == tenant.OrganizationId && (session.ExpiresAt == null || session.ExpiresAt > now));
    }

    private bool IsHere(SavedSession row) => row.OrganizationId == tenant.OrganizationId && !(row.ExpiresAt <= time.GetUtcNow());

    private NpgsqlBatchCommand Statement(string text, string id) => new(text)
    {
        Parameters = { new NpgsqlParameter<string> { TypedValue = UserId }, new NpgsqlParameter<string> { TypedValue = id } },
    };

    // Null when it is done.
    private async Task<SessionOutcome?> CommitAsync(TenantTransaction transaction, SavedSession changed, CancellationToken cancellationToken)
    {
        var write = await cache.BlockAsync(changed.Id, cancellationToken);
        SavedSession? committed = null;
        try
        {
            var isChanged = await transaction.CommitAsync(
                new NpgsqlBatchCommand(ChangeRow)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<string> { TypedValue = changed.State.Json, NpgsqlDbType = NpgsqlDbType.Jsonb },
                        new NpgsqlParameter<long> { TypedValue = changed.Version },
                        new NpgsqlParameter<DateTimeOffset> { TypedValue = changed.UpdatedAt },
                        new NpgsqlParameter<string> { TypedValue = UserId },
                        new NpgsqlParameter<string> { TypedValue = changed.Id },
                    },
                },
                cancellationToken);
            // Row-level security: the user has just ceased to belong to the organization.
            if (!isChanged)
                return SessionOutcome.NotFound;
            committed = changed;
            return null;
        }
        catch (PostgresException refused) when (Refusal(refused) is { } outcome)
        {
            return outcome;
        }
        finally
        {
            // A COMMIT that failed may still have happened: the next reader finds out.
            await cache.FinishAsync(write, UserId, committed);
        }
    }

    private async Task<SessionOutcome> SaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await db.Value.SaveChangesAsync(cancellationToken);
            return SessionOutcome.Done;
        }
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException reason && Refusal(reason) is { } outcome)
        {
            return outcome;
        }
        finally
        {
            db.Value.ChangeTracker.Clear();
        }
    }

    private static SessionOutcome? Refusal(PostgresException refused) => refused.SqlState switch
    {
        // Numbers of jsonb have a range; "data exception" is the class of all that does not fit into a column.
        ['2', '2', ..] => SessionOutcome.NotStorable,
        PostgresErrorCodes.CheckViolation => SessionOutcome.TooLarge, // as jsonb prints it: 1e1000 becomes a thousand digits
        PostgresErrorCodes.InsufficientPrivilege => SessionOutcome.NotFound, // row-level security: the user does not belong to the organization
        _ => null,
    };
}
