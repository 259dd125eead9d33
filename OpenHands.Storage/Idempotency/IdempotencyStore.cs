using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Idempotency;

/// <summary>
/// Lets a request be done once however often it is sent: its work and its answer are committed together. Keys of one tenant, user
/// and route never meet those of another. What failed leaves nothing behind and may be tried again.
/// </summary>
public sealed class IdempotencyStore(OpenHandsDb db, TenantContext tenant, KeyRing ring, TimeProvider time)
{
    /// <summary>Longest key, in characters.</summary>
    public const int LongestKey = 255;

    /// <summary>How long an answer is kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromHours(24);

    private string UserId => tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");

    /// <summary>Does the work, unless it was done before. What the stores of this scope do meanwhile is part of one transaction.</summary>
    /// <param name="request">The request.</param>
    /// <param name="workAsync">Gives back what is to be kept; null when it failed, which undoes all that it did.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The outcome, with the kept answer where it is <see cref="IdempotencyOutcome.Repeated"/>.</returns>
    public async Task<(IdempotencyOutcome Outcome, KeptAnswer? Answer)> RunAsync(
        IdempotentRequest request, Func<Task<KeptAnswer?>> workAsync, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(workAsync);
        await using var transaction = await StoreTransaction.BeginAsync(db, cancellationToken);
        if (!await TryLockAsync(request, cancellationToken))
            return (IdempotencyOutcome.UnderWay, null);

        var found = await Records(request).AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (found is not null && time.GetUtcNow() - found.CreatedAt < Retention)
        {
            return ring.Recognizes(found.Fingerprint, request.BodyHash)
                ? (IdempotencyOutcome.Repeated, new KeptAnswer(found.Status, found.Location, found.EntityTag, found.Body))
                : (IdempotencyOutcome.OtherBody, null);
        }

        if (await workAsync() is not { } answer)
            return (IdempotencyOutcome.Tried, null);
        try
        {
            await KeepAsync(request, answer, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return (IdempotencyOutcome.Tried, null);
        }
        catch (DbUpdateException gone) when (gone.InnerException is PostgresException
        {
            SqlState: PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.ForeignKeyViolation,
        })
        {
            return (IdempotencyOutcome.Gone, null);
        }
    }

    // Waiting duplicates would empty the pool of connections, so nobody waits.
    private async Task<bool> TryLockAsync(IdempotentRequest request, CancellationToken cancellationToken)
    {
        var name = string.Join('\n', "idempotency", UserId, tenant.OrganizationId, request.Route, request.Key);
        var granted = await db.Database
            .SqlQuery<bool>($"""SELECT pg_try_advisory_xact_lock(hashtextextended({name}, 0)) AS "Value" """).ToListAsync(cancellationToken);
        return granted.Single();
    }

    private IQueryable<IdempotencyRecord> Records(IdempotentRequest request) => db.IdempotencyRecords.Where(record =>
        record.UserId == UserId && record.OrganizationId == tenant.OrganizationId && record.Route == request.Route && record.Key == request.Key);

    private async Task KeepAsync(IdempotentRequest request, KeptAnswer answer, CancellationToken cancellationToken)
    {
        await Records(request).ExecuteDeleteAsync(cancellationToken); // one past its time
        db.IdempotencyRecords.Add(new IdempotencyRecord
        {
            Id = EntityId.New(time),
            UserId = UserId,
            OrganizationId = tenant.OrganizationId,
            Route = request.Route,
            Key = request.Key,
            Fingerprint = ring.Fingerprint(request.BodyHash),
            Status = answer.Status,
            Location = answer.Location,
            EntityTag = answer.EntityTag,
            Body = answer.Body,
            CreatedAt = time.GetUtcNow(),
        });
        await db.SaveChangesAsync(cancellationToken);
        db.ChangeTracker.Clear();
    }
}
