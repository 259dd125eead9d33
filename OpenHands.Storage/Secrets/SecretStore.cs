using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Postgres;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// Keeps the named secrets of users and organizations: the architecture's PostgresSecretsStore. Each change touches one row;
/// values leave only by <see cref="FindValueAsync"/>. The tenant of the scope must be the owner, or a member of the owner. A change
/// takes the version that the caller saw, or null for any.
/// </summary>
/// <remarks>
/// Where a value must be read, <see cref="KeyRingMismatchException"/> or <see cref="SecretRefusedException"/> is thrown rather
/// than anything shown or overwritten.
/// </remarks>
public sealed class SecretStore(OpenHandsDb db, SecretCipher cipher, SecretCache cache, AuditLog audit, TimeProvider time)
{
    /// <summary>How many former versions are kept; older ones go.</summary>
    private const int MostVersions = 20;

    /// <summary>The owner's secrets in the order of their names.</summary>
    public async Task<IReadOnlyList<SecretSummary>> ListAsync(SecretOwner owner, CancellationToken cancellationToken) =>
        await Custom(owner)
            .OrderBy(secret => secret.Key)
            .Select(secret => new SecretSummary(secret.Key, secret.Description, secret.Version, secret.UpdatedAt))
            .ToListAsync(cancellationToken);

    /// <summary>The owner's secrets after a name, in the order of their names.</summary>
    public async Task<IReadOnlyList<SecretSummary>> ListAsync(SecretOwner owner, string after, int most, CancellationToken cancellationToken) =>
        await Custom(owner)
            .Where(secret => string.Compare(secret.Key, after) > 0)
            .OrderBy(secret => secret.Key)
            .Take(most)
            .Select(secret => new SecretSummary(secret.Key, secret.Description, secret.Version, secret.UpdatedAt))
            .ToListAsync(cancellationToken);

    /// <summary>One secret without its value; null when the owner has none of this name.</summary>
    public Task<SecretSummary?> FindSummaryAsync(SecretOwner owner, string name, CancellationToken cancellationToken) =>
        Custom(owner).Where(secret => secret.Key == name)
            .Select(secret => new SecretSummary(secret.Key, secret.Description, secret.Version, secret.UpdatedAt))
            .SingleOrDefaultAsync(cancellationToken);

    /// <summary>
    /// The value for a piece of work of a user in an organization (null for none): the user's own secret of that name, else the
    /// organization's. Null when neither is there. That it was read is on disk before it is handed out. The caller clears the buffer.
    /// </summary>
    public async Task<byte[]?> FindValueAsync(string userId, string? organizationId, string name, CancellationToken cancellationToken)
    {
        if (await FindAsync(SecretOwner.User(userId), name, cancellationToken) is { } own)
            return await OpenAsync(own, cancellationToken);
        // What is kept in Redis knows no policies, so the membership is asked for.
        if (organizationId is null
            || !await db.OrganizationMemberships.AnyAsync(member => member.OrganizationId == organizationId && member.UserId == userId, cancellationToken))
        {
            return null;
        }

        return await FindAsync(SecretOwner.Organization(organizationId), name, cancellationToken) is { } shared ? await OpenAsync(shared, cancellationToken) : null;
    }

    private async Task<byte[]> OpenAsync(KeptSecret secret, CancellationToken cancellationToken)
    {
        var plaintext = await DecryptAsync(secret, cancellationToken);
        try
        {
            await audit.NoteAsync(
                new AuditNote(AuditNote.SecretRead, secret.Key, string.Create(CultureInfo.InvariantCulture, $"version {secret.Version}"), secret.OrganizationId, secret.UserId), db.Tenant);
            return plaintext;
        }
        catch
        {
            CryptographicOperations.ZeroMemory(plaintext);
            throw;
        }
    }

    // A rotation changes no version, so Redis may still have what it replaced, under a key that has left the ring since.
    private async Task<byte[]> DecryptAsync(KeptSecret secret, CancellationToken cancellationToken)
    {
        var owner = new SecretOwner(secret.UserId, secret.OrganizationId);
        await cipher.PrepareAsync(db, owner, writes: false, cancellationToken);
        try
        {
            return cipher.Open(secret);
        }
        catch (KeyRingMismatchException)
        {
            await cache.DropAsync(owner, secret, cancellationToken);
            var stored = await LoadAsync(owner, secret.Key, cancellationToken);
            if (stored is null || stored.ValueEncrypted == secret.ValueEncrypted)
                throw;
            return cipher.Open(stored);
        }
    }

