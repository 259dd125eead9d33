using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.ApiKeys;

/// <summary>Keeps the API keys of a user in an organization: that of the scope's tenant, else the active one.</summary>
public sealed class ApiKeyStore(OpenHandsDb db, TenantContext tenant, TimeProvider time)
{
    private string UserId => tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");

    /// <summary>The user's keys in the organization after an id, in the order of their ids.</summary>
    public async Task<IReadOnlyList<ApiKeySummary>> ListAsync(string after, int most, CancellationToken cancellationToken)
    {
        // The policies leave the keys of the tenant's organization.
        var keys = await db.ApiKeys.AsNoTracking()
            .Where(key => key.UserId == UserId && string.Compare(key.Id, after) > 0)
            .OrderBy(key => key.Id).Take(most).ToListAsync(cancellationToken);
        return [.. keys.Select(Summary)];
    }

    /// <summary>Makes a key.</summary>
    /// <param name="name">Name to show.</param>
    /// <param name="scopes">What it may be used for.</param>
    /// <param name="expiresAt">From when it is refused; null for never.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The key with its text, which is kept nowhere; null when the user is in no organization here.</returns>
    public async Task<(ApiKeySummary Summary, string Key)?> CreateAsync(
        string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var text = ApiKeyText.New();
        var organization = tenant.OrganizationId
            ?? await db.Users.Where(user => user.Id == UserId).Select(user => user.ActiveOrganizationId).SingleOrDefaultAsync(cancellationToken);
        if (organization is null)
            return null;

        var key = new ApiKey
        {
            Id = EntityId.New(time),
            UserId = UserId,
            OrganizationId = organization,
            Name = name,
            Prefix = ApiKeyText.ShownPart(text),
            Hash = ApiKeyText.HashOf(text),
            Scopes = [.. scopes],
            CreatedAt = time.GetUtcNow(),
            ExpiresAt = expiresAt,
        };
        db.ApiKeys.Add(key);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            return (Summary(key), text);
        }
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege })
        {
            return null; // no member, or no longer
        }
        finally
        {
            db.ChangeTracker.Clear();
        }
    }

    /// <summary>Ends a key. It is refused within a second by every process.</summary>
    /// <returns>Whether there was such a key.</returns>
    public async Task<bool> RevokeAsync(string id, CancellationToken cancellationToken) =>
        await db.ApiKeys.Where(key => key.UserId == UserId && key.Id == id).ExecuteDeleteAsync(cancellationToken) == 1;

    private static ApiKeySummary Summary(ApiKey key) =>
        new(key.Id, key.Name, key.Prefix, key.OrganizationId, key.Scopes, key.CreatedAt, key.LastUsedAt, key.ExpiresAt);
}
