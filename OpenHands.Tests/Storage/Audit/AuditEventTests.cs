using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Invitations;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Settings;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Audit;

/// <summary>Every change and every read of a secret leaves an event that says who, what and from where, in the same transaction.</summary>
public sealed class AuditEventTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private const string Ring = "a key of the ring with more than 32 characters";

    private string _user = "", _organization = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _user = await fixture.Database.SignInAsync();
        _organization = await fixture.Database.DefaultOrganizationAsync(_user);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task The_life_of_a_secret_is_told()
    {
        var owner = SecretOwner.Organization(_organization);
        await WithSecretsAsync(store => store.AddAsync(owner, "TOKEN", "one", null, Token));
        await WithSecretsAsync(store => store.ReplaceValueAsync(owner, "TOKEN", "two", Token));
        Assert.Equal("two", Encoding.UTF8.GetString((await WithSecretsAsync(store => store.FindValueAsync(_user, _organization, "TOKEN", Token)))!));
        await WithSecretsAsync(store => store.RestoreAsync(owner, "TOKEN", 1, Token));
        await WithSecretsAsync(store => store.RenameAsync(owner, "TOKEN", "TOKEN2", null, Token));
        await WithSecretsAsync(store => store.DeleteAsync(owner, "TOKEN2", Token));

        Assert.Equal(
            [
                "secret.created|TOKEN|version 1", "secret.updated|TOKEN|version 2", "secret.read|TOKEN|version 2",
                "secret.restored|TOKEN|version 3, value of version 1", "secret.renamed|TOKEN2|version 4, was TOKEN", "secret.deleted|TOKEN2|version 4",
            ],
            await EventsAsync($"organization_id = '{_organization}' AND action LIKE 'secret.%'"));
        Assert.Equal(
            [$"{_user}|192.0.2.7|key1|request1"],
            await fixture.Database.QueryAsync($"SELECT DISTINCT actor, address, api_key_id, request_id FROM ({AuditRows.All}) AS e WHERE organization_id = '{_organization}' AND action LIKE 'secret.%'"));
    }

    [Fact]
    public async Task What_is_a_users_own_names_the_user_and_no_organization()
    {
        await WithSecretsAsync(store => store.AddAsync(SecretOwner.User(_user), "MINE", "one", null, Token));
        await using var db = fixture.Database.Open(_user);
        var cipher = new SecretCipher(new KeyRing(Ring));
        await new ProviderTokenStore(db, cipher, fixture.Database.Audit, TimeProvider.System).ReplaceAsync(_user, new Dictionary<string, ProviderToken> { ["github"] = new("t", null) }, Token);
        await new ProviderTokenStore(db, cipher, fixture.Database.Audit, TimeProvider.System).FindAsync(_user, "github", Token);
        var settings = new SettingsStore(db, cipher, fixture.Database.Audit, TimeProvider.System);
        await settings.MergeAsync(_user, new SettingsPost(new JsonObject { ["llm_api_key"] = "sk-a", ["llm_model"] = "m" }), Token);
        await settings.FindLlmApiKeyAsync(_user, Token);

        Assert.Equal(
            [
                "secret.created|MINE|version 1", "provider_token.created|github|version 1", "provider_token.read|github|",
                $"settings.updated|{_user}|secrets: llm_api_key", $"llm_api_key.read|{_user}|",
            ],
            await EventsAsync($"organization_id IS NULL AND user_id = '{_user}' AND action <> 'user.created'"));
    }

    [Fact]
    public async Task Members_keys_and_organizations_are_told_also_what_goes_with_a_membership()
    {
        var other = await fixture.Database.SignInAsync();
        await using var caches = new Caches(fixture.Database);
        await using var db = fixture.Database.Open(_user, _organization);
        var organizations = new OrganizationStore(db, db.Tenant!, new MembershipCache(caches.Entries), TimeProvider.System);
        Assert.Equal(OrganizationOutcome.Done, await organizations.AddMemberAsync(other, OrganizationRole.Member, Token));
        Assert.Equal(OrganizationOutcome.Done, await organizations.ChangeRoleAsync(other, OrganizationRole.Admin, Token));
        await using (var theirs = fixture.Database.Open(other, _organization))
            await new ApiKeyStore(theirs, theirs.Tenant!, TimeProvider.System).CreateAsync("ci", ["sessions:read"], null, Token);
        Assert.Equal(OrganizationOutcome.Done, await organizations.RemoveMemberAsync(other, Token));
        Assert.Equal(OrganizationOutcome.Done, await organizations.RenameAsync("Apex", null, Token));

        var key = (await fixture.Database.QueryAsync($"SELECT target FROM audit_events WHERE action = 'api_key.created' AND organization_id = '{_organization}'")).Single();
        var told = await EventsAsync($"organization_id = '{_organization}' AND (target = '{other}' OR action LIKE 'api_key.%' OR action = 'organization.renamed')");
        Assert.Equal(
            [
                $"api_key.created|{key}|ci: sessions:read", $"api_key.revoked|{key}|ci: sessions:read", $"member.added|{other}|member",
                $"member.removed|{other}|admin", $"member.role_changed|{other}|member to admin", $"organization.renamed|{_organization}|Apex",
            ],
            told.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Who_used_an_invitation_is_told_and_what_is_only_swept_is_not()
    {
        await using var db = fixture.Database.Open(_user, _organization);
        var invitations = new InvitationStore(db, db.Tenant!, TimeProvider.System);
        var until = TimeProvider.System.GetUtcNow().AddDays(7);
        var (open, token, _) = await invitations.CreateAsync(OrganizationRole.Member, null, until, null, Token);
        var (old, _, _) = await invitations.CreateAsync(OrganizationRole.Admin, "eve@example.org", until, null, Token);
        var guest = await fixture.Database.SignInAsync();
        await using (var theirs = fixture.Database.Open(guest))
            Assert.Equal(InvitationOutcome.Done, (await new InvitationStore(theirs, theirs.Tenant!, TimeProvider.System).AcceptAsync(token, Token)).Outcome);
        await fixture.Database.QueryAsync($"UPDATE invitations SET expires_at = now() - interval '31 days' WHERE id = '{old!.Id}'; DELETE FROM invitations WHERE organization_id = '{_organization}'");

        Assert.Equal(
            [$"invitation.created|{open!.Id}|member|{_user}", $"invitation.created|{old.Id}|admin, for eve@example.org|{_user}", $"invitation.accepted|{open.Id}|member|{guest}"],
            await fixture.Database.QueryAsync(
                $"SELECT action, target, detail, actor FROM audit_events WHERE organization_id = '{_organization}' AND action LIKE 'invitation.%' ORDER BY occurred_at, id"));
    }

    [Fact]
    public async Task What_is_rolled_back_was_never_done_and_re_encryption_is_no_change()
    {
        var owner = SecretOwner.Organization(_organization);
        await WithSecretsAsync(store => store.AddAsync(owner, "TOKEN", "one", null, Token));
        Assert.Equal(SecretOutcome.NameTaken, await WithSecretsAsync(store => store.AddAsync(owner, "TOKEN", "two", null, Token)));
        await fixture.Database.QueryAsync($"UPDATE secrets SET value_encrypted = value_encrypted, key_id = 'x' WHERE organization_id = '{_organization}'");
        await fixture.Database.QueryAsync($"UPDATE api_keys SET last_used_at = now()");
        Assert.Equal(["secret.created|TOKEN|version 1"], await EventsAsync($"organization_id = '{_organization}' AND action LIKE 'secret.%'"));
    }

    [Fact]
    public async Task Whoever_changes_rows_as_a_role_of_the_database_is_named_as_that()
    {
        await WithSecretsAsync(store => store.AddAsync(SecretOwner.Organization(_organization), "TOKEN", "one", null, Token));
        await fixture.Database.QueryAsync($"DELETE FROM secrets WHERE organization_id = '{_organization}'");
        Assert.Equal(["postgres"], await fixture.Database.QueryAsync($"SELECT actor FROM audit_events WHERE organization_id = '{_organization}' AND action = 'secret.deleted'"));
    }

    [Fact]
    public async Task Nobody_who_serves_changes_deletes_or_writes_events_by_hand()
    {
        foreach (var statement in new[] { "UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events", "INSERT INTO audit_events (id, actor, action, target, detail, occurred_at) VALUES ('x', 'x', 'x', 'x', 'x', now())", "SELECT * FROM audit_seals", "SELECT * FROM audit_groups", "DELETE FROM audit_groups" })
            Assert.Equal("42501", await RefusalAsync(fixture.Database.App, statement));
        foreach (var statement in new[] { "UPDATE audit_events SET actor = 'x'", "UPDATE audit_seals SET hash = ''", "DELETE FROM audit_seals", "UPDATE audit_groups SET actors = '{x}'" })
            Assert.Equal("42501", await RefusalAsync(fixture.Database.System, statement));
    }

    [Fact]
    public async Task A_value_is_not_handed_out_when_its_reading_cannot_be_written_down()
    {
        await WithSecretsAsync(store => store.AddAsync(SecretOwner.Organization(_organization), "TOKEN", "one", null, Token));
        await using var db = fixture.Database.Open(_user, _organization);
        await using var caches = new Caches(fixture.Database);
        using var port = new ClosedPort();
        var broken = new TestDatabase(new Npgsql.NpgsqlConnectionStringBuilder(fixture.Database.Administrator) { Port = port.Number }.ConnectionString, "none");
        var store = new SecretStore(db, new SecretCipher(new KeyRing(Ring)), caches.Secrets, broken.Audit, TimeProvider.System);
        await Assert.ThrowsAnyAsync<Exception>(() => store.FindValueAsync(_user, _organization, "TOKEN", Token));
        Assert.Empty(await EventsAsync($"organization_id = '{_organization}' AND action = 'secret.read'"));
    }

    [Fact]
    public async Task Readers_who_wait_at_the_same_time_share_a_commit()
    {
        const int Readers = 300;
        var log = fixture.Database.Audit;
        await Task.WhenAll(Enumerable.Range(0, Readers).Select(number =>
            log.NoteAsync(new AuditNote(AuditNote.SecretRead, $"S{number}", "", _organization, null), _user, new AuditOrigin("192.0.2.1", null, null))));
        var commits = long.Parse((await fixture.Database.QueryAsync(
            $"SELECT count(DISTINCT transaction_id::text) FROM ({AuditRows.All}) AS e WHERE organization_id = '{_organization}' AND action = 'secret.read'")).Single(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal([$"{Readers}"], await fixture.Database.QueryAsync($"SELECT count(DISTINCT target) FROM ({AuditRows.All}) AS e WHERE organization_id = '{_organization}' AND action = 'secret.read'"));
        Assert.InRange(commits, 1, Readers / 2);
    }

    [Fact]
    public async Task The_log_takes_its_connections_from_the_pool_of_the_contexts()
    {
        var name = $"pool {Guid.CreateVersion7():n}";
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql($"{fixture.Database.App};Application Name={name}").UseOpenHandsDb();
        await using (var db = new OpenHandsDb(options.Options))
            await db.Database.ExecuteSqlAsync($"SELECT 1", Token);
        await new AuditLog(DatabasePool.Of(options.Options), TimeProvider.System).NoteAsync(
            new AuditNote(AuditNote.SecretRead, "S", "", _organization, null), _user, new AuditOrigin(null, null, null));
        Assert.Equal(["1"], await fixture.Database.QueryAsync($"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'"));
    }

    [Fact]
    public async Task Whoever_waits_when_the_session_is_lost_is_told_and_the_next_is_written_over_another()
    {
        var name = $"lost {Guid.CreateVersion7():n}";
        var log = new AuditLog(new DatabasePool($"{fixture.Database.App};Application Name={name};Command Timeout=60"), TimeProvider.System);
        await using var holder = new Npgsql.NpgsqlConnection(fixture.Database.Administrator);
        await holder.OpenAsync(Token);
        await using var holds = await holder.BeginTransactionAsync(Token);
        await using (var hold = new Npgsql.NpgsqlCommand("LOCK TABLE audit_groups IN ACCESS EXCLUSIVE MODE", holder, holds))
            await hold.ExecuteNonQueryAsync(Token);
        var lost = NoteAsync("lost");
        await Eventually.TrueAsync("it waits", async () => await SessionsAsync("pid", "wait_event_type = 'Lock'") is [_]);
        var kept = NoteAsync("kept");

        await SessionsAsync("pg_terminate_backend(pid)", "true");
        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => lost);
        await holds.RollbackAsync(Token);
        await kept;
        Assert.Equal(["kept"], await fixture.Database.QueryAsync($"SELECT target FROM ({AuditRows.All}) AS e WHERE organization_id = '{_organization}' AND action = 'secret.read'"));

        Task NoteAsync(string target) => log.NoteAsync(new AuditNote(AuditNote.SecretRead, target, "", _organization, null), _user, new AuditOrigin(null, null, null));

        Task<IReadOnlyList<string>> SessionsAsync(string what, string which) =>
            fixture.Database.QueryAsync($"SELECT {what} FROM pg_stat_activity WHERE application_name = '{name}' AND {which}");
    }

    // Such a group could not become events, and would keep the sealer from all others.
    [Theory]
    [InlineData("'{x}', '{NULL,NULL}', '{NULL}', '{a}', '{b}', '{c}', '{d}', '{NULL}', '{NULL}', '{NULL}'")]
    [InlineData("'{x}', '{NULL}', '{NULL}', '{NULL}', '{b}', '{c}', '{d}', '{NULL}', '{NULL}', '{NULL}'")]
    [InlineData("'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'")]
    public async Task A_group_of_events_that_are_none_is_refused(string arrays) =>
        Assert.Equal("23514", await RefusalAsync(fixture.Database.App, $"SELECT add_audit_group({arrays}, ARRAY[now()])"));

    private static async Task<string?> RefusalAsync(string connectionString, string statement)
    {
        await using var connection = new Npgsql.NpgsqlConnection(connectionString);
        await connection.OpenAsync(Token);
        await using var command = new Npgsql.NpgsqlCommand(statement, connection);
        return (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => command.ExecuteNonQueryAsync(Token))).SqlState;
    }

    private Task<IReadOnlyList<string>> EventsAsync(string which) =>
        fixture.Database.QueryAsync($"SELECT action, target, detail FROM ({AuditRows.All}) AS e WHERE {which} ORDER BY occurred_at, id");

    private async Task<T> WithSecretsAsync<T>(Func<SecretStore, Task<T>> act)
    {
        await using var db = fixture.Database.Open(_user, _organization);
        db.Tenant!.Origin = new AuditOrigin("192.0.2.7", "key1", "request1");
        await using var caches = new Caches(fixture.Database);
        return await act(new SecretStore(db, new SecretCipher(new KeyRing(Ring)), caches.Secrets, fixture.Database.Audit, TimeProvider.System));
    }
}
