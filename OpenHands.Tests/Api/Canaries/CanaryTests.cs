#if !ASPIRE_PACKAGES
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Tenancy;
using OpenHands.Tests.Support;
using StackExchange.Redis;

namespace OpenHands.Tests.Api.Canaries;

/// <summary>
/// A value sent through everything that takes a secret, well and badly, and then looked for wherever something is written down:
/// logs of every level, traces, Redis and its files, PostgreSQL's heap and write-ahead log, and answers. What is no secret is
/// looked for in the same way, and must be found.
/// </summary>
public sealed class CanaryTests : IAsyncLifetime
{
    private readonly DatabaseServer _server = new();
    private readonly RecordedTraces _traces = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly List<Canary> _canaries = [];
    private TestDatabase _database = null!;
    private RedisTestServer _redis = null!;
    private Issuer _issuer = null!;
    private ApiHost _api = null!;
    private AuthenticationHeaderValue? _caller;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await _server.CreateMigratedAsync();
        _redis = await RedisTestServer.StartAsync();
        _issuer = await Issuer.StartAsync();
        string[] everything = [.. new[] { "Default", "Microsoft", "Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "System", "Npgsql" }.Select(category => $"Logging:LogLevel:{category}=Trace")];
        _api = await ApiHost.StartAsync(
        [
            $"ConnectionStrings:openhands={_database.App}", $"ConnectionStrings:redis={_redis.ConnectionString}", .. _issuer.Settings,
            $"Identity:Oidc:ClientSecret={Make("client secret").Text}", .. everything,
        ]);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
        await _redis.DisposeAsync();
        await _server.DisposeAsync();
        _traces.Dispose();
    }

    [Fact]
    public async Task A_secret_is_found_nowhere_and_what_is_none_is_found_by_the_same_search()
    {
        var token = _issuer.TokenFor(Issuer.Named("keeper"));
        _canaries.Add(new Canary("token of a program") { Text = token[^60..] });
        _caller = new("Bearer", token);
        var organization = (string)(await SendAsync("GET", "/api/v1/users/me"))["memberships"]![0]!["organization_id"]!;
        await LogInAsync();

        await TakesAsync("POST", "/api/settings", "llm_api_key", value => new { llm_api_key = value });
        await TakesAsync("POST", "/api/settings", "search_api_key", value => new { search_api_key = value });
        await TakesAsync("POST", "/api/settings", "sandbox_api_key", value => new { sandbox_api_key = value });
        await TakesAsync("POST", "/api/settings", "mcp_config", value => new
        {
            mcp_config = new
            {
                sse_servers = new[] { new { url = "http://127.0.0.1:4000/sse", api_key = value } },
                shttp_servers = new[] { new { url = "http://127.0.0.1:4000/mcp", api_key = value } },
                stdio_servers = new[] { new { name = "tool", command = "tool", env = new { KEY = value } } },
            },
        });
        await TakesAsync("PATCH", $"/api/v1/organizations/{organization}/settings", "llm_api_key", value => new { llm_model = "openai/o", llm_api_key = value });
        await TakesAsync("POST", "/api/secrets", "value", value => new { name = "A", value });
        await TakesAsync("POST", "/api/v1/secrets", "value", value => new { name = "B", value });
        await TakesAsync("PUT", "/api/v1/secrets/B/value", "value", value => new { value });
        await TakesAsync("POST", $"/api/v1/organizations/{organization}/secrets", "value", value => new { name = "C", value });
        await TakesAsync("PUT", $"/api/v1/organizations/{organization}/secrets/C/value", "value", value => new { value });
        await TakesAsync("POST", "/api/add-git-providers", "token", value => new { provider_tokens = new { github = new { token = value, host = "" } } });
        foreach (var path in new[] { "/api/settings", $"/api/v1/organizations/{organization}/settings", "/api/secrets", "/api/v1/secrets", "/api/v1/secrets/B/versions", "/api/v1/users/me" })
            _errors.Enqueue((await SendAsync("GET", path)).ToJsonString());
        await ReadForWorkAsync(organization, "A", "B", "C");
        await CallWithKeyAsync();
        await SendAsync("POST", "/api/v1/secrets/B/versions/1/restore");
        await SendAsync("DELETE", "/api/secrets/A");

        var open = new Canary("no secret");
        await SendAsync("POST", "/api/v1/secrets", new { name = open.Text, value = "x", description = open.Text });
        await SendAsync("PUT", $"/api/v1/secrets/{open.Text}/value", new { value = "y" });
        await ReadForWorkAsync(organization, open.Text);

        // In everything where something may be written down; each is shown to hold what is no secret.
        foreach (var (place, holds) in await WrittenDownAsync())
        {
            Assert.True(holds(open), $"The search does not find in {place} what is there.");
            Assert.All(_canaries, canary => Assert.False(holds(canary), $"{canary.Place} is in {place}."));
        }

        Assert.All(_errors, error => Assert.All(_canaries, canary => Assert.False(canary.IsIn(error), $"{canary.Place} is in an answer: {error}")));
        Assert.True(_errors.Count > 40, $"{_errors.Count} answers");
    }

    private Canary Make(string place)
    {
        var canary = new Canary(place);
        _canaries.Add(canary);
        return canary;
    }

    // Once well, and then in every way in which it is refused: with its error the value must not come back.
    private async Task TakesAsync(string method, string path, string member, Func<string, object> body)
    {
        var canary = Make($"{member} of {method} {path}");
        var good = JsonSerializer.Serialize(body(canary.Text));
        await SendTextAsync(method, path, good, isGood: true);
        string[] refused =
        [
            good[..^1], $"{good}{canary.Text}", $"[{good}]", $"\"{canary.Text}\"", good.Replace($"\"{canary.Text}\"", canary.Text, StringComparison.Ordinal),
            good.Replace($"\"{canary.Text}\"", $"[\"{canary.Text}\"]", StringComparison.Ordinal),
            good.Replace(canary.Text, canary.Text + @"\u0000", StringComparison.Ordinal), good.Replace(canary.Text, canary.Text + @"\ud800", StringComparison.Ordinal),
            good.Replace(canary.Text, canary.Text + new string('x', 70_000), StringComparison.Ordinal), $"{{\"{canary.Text}\":1,{good[1..]}",
        ];
        foreach (var text in refused)
            await SendTextAsync(method, path, text, isGood: false);
        await SendTextAsync("TRACE", path, good, isGood: false);
        await SendTextAsync(method, $"{path}/nothing", good, isGood: false);
    }

    private async Task<JsonNode> SendAsync(string method, string path, object? body = null)
    {
        var text = await SendTextAsync(method, path, body is null ? null : JsonSerializer.Serialize(body), isGood: true);
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    private async Task<string> SendTextAsync(string method, string path, string? body, bool isGood)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Headers = { Authorization = _caller } };
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (method == "PATCH")
            request.Headers.TryAddWithoutValidation("If-Match", "*");
        using var answer = await _api.Client.SendAsync(request, Token);
        var text = await answer.Content.ReadAsStringAsync(Token);
        if (isGood)
            Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {text}");
        else
            _errors.Enqueue($"{method} {path}: {answer.StatusCode} {answer.Headers} {text}");
        return text;
    }

