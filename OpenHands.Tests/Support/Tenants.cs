using OpenHands.Storage;
using OpenHands.Storage.Organizations;

namespace OpenHands.Tests.Support;

/// <summary>Users and organizations of a test, made as the platform makes them.</summary>
internal static class Tenants
{
    /// <summary>A new user with a default organization.</summary>
    public static async Task<string> SignInAsync(this TestDatabase database)
    {
        var user = EntityId.New(TimeProvider.System);
        await database.SignInAsync(user);
        return user;
    }

    /// <summary>One request more of a user who may be new.</summary>
    public static async Task SignInAsync(this TestDatabase database, string user)
    {
        await using var db = database.Open(user);
        await new FirstLogin(db, db.Tenant!, new KnownUsers(TimeProvider.System), TimeProvider.System).EnsureAsync(mayMakeUser: true, TestContext.Current.CancellationToken);
    }

    /// <summary>Id of the user's default organization.</summary>
    public static async Task<string> DefaultOrganizationAsync(this TestDatabase database, string user) =>
        Assert.Single(await database.QueryAsync($"SELECT id FROM organizations WHERE default_of_user_id = '{user}'"));

    /// <summary>Puts the user into the organization, as the administrator of the database.</summary>
    public static Task JoinAsync(this TestDatabase database, string organization, string user, string role = OrganizationRole.Member) =>
        database.QueryAsync($"INSERT INTO organization_memberships VALUES ('{organization}', '{user}', '{role}', 1, now(), now())");
}
