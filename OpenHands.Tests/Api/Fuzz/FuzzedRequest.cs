using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHands.Tests.Support.OpenApi;

namespace OpenHands.Tests.Api.Fuzz;

/// <summary>Makes requests that nobody in their right mind sends, from the OpenAPI document: the same for the same seed and number.</summary>
/// <param name="description">The operations.</param>
/// <param name="samples">Bodies to begin with.</param>
/// <param name="seed">Of the run.</param>
internal sealed class FuzzedRequest(ApiDescription description, SampleBody samples, int seed)
{
    // Who deletes themselves is known to nobody afterwards, and every request after it would be refused at the door.
    private const string Caller = "/api/v1/users/me";

    private static readonly string[] Texts =
    [
        "", " ", "\0", "a\0b", "null", "-1", "1e400", "../..", "..%2f..", "';DROP TABLE users;--", "{{7*7}}", "<script>", "\ud83d\ude00", "\u202e", "e\u0301",
        "0198c0de000070008000000000000001", "0198C0DE000070008000000000000001", "0198c0de-0000-7000-8000-000000000001", new('a', 300), new('ä', 400),
        "2026-13-45T99:99:99Z", "9999-12-31T23:59:59.9999999-14:00", "0001-01-01T00:00:00+14:00", "admin", "sk-oh-x", "a\r\nb: c", "\u007f", "%00", "*", "\"1\"",
    ];