    // As work that runs for the user does; it also puts ciphertexts into Redis.
    private async Task ReadForWorkAsync(string organization, params string[] names)
    {
        var user = Assert.Single(await _database.QueryAsync("SELECT id FROM users WHERE email = 'keeper@example.org'"));
        foreach (var name in names)
        {
            await using var scope = _api.Services.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<TenantContext>().Enter(user, organization);
            Assert.NotNull(await scope.ServiceProvider.GetRequiredService<SecretStore>().FindValueAsync(user, organization, name, Token));
        }
    }

    // The key is shown once, and from then on it is a secret like the others.
    private async Task CallWithKeyAsync()
    {
        var user = _caller;
        var made = await SendAsync("POST", "/api/v1/api-keys", new { name = "key", scopes = new[] { "settings:read" } });
        var key = (string)made["key"]!;
        _canaries.Add(new Canary("API key") { Text = key[((string)made["prefix"]!).Length..] });
        _caller = new("Bearer", key);
        await SendAsync("GET", "/api/v1/users/me");
        await SendTextAsync("POST", "/api/v1/sessions", """{"state":{}}""", isGood: false);
        _caller = user;
        await SendTextAsync("POST", "/api/v1/api-keys", $$"""{"name":"x","scopes":["{{key}}"]}""", isGood: false);
        await SendTextAsync("DELETE", $"/api/v1/api-keys/{(string)made["id"]!}", body: null, isGood: true);
        _caller = new("Bearer", key);
        await Eventually.TrueAsync("the key is refused", async () => (await SendTextAsync("GET", "/api/v1/users/me", body: null, isGood: false)).Contains("401", StringComparison.Ordinal));
        _caller = user;
    }

