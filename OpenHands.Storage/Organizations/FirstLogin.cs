using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Organizations;

/// <summary>Makes a user's row and default organization when they come for the first time, exactly once however many requests race.</summary>
public sealed class FirstLogin(OpenHandsDb db, TenantContext tenant, KnownUsers known, TimeProvider time)
{
    /// <summary>Name of a default organization until somebody renames it.</summary>
    public const string OrganizationName = "Personal";

    /// <summary>Does nothing for a user who has been here before.</summary>
    /// <param name="mayMakeUser">Whether the user's row may be missing; where it was made at the login, it is missing only of who was removed.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task EnsureAsync(bool mayMakeUser, CancellationToken cancellationToken)
    {
        var userId = tenant.UserId ?? throw new InvalidOperationException("Nobody was entered as tenant.");
        if (known.Has(userId))
            return;

        await db.Database.ExecuteSqlAsync(
            $"SELECT sign_in({EntityId.New(time)}, {OrganizationName}, {time.GetUtcNow()}) WHERE {mayMakeUser} OR EXISTS (SELECT FROM users WHERE id = {userId})",
            cancellationToken);
        known.Add(userId);
    }
}
