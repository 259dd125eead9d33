using System.Text.Json.Nodes;

namespace OpenHands.Tests.Support.OpenApi;

/// <summary>Makes a body that an operation accepts, from its schema. A new member that has rules of its own is added to the list.</summary>
/// <param name="description">The operations.</param>
/// <param name="userId">Id of a user of the platform.</param>
internal sealed class SampleBody(ApiDescription description, JsonNode userId)
{
    // What a schema cannot say. The others are made from their type.
    private static readonly Dictionary<string, string> Known = new()
    {
        ["name"] = "\"sample\"",
        ["email"] = "\"sample@example.org\"",
        ["role"] = "\"member\"",
        ["scopes"] = """["sessions:read"]""",
        ["provider_tokens"] = """{"github":{"token":"","host":""}}""",
        ["expires_at"] = "\"2099-01-01T00:00:00Z\"",
        ["url"] = "\"https://example.org/sample\"",
        ["days"] = "90",
        ["state"] = """{"sample":1}""",
    };

    /// <summary>A body for the operation; null where it takes none.</summary>
    public JsonNode? For(Operation operation) => operation.Body is { } body ? Of(body.Schema) : null;

    private JsonNode? Of(JsonNode schema)
    {
        var resolved = description.Resolve(schema);
        if (resolved["properties"] is JsonObject properties)
        {
            var required = resolved["required"]?.AsArray().Select(name => (string)name!).ToHashSet() ?? [];
            return new JsonObject(properties
                .Where(property => required.Contains(property.Key))
                .Select(property => KeyValuePair.Create(property.Key, Member(property.Key, property.Value!))));
        }

        return TypesOf(resolved) switch
        {
            ["string", ..] => "sample",
            ["integer" or "number", ..] => 1,
            ["boolean", ..] => true,
            ["array", ..] => new JsonArray(),
            _ => new JsonObject(),
        };
    }

    private JsonNode? Member(string name, JsonNode schema)
    {
        if (name == "user_id")
            return userId.DeepClone();
        return Known.TryGetValue(name, out var known) ? JsonNode.Parse(known) : Of(schema);
    }

    // Without null: what is required and may be null is mostly refused when it is.
    private static string[] TypesOf(JsonObject schema) => schema["type"] switch
    {
        JsonArray types => [.. types.Select(type => (string)type!).Where(type => type != "null")],
        JsonValue type => [(string)type!],
        _ => [],
    };
}