    /// <summary>Stores a new secret.</summary>
    public async Task<SecretOutcome> AddAsync(SecretOwner owner, string name, string value, string? description, CancellationToken cancellationToken)
    {
        if (!await PrepareAsync(owner, cancellationToken))
            return SecretOutcome.NotAdmin;
        var now = time.GetUtcNow();
        var secret = new Secret
        {
            Id = EntityId.New(time),
            UserId = owner.UserId,
            OrganizationId = owner.OrganizationId,
            Kind = SecretKind.Custom,
            Key = name,
            ValueEncrypted = "",
            KeyId = "",
            Description = description ?? "",
            CreatedAt = now,
            UpdatedAt = now,
        };
        cipher.Seal(secret, Encoding.UTF8.GetBytes(value), now);
        await using var transaction = await StoreTransaction.BeginAsync(db, cancellationToken);
        db.Secrets.Add(secret);
        return await WriteAsync(transaction, owner, [name], cancellationToken);
    }

    /// <summary>Renames and describes a secret and keeps its value.</summary>
    public Task<SecretOutcome> RenameAsync(SecretOwner owner, string name, string newName, string? description, CancellationToken cancellationToken, long? version = null) =>
        ChangeAsync(owner, name, version, secret =>
        {
            var plaintext = cipher.Open(secret);
            secret.Key = newName;
            secret.Description = description ?? "";
            cipher.Seal(secret, plaintext, time.GetUtcNow());
            return Task.FromResult(SecretOutcome.Done);
        }, cancellationToken, newName);

    /// <summary>Gives a secret a new value and keeps the former one as a version.</summary>
    public Task<SecretOutcome> ReplaceValueAsync(SecretOwner owner, string name, string value, CancellationToken cancellationToken, long? version = null) =>
        ChangeAsync(owner, name, version, async secret =>
        {
            await KeepVersionAsync(secret, cancellationToken);
            cipher.Seal(secret, Encoding.UTF8.GetBytes(value), time.GetUtcNow());
            return SecretOutcome.Done;
        }, cancellationToken);

    /// <summary>Deletes a secret with all its versions.</summary>
    public Task<SecretOutcome> DeleteAsync(SecretOwner owner, string name, CancellationToken cancellationToken, long? version = null) =>
        ChangeAsync(owner, name, version, secret =>
        {
            db.Secrets.Remove(secret);
            return Task.FromResult(SecretOutcome.Done);
        }, cancellationToken);

    /// <summary>The former versions that are kept, newest first; null when there is no such secret.</summary>
    public async Task<IReadOnlyList<FormerSecret>?> VersionsAsync(SecretOwner owner, string name, CancellationToken cancellationToken)
    {
        var found = await Custom(owner).Where(secret => secret.Key == name)
            .Select(secret => new
            {
                Versions = db.SecretVersions
                    .Where(version => version.SecretId == secret.Id && version.UserId == owner.UserId && version.OrganizationId == owner.OrganizationId)
                    .OrderByDescending(version => version.Version)
                    .Select(version => new FormerSecret(version.Version, version.Key, version.ReplacedAt))
                    .ToList(),
            })
            .SingleOrDefaultAsync(cancellationToken);
        return found?.Versions;
    }

    /// <summary>Gives a secret the value of a former version. The present value becomes a version, too; the name stays.</summary>
    public Task<SecretOutcome> RestoreAsync(SecretOwner owner, string name, long formerVersion, CancellationToken cancellationToken, long? version = null) =>
        ChangeAsync(owner, name, version, async secret =>
        {
            var former = await db.SecretVersions.AsNoTracking()
                .Where(row => row.SecretId == secret.Id && row.Version == formerVersion && row.UserId == owner.UserId && row.OrganizationId == owner.OrganizationId)
                .SingleOrDefaultAsync(cancellationToken);
            if (former is null)
                return SecretOutcome.NotFound;

            var plaintext = cipher.Open(former);
            await KeepVersionAsync(secret, cancellationToken);
            cipher.Seal(secret, plaintext, time.GetUtcNow());
            await db.NoteAuditAsync("restored", string.Create(CultureInfo.InvariantCulture, $"value of version {formerVersion}"), cancellationToken);
            return SecretOutcome.Done;
        }, cancellationToken);

