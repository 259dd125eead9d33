using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Settings;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Settings;

/// <summary>What an organization gives its members for the language model.</summary>
public sealed class OrganizationSettingsTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private const string Ring = "a key ring of the tests, long enough";

    private string _admin = null!;
    private string _member = null!;
    private string _organization = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _admin = await fixture.Database.SignInAsync();
        _member = await fixture.Database.SignInAsync();
        _organization = await fixture.Database.DefaultOrganizationAsync(_admin);
        await fixture.Database.JoinAsync(_organization, _member);
        await fixture.Database.QueryAsync($"UPDATE users SET active_organization_id = '{_organization}' WHERE id = '{_member}'");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Members_have_them_without_having_saved_anything_and_a_rotated_key_holds_for_all_at_once()
    {
        Assert.Null(await FindAsync());
        await GiveAsync("""{"llm_model":"openai/gpt-5","llm_base_url":"https://llm.example/v1","llm_api_key":"sk-one"}""");

        var settings = await ReadAsync();
        Assert.Equal("openai/gpt-5", (string?)settings.Values["llm_model"]);
        Assert.Equal("https://llm.example/v1", (string?)settings.Values["llm_base_url"]);
        Assert.True(settings.HasLlmApiKey);
        Assert.Equal((0, "0-1"), (settings.Version, settings.VersionText));
        Assert.Equal("sk-one", await KeyAsync());

        await GiveAsync("""{"llm_api_key":"sk-two"}""");
        Assert.Equal("sk-two", await KeyAsync());
        await GiveAsync("""{"llm_api_key":null,"llm_model":"openai/gpt-6"}""");
        Assert.Null(await KeyAsync());
        Assert.Equal("openai/gpt-6", (string?)(await ReadAsync()).Values["llm_model"]);
    }

    [Fact]
    public async Task A_member_who_saves_the_whole_form_back_goes_on_inheriting()
    {
        await GiveAsync("""{"llm_model":"openai/gpt-5","llm_base_url":"https://llm.example/v1","llm_api_key":"sk-one"}""");
        await SaveAsync((await ReadAsync()).Values.ToJsonString());
        await SaveAsync("""{"language":"de"}""");
        await GiveAsync("""{"llm_model":"openai/gpt-6","llm_base_url":null}""");

        var settings = await ReadAsync();
        Assert.Equal("openai/gpt-6", (string?)settings.Values["llm_model"]);
        Assert.Null(settings.Values["llm_base_url"]);
        Assert.Equal("de", (string?)settings.Values["language"]);
        Assert.Equal(["{}"], await fixture.Database.QueryAsync($"SELECT secrets FROM user_settings WHERE user_id = '{_member}'"));
    }

    [Fact]
    public async Task A_choice_of_the_member_s_own_holds_until_the_inherited_value_is_chosen_again()
    {
        await GiveAsync("""{"llm_model":"openai/gpt-5"}""");
        await SaveAsync("""{"llm_model":"openai/small"}""");
        await GiveAsync("""{"llm_model":"openai/gpt-6"}""");
        Assert.Equal("openai/small", (string?)(await ReadAsync()).Values["llm_model"]);

        await SaveAsync("""{"llm_model":"openai/gpt-6"}""");
        await GiveAsync("""{"llm_model":"openai/gpt-7"}""");
        Assert.Equal("openai/gpt-7", (string?)(await ReadAsync()).Values["llm_model"]);
    }

    [Fact]
    public async Task The_platform_s_model_that_comes_back_with_the_form_is_no_choice()
    {
        await WithMemberAsync(store => store.MergeAsync(
            _member, new SettingsPost(new JsonObject { ["llm_model"] = "platform/default", ["language"] = "fr" }, "platform/default"), Token));
        await GiveAsync("""{"llm_model":"openai/gpt-5"}""");
        Assert.Equal("openai/gpt-5", (string?)(await ReadAsync()).Values["llm_model"]);
    }

    // Else a member could read the key by sending it to an address of their own.
    [Theory]
    [InlineData("""{"llm_base_url":"https://evil.example"}""", null)]
    [InlineData("""{"llm_base_url":""}""", null)]
    [InlineData("""{"llm_model":"anthropic/claude-opus-4-5"}""", null)]
    [InlineData("""{"llm_model":"openai/small"}""", "sk-one")]
    [InlineData("""{"llm_base_url":"https://mine.example","llm_api_key":"sk-mine"}""", "sk-mine")]
    public async Task The_organization_s_key_goes_only_where_the_organization_sends_it(string choice, string? key)
    {
        await GiveAsync("""{"llm_model":"openai/gpt-5","llm_base_url":"https://llm.example/v1","llm_api_key":"sk-one"}""");
        await SaveAsync(choice);
        Assert.Equal(key, await KeyAsync());
        Assert.Equal(key is not null, (await ReadAsync()).HasLlmApiKey);
    }

    [Theory]
    [InlineData("""{"llm_api_key":"sk-one"}""", "llm_model")]
    [InlineData("""{"language":"de"}""", "body")]
    [InlineData("""{"llm_model":7}""", "llm_model")]
    [InlineData("""{"llm_base_url":["x"]}""", "llm_base_url")]
    public async Task What_cannot_be_given_is_refused_and_nothing_is_changed(string patch, string field)
    {
        var (_, problem) = await PatchAsync(_admin, patch);
        Assert.Equal(field, problem?.Field);
        Assert.Null(await FindAsync());
    }

    [Fact]
    public async Task Only_admins_change_them_only_members_see_them_and_a_stale_version_changes_nothing()
    {
        await GiveAsync("""{"llm_model":"openai/gpt-5"}""");
        var stranger = await fixture.Database.SignInAsync();
        Assert.Equal(OrganizationOutcome.NotAdmin, (await PatchAsync(_member, """{"llm_model":"a/b"}""")).Outcome);
        Assert.Equal(OrganizationOutcome.NotFound, (await PatchAsync(stranger, """{"llm_model":"a/b"}""")).Outcome);
        Assert.Equal(OrganizationOutcome.Changed, (await PatchAsync(_admin, """{"llm_model":"a/b"}""", version: 7)).Outcome);
        Assert.Null(await WithGivenAsync(stranger, store => store.FindAsync(Token)));
        Assert.Equal("openai/gpt-5", (await WithGivenAsync(_member, store => store.FindAsync(Token)))?.LlmModel);
    }

    [Fact]
    public async Task A_save_for_another_version_than_the_present_one_is_refused()
    {
        await GiveAsync("""{"llm_model":"openai/gpt-5"}""");
        await SaveAsync("""{"language":"de"}""");
        var seen = (await ReadAsync()).VersionText;
        await GiveAsync("""{"llm_model":"openai/gpt-6"}""");
        var refusal = await WithMemberAsync(store => store.MergeAsync(_member, new SettingsPost(new JsonObject { ["language"] = "fr" }, Version: seen), Token));
        Assert.Equal(new SettingsRefusal(null), refusal);
        Assert.Equal("de", (string?)(await ReadAsync()).Values["language"]);
    }

    [Fact]
    public async Task The_profile_has_memberships_and_what_is_inherited()
    {
        await GiveAsync("""{"llm_model":"openai/gpt-5"}""");
        var profile = await WithMemberAsync(store => store.FindProfileAsync(_member, Token));
        Assert.Equal(_member, profile!.Id);
        Assert.Equal(2, profile.Memberships.Count);
        Assert.Equal((_organization, OrganizationRole.Member), profile.Memberships.Where(membership => membership.IsActive).Select(membership => (membership.OrganizationId, membership.Role)).Single());
        Assert.Equal("openai/gpt-5", (string?)profile.Settings!.Values["llm_model"]);
    }

    private async Task GiveAsync(string patch) => Assert.Equal((OrganizationOutcome.Done, null), await PatchAsync(_admin, patch));

    private Task<(OrganizationOutcome Outcome, FieldProblem? Problem)> PatchAsync(string user, string patch, long? version = null) =>
        WithGivenAsync(user, store => store.PatchAsync(JsonNode.Parse(patch)!.AsObject(), version, Token));

    private async Task SaveAsync(string posted) =>
        Assert.Null(await WithMemberAsync(store => store.MergeAsync(_member, new SettingsPost(JsonNode.Parse(posted)!.AsObject()), Token)));

    private Task<SavedSettings?> FindAsync() => WithMemberAsync(store => store.FindAsync(_member, Token));

    private async Task<SavedSettings> ReadAsync() => Assert.IsType<SavedSettings>(await FindAsync());

    private async Task<string?> KeyAsync() =>
        await WithMemberAsync(store => store.FindLlmApiKeyAsync(_member, Token)) is { } key ? Encoding.UTF8.GetString(key) : null;

    private async Task<T> WithMemberAsync<T>(Func<SettingsStore, Task<T>> act)
    {
        await using var db = fixture.Database.Open(_member);
        return await act(new SettingsStore(db, new SecretCipher(new KeyRing(Ring)), fixture.Database.Audit, TimeProvider.System));
    }

    private async Task<T> WithGivenAsync<T>(string user, Func<OrganizationSettingsStore, Task<T>> act)
    {
        await using var db = fixture.Database.Open(user, _organization);
        return await act(new OrganizationSettingsStore(db, new SecretCipher(new KeyRing(Ring)), db.Tenant!, TimeProvider.System));
    }
}
