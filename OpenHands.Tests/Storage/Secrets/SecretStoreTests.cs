using System.Text;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Secrets;

public sealed class SecretStoreTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private const string Ring = "a key ring of the tests, long enough";

    private string _user = "";
    private string _organization = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private SecretOwner Mine => SecretOwner.User(_user);

    private SecretOwner Ours => SecretOwner.Organization(_organization);

    public async ValueTask InitializeAsync()
    {
        _user = await fixture.Database.SignInAsync();
        _organization = await fixture.Database.DefaultOrganizationAsync(_user);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_renamed_secret_keeps_its_value_and_frees_its_name()
    {
        await AddAsync(Mine, "A", "value");
        Assert.Equal(SecretOutcome.Done, await WithAsync(store => store.RenameAsync(Mine, "A", "B", "what for", Token)));
        Assert.Null(await ValueAsync("A"));
        Assert.Equal("value", await ValueAsync("B"));
        Assert.Equal([("B", "what for", 2L)], (await WithAsync(store => store.ListAsync(Mine, Token))).Select(secret => (secret.Name, secret.Description, secret.Version)));
        await AddAsync(Mine, "A", "other");
        Assert.Equal(SecretOutcome.NameTaken, await WithAsync(store => store.RenameAsync(Mine, "B", "A", null, Token)));
        Assert.Equal("value", await ValueAsync("B"));
    }

    [Fact]
    public async Task Of_one_name_the_users_own_comes_before_the_organizations()
    {
        await AddAsync(Ours, "TOKEN", "ours");
        Assert.Equal("ours", await ValueAsync("TOKEN"));
        await AddAsync(Mine, "TOKEN", "mine");
        Assert.Equal("mine", await ValueAsync("TOKEN"));
        Assert.Equal(SecretOutcome.Done, await WithAsync(store => store.DeleteAsync(Mine, "TOKEN", Token)));
        Assert.Equal("ours", await ValueAsync("TOKEN"));
        // Deleting the user's own never falls through to the organization's.
        Assert.Equal(SecretOutcome.NotFound, await WithAsync(store => store.DeleteAsync(Mine, "TOKEN", Token)));
        Assert.Equal("ours", await ValueAsync("TOKEN"));
    }

    [Theory]
    [InlineData("settings")]
    [InlineData("provider_tokens")]
    [InlineData("github")]
    public async Task No_name_meets_what_the_platform_stores_itself(string name)
    {
        await ReplaceTokensAsync(new() { ["github"] = new("ghp", null) });
        await AddAsync(Mine, name, "value");
        Assert.Equal("ghp", await TokenAsync("github"));
        Assert.Equal("value", await ValueAsync(name));
        Assert.Equal([name], (await WithAsync(store => store.ListAsync(Mine, Token))).Select(secret => secret.Name));
        await WithAsync(store => store.DeleteAsync(Mine, name, Token));
        Assert.Equal("ghp", await TokenAsync("github"));
    }

    [Fact]
    public async Task Former_values_can_be_restored_also_after_a_new_name()
    {
        await AddAsync(Mine, "A", "one");
        Assert.Equal(SecretOutcome.Done, await WithAsync(store => store.ReplaceValueAsync(Mine, "A", "two", Token)));
        await WithAsync(store => store.RenameAsync(Mine, "A", "B", null, Token));
        await WithAsync(store => store.ReplaceValueAsync(Mine, "B", "three", Token));

        var versions = await WithAsync(store => store.VersionsAsync(Mine, "B", Token));
        Assert.Equal([(3L, "B"), (1L, "A")], versions!.Select(version => (version.Version, version.Name)));
        Assert.Equal(SecretOutcome.Done, await WithAsync(store => store.RestoreAsync(Mine, "B", 1, Token)));
        Assert.Equal("one", await ValueAsync("B"));
        Assert.Equal(SecretOutcome.Done, await WithAsync(store => store.RestoreAsync(Mine, "B", 3, Token)));
        Assert.Equal("two", await ValueAsync("B"));
        Assert.Equal(SecretOutcome.NotFound, await WithAsync(store => store.RestoreAsync(Mine, "B", 2, Token)));
        Assert.Null(await WithAsync(store => store.VersionsAsync(Mine, "A", Token)));
    }

    [Fact]
    public async Task Only_the_twenty_newest_versions_are_kept()
    {
        await AddAsync(Mine, "A", "0");
        for (var value = 1; value <= 25; value++)
            await WithAsync(store => store.ReplaceValueAsync(Mine, "A", $"{value}", Token));
        var versions = await WithAsync(store => store.VersionsAsync(Mine, "A", Token));
        Assert.Equal(Enumerable.Range(6, 20).Reverse().Select(version => (long)version), versions!.Select(version => version.Version));
    }

    [Fact]
    public async Task Of_secrets_of_one_name_that_race_one_is_made_and_no_change_is_lost()
    {
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(number => WithAsync(store => store.AddAsync(Mine, "A", $"{number}", null, Token))));
        Assert.Single(outcomes, SecretOutcome.Done);
        Assert.Equal(11, outcomes.Count(outcome => outcome == SecretOutcome.NameTaken));

        await Task.WhenAll(Enumerable.Range(0, 12).Select(number => WithAsync(store => store.ReplaceValueAsync(Mine, "A", $"new {number}", Token))));
        Assert.Equal(13, Assert.Single(await WithAsync(store => store.ListAsync(Mine, Token))).Version);
        Assert.Equal(12, (await WithAsync(store => store.VersionsAsync(Mine, "A", Token)))!.Count);
        Assert.StartsWith("new ", await ValueAsync("A"));
    }

    [Fact]
    public async Task A_member_uses_the_organizations_secrets_and_changes_none()
    {
        await AddAsync(Ours, "A", "value");
        var member = await fixture.Database.SignInAsync();
        await fixture.Database.JoinAsync(_organization, member);
        Assert.Equal("value", await ValueAsync("A", member));
        Assert.Equal(SecretOutcome.NotAdmin, await WithAsync(store => store.AddAsync(Ours, "B", "v", null, Token), member));
        Assert.Equal(SecretOutcome.NotAdmin, await WithAsync(store => store.ReplaceValueAsync(Ours, "A", "v", Token), member));
        Assert.Equal(SecretOutcome.NotAdmin, await WithAsync(store => store.RenameAsync(Ours, "A", "B", null, Token), member));
        Assert.Equal(SecretOutcome.NotAdmin, await WithAsync(store => store.DeleteAsync(Ours, "A", Token), member));
        Assert.Equal("value", await ValueAsync("A"));
    }

    [Fact]
    public async Task Another_user_finds_nothing_and_changes_nothing()
    {
        await AddAsync(Mine, "A", "value");
        await AddAsync(Ours, "B", "value");
        var stranger = await fixture.Database.SignInAsync();
        foreach (var owner in new[] { Mine, Ours })
        {
            Assert.Empty(await WithAsync(store => store.ListAsync(owner, Token), stranger));
            Assert.Equal(SecretOutcome.NotFound, await WithAsync(store => store.DeleteAsync(owner, "A", Token), stranger));
            Assert.Equal(SecretOutcome.NotFound, await WithAsync(store => store.ReplaceValueAsync(owner, "B", "v", Token), stranger));
            Assert.Equal(SecretOutcome.NotAdmin, await WithAsync(store => store.AddAsync(owner, "C", "v", null, Token), stranger));
        }

        Assert.Null(await WithAsync(store => store.FindValueAsync(_user, _organization, "A", Token), stranger));
    }

    // Whoever can write rows, but lacks the ring, can put every ciphertext everywhere.
    [Fact]
    public async Task A_ciphertext_that_was_put_into_another_row_is_refused_there_and_read_again_at_home()
    {
        await AddAsync(Mine, "A", "value of A");
        await AddAsync(Mine, "B", "value of B");
        await WithAsync(store => store.ReplaceValueAsync(Mine, "A", "value of A, second", Token));
        await AddAsync(Ours, "C", "value of C");
        var stranger = await fixture.Database.SignInAsync();
        await WithAsync(store => store.AddAsync(SecretOwner.User(stranger), "A", "of a stranger", null, Token), stranger);
        var rows = (await fixture.Database.QueryAsync(
            $"""
            SELECT id, key, value_encrypted FROM secrets WHERE user_id IN ('{_user}', '{stranger}') OR organization_id = '{_organization}'
            UNION ALL SELECT secret_id, 'former', value_encrypted FROM secret_versions WHERE user_id = '{_user}'
            """)).Select(row => row.Split('|')).ToList();
        Assert.Equal(5, rows.Count);

        var refused = 0;
        foreach (var home in rows.Where(row => row[1] != "former"))
        {
            foreach (var foreign in rows.Where(row => row[2] != home[2]))
            {
                await fixture.Database.QueryAsync($"UPDATE secrets SET value_encrypted = '{foreign[2]}' WHERE id = '{home[0]}'");
                await Assert.ThrowsAsync<SecretRefusedException>(() => OfRowAsync(home[0], stranger));
                refused++;
            }

            await fixture.Database.QueryAsync($"UPDATE secrets SET value_encrypted = '{home[2]}' WHERE id = '{home[0]}'");
            Assert.NotNull(await OfRowAsync(home[0], stranger));
        }

        Assert.Equal(16, refused);
        await fixture.Database.QueryAsync(
            $"UPDATE secret_versions SET value_encrypted = (SELECT value_encrypted FROM secrets WHERE user_id = '{_user}' AND key = 'B') WHERE user_id = '{_user}'");
        await Assert.ThrowsAsync<SecretRefusedException>(() => WithAsync(store => store.RestoreAsync(Mine, "A", 1, Token)));
        Assert.Equal("value of A, second", await ValueAsync("A"));
    }

    [Fact]
    public async Task Under_another_key_ring_nothing_is_read_and_a_rename_overwrites_nothing()
    {
        await AddAsync(Mine, "A", "value");
        const string Other = "another key ring, just as long as it";
        await Assert.ThrowsAsync<KeyRingMismatchException>(() => WithAsync(store => store.FindValueAsync(_user, null, "A", Token), ring: Other));
        await Assert.ThrowsAsync<KeyRingMismatchException>(() => WithAsync(store => store.RenameAsync(Mine, "A", "B", null, Token), ring: Other));
        Assert.Equal("value", await ValueAsync("A"));
    }

    [Fact]
    public async Task No_value_stands_in_clear_in_any_column()
    {
        await AddAsync(Mine, "A", "canary-1");
        await WithAsync(store => store.ReplaceValueAsync(Mine, "A", "canary-2", Token));
        await ReplaceTokensAsync(new() { ["github"] = new("canary-3", "ghe.example.org") });
        var rows = await fixture.Database.QueryAsync(
            $"SELECT s::text FROM secrets s WHERE user_id = '{_user}' UNION ALL SELECT v::text FROM secret_versions v WHERE user_id = '{_user}'");
        Assert.Equal(3, rows.Count);
        Assert.DoesNotContain(rows, row => row.Contains("canary"));
    }

    [Fact]
    public async Task Tokens_of_providers_are_kept_replaced_moved_and_removed()
    {
        await ReplaceTokensAsync(new() { ["github"] = new("g1", null), ["gitlab"] = new("l1", "lab.example.org"), ["forgejo"] = new(null, "f.example.org") });
        Assert.Equal(("g1", "l1", (string?)null), (await TokenAsync("github"), await TokenAsync("gitlab"), await TokenAsync("forgejo")));
        await ReplaceTokensAsync(new() { ["github"] = new(null, "ghe.example.org"), ["forgejo"] = new("f1", null) });
        Assert.Equal(("g1", (string?)null, "f1"), (await TokenAsync("github"), await TokenAsync("gitlab"), await TokenAsync("forgejo")));
        Assert.Equal(["forgejo|", "github|ghe.example.org"], await fixture.Database.QueryAsync(
            $"SELECT key, host FROM secrets WHERE user_id = '{_user}' AND kind = 'provider_token' ORDER BY key"));
    }

    [Fact]
    public async Task A_tenant_s_key_that_was_rolled_back_encrypts_nothing_afterwards()
    {
        var cipher = new SecretCipher(new KeyRing(Ring), new TenantKeys(writes: true, TimeProvider.System));
        await using (var db = fixture.Database.Open(_user))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            await cipher.PrepareAsync(db, Mine, writes: true, Token);
            await transaction.RollbackAsync(Token);
        }

        Assert.Equal(SecretOutcome.Done, await WithAsync(cipher, store => store.AddAsync(Mine, "A", "value", null, Token)));
        var elsewhere = new SecretCipher(new KeyRing(Ring), new TenantKeys(writes: true, TimeProvider.System));
        Assert.Equal("value", Text(await WithAsync(elsewhere, store => store.FindValueAsync(_user, null, "A", Token))));
    }

    private async Task AddAsync(SecretOwner owner, string name, string value) =>
        Assert.Equal(SecretOutcome.Done, await WithAsync(store => store.AddAsync(owner, name, value, null, Token)));

    // The value of a row, read as the one whose it is.
    private async Task<string?> OfRowAsync(string id, string stranger)
    {
        var row = Assert.Single(await fixture.Database.QueryAsync($"SELECT coalesce(user_id, ''), key FROM secrets WHERE id = '{id}'")).Split('|');
        return await ValueAsync(row[1], row[0] == stranger ? stranger : _user);
    }

    private async Task<string?> ValueAsync(string name, string? user = null) =>
        Text(await WithAsync(store => store.FindValueAsync(user ?? _user, _organization, name, Token), user));

    private Task<T> WithAsync<T>(Func<SecretStore, Task<T>> act, string? user = null, string ring = Ring) =>
        WithAsync(new SecretCipher(new KeyRing(ring)), act, user);

    private async Task<T> WithAsync<T>(SecretCipher cipher, Func<SecretStore, Task<T>> act, string? user = null)
    {
        await using var db = fixture.Database.Open(user ?? _user, _organization);
        await using var caches = new Caches(fixture.Database);
        return await act(new SecretStore(db, cipher, caches.Secrets, fixture.Database.Audit, TimeProvider.System));
    }

    private async Task ReplaceTokensAsync(Dictionary<string, ProviderToken> tokens)
    {
        await using var db = fixture.Database.Open(_user);
        await new ProviderTokenStore(db, new SecretCipher(new KeyRing(Ring)), fixture.Database.Audit, TimeProvider.System).ReplaceAsync(_user, tokens, Token);
    }

    private async Task<string?> TokenAsync(string provider)
    {
        await using var db = fixture.Database.Open(_user);
        return Text((await new ProviderTokenStore(db, new SecretCipher(new KeyRing(Ring)), fixture.Database.Audit, TimeProvider.System).FindAsync(_user, provider, Token))?.Value);
    }

    private static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);
}
