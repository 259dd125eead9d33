using System.Text;
using OpenHands.Storage.Secrets;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Secrets;

/// <summary>Secrets in Redis: encrypted, found by owner and name, and never older than what was acknowledged.</summary>
public sealed class SecretCacheTests(DatabaseFixture fixture, RedisFixture redisServer) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private const string Ring = "a key ring of the tests, long enough";

    private RedisDatabase _redis = null!;
    private Caches _caches = null!;
    private string _user = null!;
    private string _organization = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await redisServer.CreateDatabaseAsync();
        _caches = new Caches(fixture.Database, _redis.Connection);
        _user = await fixture.Database.SignInAsync();
        _organization = await fixture.Database.DefaultOrganizationAsync(_user);
    }

    public async ValueTask DisposeAsync()
    {
        await _caches.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_value_is_kept_encrypted_and_every_change_is_seen_at_once()
    {
        Assert.Null(await ValueAsync("TOKEN")); // kept, too: there is none
        await WithAsync(store => store.AddAsync(SecretOwner.User(_user), "TOKEN", "canary-one", null, Token));
        Assert.Equal("canary-one", await ValueAsync("TOKEN"));
        Assert.Equal([$"secret:user.{_user}.TOKEN"], (await _redis.AllKeysAsync()).Where(key => key.Contains(_user, StringComparison.Ordinal)));
        Assert.DoesNotContain("canary", (string?)await _redis.Keys.StringGetAsync($"secret:user.{_user}.TOKEN"));

        await WithAsync(store => store.ReplaceValueAsync(SecretOwner.User(_user), "TOKEN", "canary-two", Token));
        Assert.Equal("canary-two", await ValueAsync("TOKEN"));
        await WithAsync(store => store.RenameAsync(SecretOwner.User(_user), "TOKEN", "OTHER", null, Token));
        Assert.Equal((null, "canary-two"), (await ValueAsync("TOKEN"), await ValueAsync("OTHER")));
        await WithAsync(store => store.DeleteAsync(SecretOwner.User(_user), "OTHER", Token));
        await WithAsync(store => store.AddAsync(SecretOwner.User(_user), "OTHER", "canary-three", null, Token));
        Assert.Equal("canary-three", await ValueAsync("OTHER"));
    }

    [Fact]
    public async Task An_organization_s_secret_in_Redis_is_for_members_only()
    {
        await WithAsync(store => store.AddAsync(SecretOwner.Organization(_organization), "SHARED", "canary", null, Token));
        Assert.Equal("canary", await ValueAsync("SHARED"));
        Assert.Contains($"secret:organization.{_organization}.SHARED", await _redis.AllKeysAsync());
        var stranger = await fixture.Database.SignInAsync();
        Assert.Null(await ValueAsync("SHARED", stranger));
    }

    private async Task<string?> ValueAsync(string name, string? user = null) =>
        await WithAsync(store => store.FindValueAsync(user ?? _user, _organization, name, Token), user) is { } value ? Encoding.UTF8.GetString(value) : null;

    private async Task<T> WithAsync<T>(Func<SecretStore, Task<T>> act, string? user = null)
    {
        await using var db = fixture.Database.Open(user ?? _user, _organization);
        return await act(new SecretStore(db, new SecretCipher(new KeyRing(Ring)), _caches.Secrets, fixture.Database.Audit, TimeProvider.System));
    }
}
