using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Tests.Support;
using OpenHands.Tests.Support.OpenApi;

namespace OpenHands.Tests.Api.Authorization;

/// <summary>The API with a login, a database and Redis, so that every wall is there that a caller could find a hole in.</summary>
public sealed class AuthorizedApi(DatabaseServer server, RedisFixture redisServer) : IAsyncLifetime
{
    // What a tenant's rows change by themselves.
    private const string NotAChange = "'last_used_at' - 'last_accessed_at'";

    private RedisDatabase _redis = null!;
    private TestDatabase _database = null!;
    private Issuer _issuer = null!;

    internal ApiHost Api { get; private set; } = null!;

    internal TestDatabase Database => _database;

    /// <summary>Sends what others refuse to send (Latin-1, so that a header can hold what is no text), and a large body only when it is asked for.</summary>
    internal HttpClient Client { get; private set; } = null!;

    internal IReadOnlyList<Route> Routes { get; private set; } = null!;

    internal ApiDescription Description { get; private set; } = null!;

    internal SampleBody Samples { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await server.CreateMigratedAsync();
        _redis = await redisServer.CreateDatabaseAsync();
        _issuer = await Issuer.StartAsync();
        Api = await ApiHost.StartAsync(
            [$"ConnectionStrings:openhands={_database.App}", $"ConnectionStrings:redis={_redis.ConnectionString}", .. _issuer.Settings]);
        Client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            Expect100ContinueTimeout = TimeSpan.FromMinutes(1),
        })
        {
            BaseAddress = Api.Client.BaseAddress,
        };
        Routes = Route.All(Api.Services);
        Api.Client.DefaultRequestHeaders.Authorization = new("Bearer", _issuer.TokenFor(Issuer.Named("reader")));
        Description = await ApiDescription.ReadAsync(Api.Client);
        Samples = new SampleBody(Description, (await Api.Client.GetFromJsonAsync<JsonNode>("/api/v1/users/me", TestContext.Current.CancellationToken))!["id"]!);
        Api.Client.DefaultRequestHeaders.Authorization = null;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Api.DisposeAsync();
        await _issuer.DisposeAsync();
        await _redis.DisposeAsync();
    }

    /// <summary>The address of an operation with the rows of an owner.</summary>
    internal string AddressOf(Operation operation, Owner owner) =>
        Routes.Single(route => (route.Method, route.Path) == (operation.Method, operation.Path)) is var named ? named.Address(owner.Values(named)) : "";

    /// <summary>Whether a member is only ever read: it is in the schema because the form posts back what it got.</summary>
    internal bool IsIgnored(Operation operation, string member) => operation.ToString() == "POST /api/settings" && member is
        "llm_api_key_set" or "search_api_key_set" or "secrets_store" or "provider_tokens_set" or "email" or "email_verified" or "v1_enabled";

    internal Task<Owner> CreateOwnerAsync() => Owner.CreateAsync(Api, _issuer);

    /// <summary>Calls a route with a body that it accepts.</summary>
    internal async Task<(int Status, string Text)> CallAsync(Route route, Func<string, string> values, AuthenticationHeaderValue? caller)
    {
        using var request = new HttpRequestMessage(new HttpMethod(route.Method), route.Address(values)) { Headers = { Authorization = caller } };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        var operation = Description.Operations.SingleOrDefault(operation => (operation.Method, operation.Path) == (route.Method, route.Path));
        if (operation?.Body is { MediaType: var mediaType })
            request.Content = new StringContent(Samples.For(operation)?.ToJsonString() ?? "null", Encoding.UTF8, mediaType);
        using var answer = await Api.Client.SendAsync(request, HttpCompletionOption.ResponseContentRead, TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, $"{answer.Headers} {await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
    }

    /// <summary>Every row that is the owner's or the organization's own, of every table there is.</summary>
    internal async Task<IReadOnlyList<string>> RowsOfAsync(Owner owner)
    {
        var owned = await _database.QueryAsync(
            $"""
            SELECT format('SELECT %L, to_jsonb(t) - {NotAChange.Replace("'", "''")} FROM %I t WHERE %s', table_name, table_name, string_agg(
                CASE WHEN table_name = 'users' THEN 'id = ''{owner.Id}''' WHEN table_name = 'organizations' THEN 'id = ''{owner.Organization}'''
                     ELSE column_name || CASE column_name WHEN 'user_id' THEN ' = ''{owner.Id}''' ELSE ' = ''{owner.Organization}''' END END, ' OR '))
            FROM information_schema.columns columns
            WHERE table_schema = 'public' AND table_name <> 'audit_events' AND table_name IN (SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE')
                AND (column_name = 'user_id' OR (table_name IN ('users', 'organizations') AND column_name = 'id')
                    OR (column_name = 'organization_id' AND (table_name = 'organization_memberships' OR NOT EXISTS (
                        SELECT FROM information_schema.columns other
                        WHERE other.table_name = columns.table_name AND other.column_name = 'user_id' AND other.is_nullable = 'NO'))))
            GROUP BY table_name ORDER BY table_name
            """);
        return [.. (await _database.QueryAsync(string.Join(" UNION ALL ", owned))).Order(StringComparer.Ordinal)];
    }
}