    // Written as they are sent: not everything that can be sent can be made with a serializer.
    private static readonly string[] Values =
    [
        "null", "true", "0", "-0", "-1", "1.5", "1e400", "1e-400", "99999999999999999999", "9223372036854775807", "[]", "{}", "[null]", "[[[[]]]]", "{\"\":\"\"}",
        "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"", "{\"\\u0000\":1}", "{\"\\ud800\":1}", "{\"$ref\":\"#\"}", "{\"__proto__\":{}}",
        "\"" + new string('x', 70_000) + "\"", new string('[', 40) + new string(']', 40),
    ];

    private static readonly string[] Tags =
        ["*", "\"1\"", "\"0\"", "\"-1\"", "W/\"1\"", "\"99999999999999999999\"", "1", "", "\"1\", \"2\"", "\"\u00e9\"", "\"" + new string('9', 2000) + "\""];

    private static readonly string[] MediaTypes =
    [
        "application/json", "application/json", "application/json", "application/merge-patch+json", "text/plain", "application/xml", "application/json; charset=utf-16",
        "application/json; charset=nonsense", "multipart/form-data", "application/x-www-form-urlencoded", "a/b;;;", "application/problem+json",
    ];

    private readonly Operation[] _operations = [.. description.Operations];

    /// <summary>The request of this number, for the rows of an owner.</summary>
    public (HttpRequestMessage Request, string Text) Make(int number, Func<string, string> values)
    {
        var random = new Random(HashCode(number));
        var operation = Pick(random, _operations);
        var method = OneIn(random, 25) ? Pick(random, ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) : operation.Method;
        if (method == "DELETE" && operation.Path == Caller)
            method = "GET";
        var request = new HttpRequestMessage(new HttpMethod(method), Address(random, operation, values));
        foreach (var (name, value) in Headers(random))
            request.Headers.TryAddWithoutValidation(name, value);
        byte[]? body = null;
        var mediaType = operation.Body?.MediaType;
        if (mediaType is null ? OneIn(random, 20) : !OneIn(random, 20))
        {
            body = Body(random, operation, mayBeHuge: method == operation.Method && operation.Body is not null);
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", OneIn(random, 6) ? Pick(random, MediaTypes) : mediaType ?? "application/json");
            if (OneIn(random, 50))
                request.Content.Headers.TryAddWithoutValidation("Content-Encoding", "gzip");
            // Asks before it sends what is refused: the refusal closes the connection, which could break a body on its way.
            request.Headers.ExpectContinue = body.Length > 500_000;
            request.Headers.TransferEncodingChunked = body.Length < 500_000 && OneIn(random, 10);
        }

        return (request, $"{method} {request.RequestUri} {request.Headers} {request.Content?.Headers} {(body is null ? "" : Encoding.Latin1.GetString(body[..Math.Min(body.Length, 500)]))}");
    }

    private static bool OneIn(Random random, int times) => random.Next(times) == 0;

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private int HashCode(int number) => unchecked((seed * 1_000_003) ^ (number * 7919));

    private static Uri Address(Random random, Operation operation, Func<string, string> values)
    {
        var path = string.Join('/', operation.Path.Split('/').Select(segment => segment.StartsWith('{')
            ? OneIn(random, 2) ? values(segment.Trim('{', '}')) : Uri.EscapeDataString(Pick(random, Texts)).Replace("%250", "%0", StringComparison.Ordinal)
            : segment));
        var query = new List<string>();
        foreach (var (name, _, _) in operation.Parameters.Where(parameter => parameter.Place == "query" && OneIn(random, 2)))
            query.AddRange(Enumerable.Repeat(0, random.Next(1, 3)).Select(_ => $"{name}={Uri.EscapeDataString(Pick(random, Texts))}"));
        if (OneIn(random, 10))
            query.Add(Pick(random, ["%", "%00=%00", "%FF%FE=%C0%80", "a[]=1&a[]=2", "page_id", "=", "limit=1&limit=2"]));
        return new Uri(query.Count == 0 ? path : $"{path}?{string.Join('&', query)}", UriKind.Relative);
    }

    private static IEnumerable<(string Name, string Value)> Headers(Random random)
    {
        if (OneIn(random, 2))
            yield return ("If-Match", Pick(random, Tags));
        if (OneIn(random, 4))
            yield return ("Idempotency-Key", Pick(random, ["", " ", "a", "\"a\"", new string('k', 3000), "\u00e9\u00e9", "a, b"]));
        if (OneIn(random, 10))
            yield return ("Accept", Pick(random, ["text/html", "*/*;q=nonsense", "application/xml", ";;;", ""]));
        if (OneIn(random, 20))
            yield return ("Origin", Pick(random, ["null", "https://evil.example", "http://", "\u00e9"]));
        if (OneIn(random, 20))
            yield return ("X-Session-API-Key", Pick(random, ["x", "sk-oh-", "\u00e9", new string('k', 3000)]));
        if (OneIn(random, 20))
            yield return Pick(random, [("Range", "bytes=9-1"), ("Cookie", "openhands-session=x; a=\u00e9;;"), ("Accept-Language", "x"), ("If-None-Match", "\""), ("Forwarded", "for=;;")]);
    }

    // Where a body is read; elsewhere the answer comes first, and breaks a huge one on its way.
    private byte[] Body(Random random, Operation operation, bool mayBeHuge)
    {
        var text = Members(random, operation);
        return random.Next(14) switch
        {
            0 => Encoding.UTF8.GetBytes(text[..random.Next(text.Length)]),
            1 => [.. Encoding.UTF8.GetBytes(text[..(text.Length / 2)]), 0xFF, 0xC0, 0x80, .. Encoding.UTF8.GetBytes(text[(text.Length / 2)..])],
            2 => [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)],
            3 => Encoding.Unicode.GetBytes(text),
            4 => Encoding.UTF8.GetBytes(new string('[', 20_000)),
            5 => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 5000))),
            6 => mayBeHuge && OneIn(random, 4) ? Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', 3 * 1024 * 1024)}\"}}") : [],
            7 => Encoding.UTF8.GetBytes(Pick(random, Values)),
            8 => [.. Enumerable.Range(0, 64).Select(_ => (byte)random.Next(256))],
            _ => Encoding.UTF8.GetBytes(text),
        };
    }

    // The members that the schema knows and a few that it does not, some of them with values that they do not take.
    private string Members(Random random, Operation operation)
    {
        var members = new List<string>();
        var sample = samples.For(operation) as JsonObject ?? [];
        if (operation.Body is { Schema: var schema } && description.Resolve(schema)["properties"] is JsonObject properties)
        {
            foreach (var (name, _) in properties.Where(property => sample.ContainsKey(property.Key) ? !OneIn(random, 8) : OneIn(random, 3)))
                members.Add($"{JsonSerializer.Serialize(name)}:{(OneIn(random, 3) ? Odd(random) : sample[name]?.ToJsonString() ?? Odd(random))}");
        }

        if (OneIn(random, 4))
            members.Add($"\"unknown\":{Odd(random)}");
        if (OneIn(random, 15) && members.Count > 0)
            members.Add(members[0]);
        return $"{{{string.Join(',', members)}}}";
    }

    private static string Odd(Random random) => OneIn(random, 2) ? Pick(random, Values) : JsonSerializer.Serialize(Pick(random, Texts));
}