    private async Task LogInAsync()
    {
        var cookies = new CookieContainer();
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false, CookieContainer = cookies });
        using var page = await browser.GetAsync(new Uri(_api.Client.BaseAddress!, "/auth/login?return_to=%2Fapi%2Fv1%2Fusers%2Fme"), Token);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        foreach (var cookie in cookies.GetAllCookies().Where(cookie => cookie.Name.StartsWith("openhands-session", StringComparison.Ordinal)))
            _canaries.Add(new Canary($"cookie {cookie.Name}") { Text = cookie.Value[^60..] });
    }

    private async Task<IReadOnlyList<(string Place, Func<Canary, bool> Holds)>> WrittenDownAsync()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync($"{_redis.ConnectionString},allowAdmin=true");
        var kept = new List<byte[]>();
        foreach (var key in (RedisKey[])(await redis.GetDatabase().ExecuteAsync("KEYS", "*"))!)
            kept.AddRange([(byte[])key!, (byte[]?)await redis.GetDatabase().KeyDumpAsync(key) ?? []]);
        await redis.GetServers()[0].ExecuteAsync("SAVE");
        await _database.QueryAsync("CHECKPOINT");

        // What is deleted leaves the heap only by vacuum: the rows of this test are all still in the files.
        var (redisFiles, postgresFiles) = (Files(_redis.DataDirectory), Files(_server.DataDirectory));
        Assert.NotEmpty(redisFiles);
        var wal = postgresFiles.Where(file => file.Path.Contains("/pg_wal/", StringComparison.Ordinal)).ToList();
        var heap = postgresFiles.Except(wal).ToList();
        var log = Encoding.UTF8.GetBytes(string.Join('\n', _api.Log.Entries.Select(entry => entry.Text)));
        var traces = Encoding.UTF8.GetBytes(string.Join('\n', _traces.Texts));
        return
        [
            ("the log", canary => canary.IsIn(log)),
            ("a trace", canary => canary.IsIn(traces)),
            ("Redis", canary => kept.Any(value => canary.IsIn(value))),
            ("Redis' files", canary => redisFiles.Any(file => canary.IsIn(file.Bytes))),
            ("PostgreSQL's heap", canary => heap.Any(file => canary.IsIn(file.Bytes))),
            ("PostgreSQL's write-ahead log", canary => wal.Any(file => canary.IsIn(file.Bytes))),
        ];
    }

    private static List<(string Path, byte[] Bytes)> Files(string directory) =>
        // The locks are the host's, empty, and held.
        [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(path => Path.GetExtension(path) != ".lock").Select(path => (path, Read(path)))];

    // The server has it open.
    private static byte[] Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        file.CopyTo(copy);
        return copy.ToArray();
    }
}
#endif
