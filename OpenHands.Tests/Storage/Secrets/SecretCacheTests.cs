using System.Net;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Tests.Support;
using StackExchange.Redis;

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_loaded_before_a_change_brings_nothing_old_back_even_after_FLUSHALL(bool flush)
    {
        var owner = SecretOwner.User(_user);
        await WithAsync(store => store.AddAsync(owner, "TOKEN", "old", null, Token));
        await using var db = fixture.Database.Open(_user, _organization);
        var old = await db.Secrets.AsNoTracking().SingleAsync(secret => secret.UserId == _user && secret.Key == "TOKEN", Token);
        var loaded = new TaskCompletionSource();
        var changed = new TaskCompletionSource();
        var slow = _caches.Secrets.FindAsync(
            owner, "TOKEN",
            async _ =>
            {
                loaded.SetResult();
                await changed.Task;
                return new KeptSecret(old.Id, old.UserId, old.OrganizationId, old.Key, old.Version, old.ValueEncrypted, old.UpdatedAt);
            },
            _ => Task.FromResult<DateTimeOffset?>(old.UpdatedAt), Token);
        await loaded.Task;
        await WithAsync(store => store.ReplaceValueAsync(owner, "TOKEN", "new", Token));
        if (flush)
            await _redis.FlushAsync();
        changed.SetResult();
        await slow;
        Assert.Equal("new", await ValueAsync("TOKEN"));
        await using var other = new Caches(fixture.Database, _redis.Connection);
        Assert.Equal("new", await ValueAsync("TOKEN", caches: other));
    }

    [Fact]
    public async Task A_writer_that_is_killed_between_commit_and_the_end_of_its_write_leaves_nothing_old()
    {
        var owner = SecretOwner.User(_user);
        await WithAsync(store => store.AddAsync(owner, "TOKEN", "old", null, Token));
        Assert.Equal("old", await ValueAsync("TOKEN"));
        await _caches.Secrets.BlockAsync(owner, "TOKEN", Token);
        await using (var dead = new Caches(fixture.Database)) // commits, and never comes back to Redis
            await WithAsync(store => store.ReplaceValueAsync(owner, "TOKEN", "new", Token), caches: dead);
        Assert.Equal("new", await ValueAsync("TOKEN"));
        Assert.StartsWith("M", await _redis.Keys.StringGetAsync($"secret:user.{_user}.TOKEN"));
    }

    [Fact]
    public async Task A_replica_that_is_cut_off_from_Redis_is_right_itself_and_seen_by_the_others_within_two_seconds()
    {
        var owner = SecretOwner.User(_user);
        await WithAsync(store => store.AddAsync(owner, "TOKEN", "old", null, Token));
        var options = ConfigurationOptions.Parse(_redis.ConnectionString);
        await using var relay = new TcpRelay(((DnsEndPoint)options.EndPoints[0]).Port);
        relay.Open();
        options.EndPoints.Clear();
        options.EndPoints.Add("127.0.0.1", relay.Port);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        await using var replica = new Caches(fixture.Database, connection);
        Assert.Equal("old", await ValueAsync("TOKEN", caches: replica));
        Assert.Equal("old", await ValueAsync("TOKEN"));

        await relay.CloseAsync();
        await WithAsync(store => store.ReplaceValueAsync(owner, "TOKEN", "new", Token), caches: replica);
        Assert.Equal("new", await ValueAsync("TOKEN", caches: replica));
        await Eventually.TrueAsync("the others see it", async () => await ValueAsync("TOKEN") == "new");
        await WithAsync(store => store.ReplaceValueAsync(owner, "TOKEN", "newest", Token));
        Assert.Equal(("newest", "newest"), (await ValueAsync("TOKEN", caches: replica), await ValueAsync("TOKEN")));

        relay.Open();
        await Eventually.TrueAsync("it reaches Redis again", () => connection.IsConnected);
        Assert.Equal("newest", await ValueAsync("TOKEN", caches: replica));
    }

    [Fact]
    public async Task A_ciphertext_in_Redis_from_before_a_rotation_does_no_harm_when_the_old_key_is_gone()
    {
        const string New = "the key ring after the rotation, long enough";
        var owner = SecretOwner.User(_user);
        await WithAsync(store => store.AddAsync(owner, "TOKEN", "canary", null, Token));
        Assert.Equal("canary", await ValueAsync("TOKEN"));
        var kept = await _redis.Keys.StringGetAsync($"secret:user.{_user}.TOKEN");
        await using var system = NpgsqlDataSource.Create(fixture.Database.System);
        await new KeyRotation(new KeyRing(New, Ring), new KeyRotationOptions { RowsPerSecond = 100_000 }, TimeProvider.System).RunAsync(system, null, Token);
        Assert.Equal(kept, await _redis.Keys.StringGetAsync($"secret:user.{_user}.TOKEN"));

        Assert.Equal("canary", await ValueAsync("TOKEN", ring: New));
        Assert.NotEqual(kept, await _redis.Keys.StringGetAsync($"secret:user.{_user}.TOKEN"));
        Assert.Equal("canary", await ValueAsync("TOKEN", ring: New)); // from Redis, under the new key
        await Assert.ThrowsAsync<KeyRingMismatchException>(() => ValueAsync("TOKEN")); // what PostgreSQL holds is not hidden
    }

    private async Task<string?> ValueAsync(string name, string? user = null, Caches? caches = null, string ring = Ring) =>
        await WithAsync(store => store.FindValueAsync(user ?? _user, _organization, name, Token), user, caches, ring) is { } value ? Encoding.UTF8.GetString(value) : null;

    private async Task<T> WithAsync<T>(Func<SecretStore, Task<T>> act, string? user = null, Caches? caches = null, string ring = Ring)
    {
        await using var db = fixture.Database.Open(user ?? _user, _organization);
        return await act(new SecretStore(db, new SecretCipher(new KeyRing(ring)), (caches ?? _caches).Secrets, fixture.Database.Audit, TimeProvider.System));
    }
}
