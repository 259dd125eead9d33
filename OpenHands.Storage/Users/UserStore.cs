using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Organizations;

namespace OpenHands.Storage.Users;

/// <summary>Removes the user of its scope's tenant.</summary>
public sealed class UserStore(OpenHandsDb db)
{
    /// <summary>
    /// Removes the user with everything that is theirs: settings, secrets, sessions, keys, memberships, and organizations in
    /// which nobody else is. Every replica refuses who was removed within five seconds.
    /// </summary>
    /// <returns>False when others would be left in an organization without an admin; then nothing is removed.</returns>
    public async Task<bool> RemoveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await db.Database.ExecuteSqlAsync($"SELECT remove_user()", cancellationToken);
            return true;
        }
        catch (PostgresException refused) when (refused.SqlState == OrganizationStore.NoAdminLeft)
        {
            return false;
        }
    }
}