    private IQueryable<Secret> Custom(SecretOwner owner) => db.Secrets.Where(secret =>
        secret.UserId == owner.UserId && secret.OrganizationId == owner.OrganizationId && secret.Kind == SecretKind.Custom);

    // Under a row lock, so that of two changes the second goes on from the first.
    private async Task<SecretOutcome> ChangeAsync(
        SecretOwner owner, string name, long? version, Func<Secret, Task<SecretOutcome>> change, CancellationToken cancellationToken, string? newName = null)
    {
        await using var transaction = await StoreTransaction.BeginAsync(db, cancellationToken);
        if (await Custom(owner).Where(found => found.Key == name).Select(found => found.Id).SingleOrDefaultAsync(cancellationToken) is not { } id)
            return SecretOutcome.NotFound;

        // The policies let only those lock a row who may change it.
        var locked = await db.Secrets
            .FromSql(
                $"""
                SELECT id, user_id, organization_id, kind, key, value_encrypted, key_id, description, host, version, created_at, updated_at
                FROM secrets WHERE id = {id} FOR UPDATE
                """)
            .ToListAsync(cancellationToken);
        if (locked.SingleOrDefault() is not { } secret)
            return await Custom(owner).AnyAsync(found => found.Id == id, cancellationToken) ? SecretOutcome.NotAdmin : SecretOutcome.NotFound;
        if (secret.Key != name)
            return SecretOutcome.NotFound; // renamed in between
        if (version is not null && secret.Version != version)
            return SecretOutcome.Changed;

        await cipher.PrepareAsync(db, owner, writes: true, cancellationToken);
        var outcome = await change(secret);
        if (outcome != SecretOutcome.Done)
            return outcome;
        return await WriteAsync(transaction, owner, newName is null || newName == name ? [name] : [name, newName], cancellationToken);
    }

    // The policies let only those make a tenant's key who may write its secrets.
    private async Task<bool> PrepareAsync(SecretOwner owner, CancellationToken cancellationToken)
    {
        try
        {
            await cipher.PrepareAsync(db, owner, writes: true, cancellationToken);
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return false;
        }
    }

    // Between a marker and its end: whoever reads one of the names meanwhile reads PostgreSQL.
    private async Task<SecretOutcome> WriteAsync(
        StoreTransaction transaction, SecretOwner owner, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            var write = await cache.BlockAsync(owner, name, cancellationToken);
            transaction.AtEnd(_ => cache.FinishAsync(write));
        }

        var saved = await SaveAsync(cancellationToken);
        if (saved == SecretOutcome.Done)
            await transaction.CommitAsync(cancellationToken);
        return saved;
    }

    private Task<KeptSecret?> FindAsync(SecretOwner owner, string name, CancellationToken cancellationToken) => cache.FindAsync(
        owner, name, token => LoadAsync(owner, name, token),
        token => Custom(owner).Where(secret => secret.Key == name).Select(secret => (DateTimeOffset?)secret.UpdatedAt).SingleOrDefaultAsync(token),
        cancellationToken);

    private Task<KeptSecret?> LoadAsync(SecretOwner owner, string name, CancellationToken cancellationToken) => Custom(owner).Where(secret => secret.Key == name)
        .Select(secret => new KeptSecret(secret.Id, secret.UserId, secret.OrganizationId, secret.Key, secret.Version, secret.ValueEncrypted, secret.UpdatedAt))
        .SingleOrDefaultAsync(cancellationToken);

    private async Task<SecretOutcome> SaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return SecretOutcome.Done;
        }
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return SecretOutcome.NameTaken;
        }
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege })
        {
            return SecretOutcome.NotAdmin; // row-level security: a member may use an organization's secrets, not change them
        }
        finally
        {
            db.ChangeTracker.Clear();
        }
    }

    private async Task KeepVersionAsync(Secret secret, CancellationToken cancellationToken)
    {
        db.SecretVersions.Add(new SecretVersion
        {
            SecretId = secret.Id,
            Version = secret.Version,
            UserId = secret.UserId,
            OrganizationId = secret.OrganizationId,
            Key = secret.Key,
            ValueEncrypted = secret.ValueEncrypted,
            KeyId = secret.KeyId,
            ReplacedAt = time.GetUtcNow(),
        });
        await db.SecretVersions.Where(version => version.SecretId == secret.Id)
            .OrderByDescending(version => version.Version).Skip(MostVersions - 1)
            .ExecuteDeleteAsync(cancellationToken);
    }
}
