using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OpenHands.Storage.ApiKeys;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Authorization;

/// <summary>A user who is admin of an organization, with a real row behind everything that an address can name.</summary>
internal sealed class Owner
{
    // A parameter of an address → of whom the row is that it names. A route with another one needs a row here.
    private static readonly Dictionary<string, Belongs> Rows = new()
    {
        ["organization"] = Belongs.ToOrganization,
        ["user"] = Belongs.ToUser,
        ["session"] = Belongs.ToUser,
        ["key"] = Belongs.ToUser,
        ["name"] = Belongs.ToOrganization,
        ["version"] = Belongs.ToOrganization,
        ["webhook"] = Belongs.ToOrganization,
        ["task"] = Belongs.ToOrganization,
        ["invitation"] = Belongs.ToOrganization,
    };

    private readonly ApiHost _api;
    private readonly Issuer _issuer;
    private readonly Dictionary<string, string> _values = [];

    private Owner(ApiHost api, Issuer issuer, string name)
    {
        (_api, _issuer) = (api, issuer);
        (Shared, Private) = ($"shared-{name}", $"private-{name}");
        Token = new("Bearer", issuer.TokenFor(Issuer.Named(Shared)));
    }

    /// <summary>In whatever members of the organization may see.</summary>
    public string Shared { get; }

    /// <summary>In whatever nobody else may see.</summary>
    public string Private { get; }

    public AuthenticationHeaderValue Token { get; }

    public string Id => _values["user"];

    public string Organization => _values["organization"];

    /// <summary>Ids that nobody outside may be told, besides the two texts.</summary>
    public IEnumerable<string> Traces => [Shared, Private, Id, Organization, _values["session"], _values["session of organization"], _values["key"]];

    /// <summary>Signs in and makes the rows as anybody does: over HTTP.</summary>
    public static async Task<Owner> CreateAsync(ApiHost api, Issuer issuer)
    {
        var owner = new Owner(api, issuer, Guid.CreateVersion7().ToString("N"));
        await owner.FillAsync();
        return owner;
    }

    /// <summary>Of whom the row is that a parameter names; throws for one that has no row yet.</summary>
    public static Belongs BelongsTo(string parameter) => Rows.TryGetValue(parameter, out var belongs)
        ? belongs
        : throw new InvalidOperationException($"Give {nameof(Owner)} a row for addresses with {{{parameter}}}, and say here whether members of its organization may use it.");

    /// <summary>What stands for a parameter in most addresses.</summary>
    public string Value(string parameter) => _values[parameter];

    /// <summary>What stands for the parameters of a route's address, so that it names this owner's rows.</summary>
    public Func<string, string> Values(Route route) => parameter =>
        BelongsTo(parameter) is var _ && route.IsOfOrganization && _values.TryGetValue($"{parameter} of organization", out var inOrganization)
            ? inOrganization
            : _values[parameter];

    /// <summary>Makes a key of the owner's that works in the organization.</summary>
    public async Task<(string Id, AuthenticationHeaderValue Key)> MakeKeyAsync(string organization, IEnumerable<string> scopes)
    {
        var made = await DoAsync(HttpMethod.Post, $"/api/v1/organizations/{organization}/api-keys", new { name = Private, scopes });
        return ((string)made!["id"]!, new("Bearer", (string)made["key"]!));
    }

    /// <summary>Signs a new user in and, where a role is given, makes it a member.</summary>
    public async Task<(string Id, AuthenticationHeaderValue Token)> AddUserAsync(string? role)
    {
        var token = new AuthenticationHeaderValue("Bearer", _issuer.TokenFor(Issuer.Named(Guid.CreateVersion7().ToString("N"))));
        var id = (string)(await DoAsync(HttpMethod.Get, "/api/v1/users/me", body: null, token))!["id"]!;
        if (role is not null)
            await DoAsync(HttpMethod.Post, $"/api/v1/organizations/{Organization}/members", new { user_id = id, role });
        return (id, token);
    }

    /// <summary>Sends a request that must succeed.</summary>
    public async Task<JsonNode?> DoAsync(HttpMethod method, string path, object? body = null, AuthenticationHeaderValue? caller = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body), Headers = { Authorization = caller ?? Token } };
        using var answer = await _api.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {text}");
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    private async Task FillAsync()
    {
        var me = await DoAsync(HttpMethod.Get, "/api/v1/users/me");
        _values["user"] = (string)me!["id"]!;
        var organization = _values["organization"] = (string)me["memberships"]![0]!["organization_id"]!;
        await DoAsync(HttpMethod.Put, $"/api/v1/organizations/{organization}", new { name = Shared });
        await DoAsync(HttpMethod.Patch, $"/api/v1/organizations/{organization}/settings", new { llm_model = $"openai/{Shared}", llm_api_key = $"sk-{Private}" });
        await DoAsync(HttpMethod.Post, "/api/settings", new { git_user_name = Private, llm_api_key = $"sk-{Private}" });
        await DoAsync(HttpMethod.Post, "/api/add-git-providers", new { provider_tokens = new { github = new { token = $"ghp_{Private}", host = "" } } });
        _values["session"] = await SaveSessionAsync("/api/v1/sessions");
        _values["session of organization"] = await SaveSessionAsync($"/api/v1/organizations/{organization}/sessions");
        _values["key"] = (await MakeKeyAsync(organization, ApiKeyScopes.All)).Id;
        var invitation = await DoAsync(HttpMethod.Post, $"/api/v1/organizations/{organization}/invitations", new { role = "member", email = $"{Shared}@example.org" });
        _values["invitation"] = (string)invitation!["id"]!;

        var webhooks = $"/api/v1/organizations/{organization}/webhooks";
        _values["webhook"] = (string)(await DoAsync(HttpMethod.Post, webhooks, new { url = $"https://{Private}.example/hook", event_types = new[] { "ping" } }))!["webhook"]!["id"]!;
        _values["task"] = (string)(await DoAsync(HttpMethod.Post, $"{webhooks}/{_values["webhook"]}/ping"))!["id"]!;

        // The same name for both, so that a mix-up would find something.
        _values["name"] = $"name-{Shared}";
        foreach (var secrets in new[] { "/api/v1/secrets", $"/api/v1/organizations/{organization}/secrets" })
        {
            await DoAsync(HttpMethod.Post, secrets, new { name = _values["name"], value = Private });
            await DoAsync(HttpMethod.Put, $"{secrets}/{_values["name"]}/value", new { value = $"{Private}-2" });
            var versions = await DoAsync(HttpMethod.Get, $"{secrets}/{_values["name"]}/versions");
            _values["version"] = versions![0]!["version"]!.ToJsonString();
        }
    }

    private async Task<string> SaveSessionAsync(string sessions)
    {
        var id = (string)(await DoAsync(HttpMethod.Post, sessions, new { state = new { Private } }))!["id"]!;
        await DoAsync(HttpMethod.Get, $"{sessions}/{id}"); // from now on it is kept in Redis as well
        return id;
    }
}

/// <summary>Of whom a row is.</summary>
internal enum Belongs
{
    /// <summary>Of one user, whatever the organization.</summary>
    ToUser,

    /// <summary>Of all members of an organization, as far as the route's audience goes.</summary>
    ToOrganization,
}
