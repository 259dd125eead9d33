using System.Text.Json.Nodes;

namespace OpenHands.Tests.Support.OpenApi;

/// <summary>The OpenAPI document of the API that runs, as the suites that are generated from it read it.</summary>
internal sealed class ApiDescription(JsonObject document)
{
    /// <summary>Every operation, in the order of the document.</summary>
    public IReadOnlyList<Operation> Operations { get; } =
    [
        .. from path in document["paths"]!.AsObject()
           from operation in path.Value!.AsObject()
           where operation.Value is JsonObject
           select new Operation(operation.Key.ToUpperInvariant(), path.Key, operation.Value!.AsObject()),
    ];

    /// <summary>Reads the document as the caller that the client is.</summary>
    public static async Task<ApiDescription> ReadAsync(HttpClient client) =>
        new(JsonNode.Parse(await client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken))!.AsObject());

    /// <summary>A schema with its reference followed.</summary>
    public JsonObject Resolve(JsonNode schema) => (string?)schema["$ref"] is { } reference
        ? document["components"]!["schemas"]![reference.Split('/')[^1]]!.AsObject()
        : schema.AsObject();
}

/// <summary>One operation of the document.</summary>
/// <param name="Method">In upper case.</param>
/// <param name="Path">With its parameters in braces.</param>
/// <param name="Content">What the document says of it.</param>
internal sealed record Operation(string Method, string Path, JsonObject Content)
{
    /// <summary>Media type and schema of the body; null where none is taken.</summary>
    public (string MediaType, JsonNode Schema)? Body => Content["requestBody"]?["content"]?.AsObject().First() is { } body
        ? (body.Key, body.Value!["schema"]!)
        : null;

    /// <summary>The parameters that are sent in the query or as a header, with their schemas.</summary>
    public IEnumerable<(string Name, string Place, JsonNode Schema)> Parameters =>
        from parameter in Content["parameters"]?.AsArray() ?? []
        where (string?)parameter!["in"] != "path"
        select ((string)parameter["name"]!, (string)parameter["in"]!, parameter["schema"]!);

    public override string ToString() => $"{Method} {Path}";
}
