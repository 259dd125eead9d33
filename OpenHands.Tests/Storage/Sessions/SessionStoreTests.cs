using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using OpenHands.Storage;
using OpenHands.Storage.Sessions;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Sessions;

public sealed class SessionStoreTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private Caches _caches = null!;
    private string _user = "";
    private string _organization = "";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _caches = new Caches(fixture.Database, redis: null, _time);
        _user = await fixture.Database.SignInAsync();
        _organization = await fixture.Database.DefaultOrganizationAsync(_user);
    }

    public ValueTask DisposeAsync() => _caches.DisposeAsync();

    [Fact]
    public async Task Of_patches_that_race_none_is_lost()
    {
        var id = await MakeAsync();
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Token }, async (number, _) =>
            Assert.Equal(SessionOutcome.Done, (await WithAsync(store => store.PatchAsync(id, new JsonObject { [$"m{number}"] = number }, version: null, Token))).Outcome));
        var saved = await ReadAsync(id);
        Assert.Equal(201, saved.Version);
        Assert.Equal(Enumerable.Range(0, 200), saved.State.Read().Select(member => (int)member.Value!).Order());
    }

    [Fact]
    public async Task Of_patches_for_one_version_one_is_taken()
    {
        var id = await MakeAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 10).Select(number =>
            WithAsync(store => store.PatchAsync(id, new JsonObject { ["winner"] = number }, version: 1, Token))));
        Assert.Single(outcomes, outcome => outcome.Outcome == SessionOutcome.Done);
        Assert.Equal(9, outcomes.Count(outcome => outcome.Outcome == SessionOutcome.Changed));
        Assert.Equal(2, (await ReadAsync(id)).Version);
    }

    [Fact]
    public async Task Reading_writes_nothing_and_the_access_is_written_down_later()
    {
        var id = await MakeAsync();
        var before = await RowAsync(id);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(_time.GetUtcNow(), (await ReadAsync(id)).LastAccessedAt);
        Assert.Equal(before, await RowAsync(id));

        await _caches.Accesses.WriteAsync(Token);
        Assert.Equal(["True"], await fixture.Database.QueryAsync($"SELECT last_accessed_at = created_at + interval '59 seconds' FROM sessions WHERE id = '{id}'"));
        // The row's own version is untouched: an access is no change.
        Assert.Equal(1, (await ReadAsync(id)).Version);
    }

    [Fact]
    public async Task An_expired_session_is_gone()
    {
        var (saved, _) = await WithAsync(store => store.CreateAsync([], null, _time.GetUtcNow().AddHours(1), Token));
        await ReadAsync(saved!.Id);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(await WithAsync(store => store.FindAsync(saved.Id, Token)));
        Assert.Empty(await WithAsync(store => store.ListAsync("", 10, Token)));
        Assert.Equal(SessionOutcome.NotFound, (await WithAsync(store => store.PatchAsync(saved.Id, [], null, Token))).Outcome);
        Assert.Equal(SessionOutcome.NotFound, await WithAsync(store => store.DeleteAsync(saved.Id, null, Token)));
    }

    [Fact]
    public async Task Nobody_else_finds_changes_or_deletes_it_nor_the_same_user_elsewhere()
    {
        var own = await MakeAsync();
        var shared = await MakeAsync(_organization);
        var colleague = await fixture.Database.SignInAsync();
        await fixture.Database.JoinAsync(_organization, colleague);
        foreach (var (id, user, organization) in new[] { (own, colleague, null), (own, colleague, _organization), (shared, colleague, _organization), (own, _user, _organization), (shared, _user, (string?)null) })
        {
            Assert.Null(await WithAsync(store => store.FindAsync(id, Token), user, organization));
            Assert.DoesNotContain(await WithAsync(store => store.ListAsync("", 100, Token), user, organization), session => session.Id == id);
            Assert.Equal(SessionOutcome.NotFound, (await WithAsync(store => store.PatchAsync(id, [], null, Token), user, organization)).Outcome);
            Assert.Equal(SessionOutcome.NotFound, await WithAsync(store => store.DeleteAsync(id, null, Token), user, organization));
        }

        Assert.NotNull(await WithAsync(store => store.FindAsync(shared, Token), _user, _organization));
    }

    [Fact]
    public async Task A_session_in_an_organization_of_others_cannot_be_made_and_one_of_ours_ends_with_the_membership()
    {
        var member = await fixture.Database.SignInAsync();
        Assert.Equal(SessionOutcome.NotFound, (await WithAsync(store => store.CreateAsync([], null, null, Token), member, _organization)).Outcome);
        await fixture.Database.JoinAsync(_organization, member);
        var id = await MakeAsync(_organization, member);
        await fixture.Database.QueryAsync($"DELETE FROM organization_memberships WHERE user_id = '{member}' AND organization_id = '{_organization}'");
        Assert.Equal(["0"], await fixture.Database.QueryAsync($"SELECT count(*) FROM sessions WHERE id = '{id}'"));
    }

    private async Task<string> MakeAsync(string? organization = null, string? user = null) =>
        Assert.IsType<SavedSession>((await WithAsync(store => store.CreateAsync([], null, null, Token), user, organization)).Saved).Id;

    private async Task<SavedSession> ReadAsync(string id) => Assert.IsType<SavedSession>(await WithAsync(store => store.FindAsync(id, Token)));

    // Where the row lies: every write, whatever it changes, moves it.
    private async Task<string> RowAsync(string id) => Assert.Single(await fixture.Database.QueryAsync($"SELECT ctid::text FROM sessions WHERE id = '{id}'"));

    private async Task<T> WithAsync<T>(Func<SessionStore, Task<T>> act, string? user = null, string? organization = null)
    {
        await using var db = fixture.Database.Open(user ?? _user, organization);
        return await act(new SessionStore(new Lazy<OpenHandsDb>(db), fixture.Database.Pool, db.Tenant!, _caches.Sessions, _caches.Accesses, _time));
    }
}
