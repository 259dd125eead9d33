using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Organizations;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Organizations;

/// <summary>An organization always has an admin, however many of them go at the same time and however slow commits are.</summary>
public sealed class LastAdminTests(DatabaseServer server)
{
    // Between the check of the admins and the commit, where a slow disk would be.
    private static string SlowCommits(string seconds) =>
        $$"""
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({{seconds}}); RETURN NULL; END $$;
        GRANT EXECUTE ON FUNCTION slow() TO PUBLIC;
        CREATE CONSTRAINT TRIGGER zz_slow AFTER UPDATE OR DELETE ON organization_memberships
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_two_thousand_admins_that_are_demoted_removed_or_deleted_at_once_one_stays_in_each_organization()
    {
        var database = await server.CreateMigratedAsync();
        await EverybodyGoesAsync(database, () => database.QueryAsync(SlowCommits("0.001")));
    }

    // The disk's own delay, on a server that waits for its disk: after the triggers, before the locks are given back.
    [Fact]
    public async Task One_admin_stays_when_the_server_delays_its_commits()
    {
        await using var durable = new DatabaseServer(durable: true);
        var database = await durable.CreateMigratedAsync();
        Assert.Equal(["on"], await database.QueryAsync("SHOW fsync"));
        await EverybodyGoesAsync(database, () => database.QueryAsync(
            $"ALTER DATABASE {database.Name} SET commit_delay = 5000; ALTER DATABASE {database.Name} SET commit_siblings = 0"));
    }

    private static async Task EverybodyGoesAsync(TestDatabase database, Func<Task> slowDownAsync)
    {
        const int organizations = 100;
        const int admins = 20;
        await MakeAsync(database, organizations, admins);
        await slowDownAsync();

        var outcomes = new int[8];
        var everybody = from organization in Enumerable.Range(1, organizations) from admin in Enumerable.Range(1, admins) select (organization, admin);
        await Parallel.ForEachAsync(everybody, new ParallelOptions { MaxDegreeOfParallelism = 24, CancellationToken = Token }, async (who, _) =>
        {
            var outcome = await GoAsync(database, who.organization, who.admin, admins);
            Interlocked.Increment(ref outcomes[(int)outcome]);
        });

        Assert.Equal([$"{organizations}"], await database.QueryAsync(
            "SELECT count(*) FROM organizations o WHERE EXISTS (SELECT FROM organization_memberships m WHERE m.organization_id = o.id AND m.role = 'admin')"));
        Assert.True(outcomes[(int)OrganizationOutcome.Done] > organizations * admins / 2, string.Join(',', outcomes));
        // Everybody wants to go, so the last one of each was held.
        Assert.True(outcomes[(int)OrganizationOutcome.LastAdmin] >= organizations, string.Join(',', outcomes));
    }

    // Why the trigger locks the organization: without the lock the same test finds organizations that nobody rules.
    [Fact]
    public async Task A_trigger_that_only_counts_would_leave_none()
    {
        const int organizations = 5;
        var database = await server.CreateMigratedAsync();
        await MakeAsync(database, organizations, admins: 2);
        await database.QueryAsync(SlowCommits("0.3"));
        var function = Assert.Single(await database.QueryAsync("SELECT pg_get_functiondef('keep_an_admin'::regproc)"));
        var counting = function.Replace("FOR NO KEY UPDATE", "", StringComparison.Ordinal);
        Assert.NotEqual(function, counting);
        await database.QueryAsync(counting);

        await Task.WhenAll(Enumerable.Range(1, organizations).SelectMany(organization => new[] { 1, 2 }.Select(admin =>
            WithStoreAsync(database, organization, admin, store => store.ChangeRoleAsync(User(organization, admin), OrganizationRole.Member, Token)))));
        Assert.NotEqual(["0"], await database.QueryAsync(
            "SELECT count(*) FROM organizations o WHERE NOT EXISTS (SELECT FROM organization_memberships m WHERE m.organization_id = o.id AND m.role = 'admin')"));
    }

    [Theory]
    [InlineData("UPDATE organization_memberships SET role = 'member' WHERE organization_id = '{0}'")]
    [InlineData("DELETE FROM organization_memberships WHERE organization_id = '{0}'")]
    [InlineData("DELETE FROM users WHERE active_organization_id = '{0}'")]
    [InlineData("INSERT INTO organizations VALUES ('empty', 'Empty', NULL, 1, now(), now())")]
    [InlineData("BEGIN ISOLATION LEVEL REPEATABLE READ; DELETE FROM organization_memberships WHERE organization_id = '{0}'; COMMIT", PostgresErrorCodes.FeatureNotSupported)]
    public async Task No_statement_leaves_an_organization_without_admin(string statement, string expected = "OH001")
    {
        var database = await server.CreateMigratedAsync();
        var organization = await database.DefaultOrganizationAsync(await database.SignInAsync());
        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.QueryAsync(string.Format(statement, organization)));
        Assert.Equal(expected, refused.SqlState);
    }

    [Fact]
    public async Task An_organization_may_go_as_a_whole()
    {
        var database = await server.CreateMigratedAsync();
        var user = await database.SignInAsync();
        await database.QueryAsync($"DELETE FROM organizations; DELETE FROM users WHERE id = '{user}'");
        Assert.Equal(["0"], await database.QueryAsync("SELECT count(*) FROM users"));
    }

    private static async Task<OrganizationOutcome> GoAsync(TestDatabase database, int organization, int admin, int admins)
    {
        var (me, next) = (User(organization, admin), User(organization, (admin % admins) + 1));
        return (admin % 4) switch
        {
            0 => await WithStoreAsync(database, organization, admin, store => store.ChangeRoleAsync(me, OrganizationRole.Member, Token)),
            1 => await WithStoreAsync(database, organization, admin, store => store.RemoveMemberAsync(me, Token)),
            2 => await WithStoreAsync(database, organization, admin, async store =>
            {
                await store.RemoveMemberAsync(next, Token);
                return await store.RemoveMemberAsync(me, Token);
            }),
            _ => await DeleteUserAsync(database, me),
        };
    }

    private static async Task<OrganizationOutcome> DeleteUserAsync(TestDatabase database, string user)
    {
        await using var db = database.Open(user);
        try
        {
            await db.Users.Where(row => row.Id == user).ExecuteDeleteAsync(Token);
            return OrganizationOutcome.Done;
        }
        catch (PostgresException refused) when (refused.SqlState == "OH001")
        {
            return OrganizationOutcome.LastAdmin;
        }
    }

    private static async Task<OrganizationOutcome> WithStoreAsync(
        TestDatabase database, int organization, int admin, Func<OrganizationStore, Task<OrganizationOutcome>> act)
    {
        await using var caches = new Caches(database);
        await using var db = database.Open(User(organization, admin), $"o{organization}");
        return await act(new OrganizationStore(db, db.Tenant!, new MembershipCache(caches.Entries), TimeProvider.System));
    }

    private static string User(int organization, int admin) => $"u{organization}-{admin}";

    private static Task<IReadOnlyList<string>> MakeAsync(TestDatabase database, int organizations, int admins) => database.QueryAsync(
        $"""
        INSERT INTO users SELECT format('u%s-%s', o, a), NULL, NULL, now(), now(), NULL FROM generate_series(1, {organizations}) o, generate_series(1, {admins}) a;
        INSERT INTO organizations SELECT 'o' || o, 'Organization', NULL, 1, now(), now() FROM generate_series(1, {organizations}) o;
        INSERT INTO organization_memberships
        SELECT 'o' || o, format('u%s-%s', o, a), 'admin', 1, now(), now() FROM generate_series(1, {organizations}) o, generate_series(1, {admins}) a
        """);
}
