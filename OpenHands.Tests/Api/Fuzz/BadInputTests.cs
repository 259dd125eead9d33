using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Tests.Api.Authorization;
using OpenHands.Tests.Support;
using OpenHands.Tests.Support.OpenApi;

namespace OpenHands.Tests.Api.Fuzz;

/// <summary>Each kind of bad input, at every operation that takes a body: also at one that is added.</summary>
public sealed class BadInputTests(AuthorizedApi api) : IClassFixture<AuthorizedApi>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_wrong_type_is_refused_everywhere() => RefusedAsync(sample =>
        from member in sample.Properties
        from wrong in new[] { "[[]]", "{\"a\":[true]}", "1.5e3" }
        where !Takes(member, wrong)
        select Encoding.UTF8.GetBytes(With(sample.Body, member.Key, wrong)));

    [Fact]
    public Task A_text_that_is_too_long_is_refused_everywhere() => RefusedAsync(sample =>
        from member in sample.Properties
        where TypesOf(member).Contains("string")
        select Encoding.UTF8.GetBytes(With(sample.Body, member.Key, $"\"{new string('x', 1_100_000)}\"")));

    [Fact]
    public Task A_NUL_character_is_refused_everywhere() => RefusedAsync(sample =>
        from member in sample.Properties
        where TypesOf(member).Contains("string")
        select Encoding.UTF8.GetBytes(With(sample.Body, member.Key, "\"a\\u0000b\"")));

    [Fact]
    public Task Half_a_surrogate_pair_is_refused_everywhere() => RefusedAsync(sample =>
        from member in sample.Properties
        where TypesOf(member).Contains("string")
        select Encoding.UTF8.GetBytes(With(sample.Body, member.Key, "\"a\\ud800b\"")));

    [Fact]
    public Task Bytes_that_are_no_UTF_8_are_refused_everywhere() => RefusedAsync(sample =>
        from member in sample.Properties
        where TypesOf(member).Contains("string")
        select Replace(Encoding.UTF8.GetBytes(With(sample.Body, member.Key, "\"a?b\"")), (byte)'?', 0xFF));

    [Fact]
    public Task Deep_JSON_is_refused_everywhere() => RefusedAsync(_ =>
    [
        Encoding.UTF8.GetBytes(new string('[', 100_000)),
        Encoding.UTF8.GetBytes($"{string.Concat(Enumerable.Repeat("{\"a\":", 10_000))}1{new string('}', 10_000)}"),
    ]);

    [Fact]
    public Task A_huge_body_is_refused_everywhere() => RefusedAsync(
        _ => [Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', 3 * 1024 * 1024)}\"}}")], status => status == HttpStatusCode.RequestEntityTooLarge);

    [Fact]
    public async Task An_unknown_field_is_refused_on_the_platform_s_own_routes()
    {
        var operations = api.Description.Operations.Where(operation => operation.Path.StartsWith("/api/v1/", StringComparison.Ordinal) && !TakesAnything(operation));
        await RefusedAsync(sample => [Encoding.UTF8.GetBytes(With(sample.Body, "unknown", "1"))], operations: operations);
    }

    private static bool Takes(KeyValuePair<string, JsonNode?> member, string value)
    {
        var types = TypesOf(member);
        return types.Count == 0 || types.Contains(value[0] switch { '[' => "array", '{' => "object", _ => "number" }) || (value[0] is '1' && types.Contains("integer"));
    }

    private static HashSet<string> TypesOf(KeyValuePair<string, JsonNode?> member) => member.Value!["type"] switch
    {
        JsonArray types => [.. types.Select(type => (string)type!)],
        JsonValue type => [(string)type!],
        _ => [],
    };

    // A merge patch has the members that the session has.
    private bool TakesAnything(Operation operation) => operation.Body is not { Schema: var schema } || api.Description.Resolve(schema)["properties"] is null;

    private static string With(JsonObject body, string member, string value)
    {
        var others = body.Where(other => other.Key != member).Select(other => $"\"{other.Key}\":{other.Value?.ToJsonString() ?? "null"}");
        return $"{{{string.Join(',', others.Append($"\"{member}\":{value}"))}}}";
    }

    private static byte[] Replace(byte[] text, byte old, byte with) => [.. text.Select(letter => letter == old ? with : letter)];

    private async Task RefusedAsync(
        Func<(JsonObject Body, IEnumerable<KeyValuePair<string, JsonNode?>> Properties), IEnumerable<byte[]>> bodies, Func<HttpStatusCode, bool>? isRight = null,
        IEnumerable<Operation>? operations = null)
    {
        var owner = await api.CreateOwnerAsync();
        var wrong = new List<string>();
        var sent = 0;
        foreach (var operation in (operations ?? api.Description.Operations).Where(operation => operation.Body is not null))
        {
            var body = api.Samples.For(operation) as JsonObject ?? [];
            var properties = (api.Description.Resolve(operation.Body!.Value.Schema)["properties"] as JsonObject ?? []).Where(property => !api.IsIgnored(operation, property.Key));
            foreach (var bytes in bodies((body, properties)))
            {
                sent++;
                using var request = new HttpRequestMessage(new HttpMethod(operation.Method), api.AddressOf(operation, owner)) { Content = new ByteArrayContent(bytes) };
                request.Content.Headers.TryAddWithoutValidation("Content-Type", operation.Body.Value.MediaType);
                request.Headers.Authorization = owner.Token;
                request.Headers.TryAddWithoutValidation("If-Match", "*");
                request.Headers.ExpectContinue = bytes.Length > 500_000;
                using var answer = await api.Client.SendAsync(request, Token);
                if (isRight?.Invoke(answer.StatusCode) ?? answer.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError)
                    await Problem.AssertAsync(answer.StatusCode, answer);
                else
                    wrong.Add($"{operation}: {answer.StatusCode} for {Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, 200)])}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.NotEqual(0, sent);
    }
}
