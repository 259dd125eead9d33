using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenHands.Api.Http;

/// <summary>
/// A posted JSON object as it came: only so can an absent member be told from one that is null. Read by hand, because the
/// serializer throws at a repeated member as if the fault were ours.
/// </summary>
/// <param name="Members">The members of the object.</param>
public sealed record PostedObject(JsonObject Members)
{
    private static readonly JsonDocumentOptions Limits = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>Reads the request body. Throws <see cref="BadHttpRequestException"/> when it is no JSON object.</summary>
    public static async ValueTask<PostedObject> BindAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!context.Request.HasJsonContentType())
            throw new BadHttpRequestException("The content type is not JSON.", StatusCodes.Status415UnsupportedMediaType);

        try
        {
            return await JsonNode.ParseAsync(context.Request.Body, nodeOptions: null, Limits, context.RequestAborted) is JsonObject members
                ? new PostedObject(members)
                : throw new BadHttpRequestException("The body is not a JSON object.");
        }
        catch (JsonException malformed) when (malformed.LineNumber is not null)
        {
            throw new BadHttpRequestException("The body is not JSON.", malformed);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // A repeated member, or a name that is no text: half a surrogate pair, broken UTF-8.
            throw new BadHttpRequestException("The body repeats a member or names one in broken text.");
        }
    }
}
