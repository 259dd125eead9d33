using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Storage.Idempotency;

namespace OpenHands.Api.Http;

/// <summary>
/// Answers a request that comes again with what it was answered first, without doing it again. Only success is kept: what was
/// refused or failed may be sent again, also with another body.
/// </summary>
internal sealed class IdempotencyFilter(IdempotencyStore store) : IEndpointFilter
{
    /// <summary>The header with which a caller tells requests apart.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>The header of an answer that was given before.</summary>
    public const string RepeatedHeader = "Idempotency-Replayed";

    /// <inheritdoc/>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.Request.Headers[Header] is not { Count: > 0 } header)
            return await next(context);
        if (header is not [{ Length: > 0 and <= IdempotencyStore.LongestKey } key] || !key.All(letter => letter is > ' ' and <= '~'))
            return Problem(StatusCodes.Status400BadRequest, $"{Header} must be one text of 1 to {IdempotencyStore.LongestKey} visible ASCII characters, such as a UUID.");

        object? result = null;
        var request = new IdempotentRequest($"{http.Request.Method} {http.Request.Path}", key, await BodyHashAsync(http.Request));
        var (outcome, answer) = await store.RunAsync(
            request,
            async () =>
            {
                result = await next(context);
                return await KeptAsync(http, result);
            },
            http.RequestAborted);
        return outcome switch
        {
            IdempotencyOutcome.Tried => result,
            IdempotencyOutcome.Repeated => new RepeatedAnswer(answer!), // comes with the outcome
            IdempotencyOutcome.UnderWay => Problem(StatusCodes.Status409Conflict, $"A request with this {Header} is being worked on. Send it again in a moment."),
            IdempotencyOutcome.OtherBody => Problem(StatusCodes.Status422UnprocessableEntity, $"This {Header} was used with another body. Use a new one for a new request."),
            _ => Problem(StatusCodes.Status404NotFound, "The caller has lost access meanwhile."),
        };
    }

    private static async Task<byte[]> BodyHashAsync(HttpRequest request)
    {
        request.Body.Position = 0;
        return await SHA256.HashDataAsync(request.Body, request.HttpContext.RequestAborted);
    }

    // What the result would write, written to nobody.
    private static async Task<KeptAnswer?> KeptAsync(HttpContext http, object? result)
    {
        while (result is INestedHttpResult nested)
            result = nested.Result;
        if (result is not (IStatusCodeHttpResult { StatusCode: >= 200 and < 300 } and IResult success))
            return null;

        using var body = new MemoryStream();
        var scratch = new DefaultHttpContext { RequestServices = http.RequestServices };
        scratch.Response.Body = body;
        await success.ExecuteAsync(scratch);
        var text = Encoding.UTF8.GetString(body.ToArray());
        var shownOnce = http.GetEndpoint()?.Metadata.GetMetadata<Idempotent>()?.ShownOnce ?? [];
        if (shownOnce.Count > 0 && JsonNode.Parse(text) is JsonObject members)
        {
            foreach (var member in shownOnce)
                members[member] = null;
            text = members.ToJsonString();
        }

        return new KeptAnswer(scratch.Response.StatusCode, scratch.Response.Headers.Location, http.Response.Headers.ETag, text);
    }

    private static ProblemHttpResult Problem(int status, string message) => TypedResults.Problem(message, statusCode: status);
}

/// <summary>An answer that was given before.</summary>
internal sealed class RepeatedAnswer(KeptAnswer answer) : IResult
{
    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = answer.Status;
        response.Headers.Location = answer.Location;
        response.Headers.ETag = answer.EntityTag;
        response.Headers[IdempotencyFilter.RepeatedHeader] = "true";
        if (answer.Body.Length == 0)
            return;
        response.ContentType = "application/json; charset=utf-8";
        await response.WriteAsync(answer.Body, httpContext.RequestAborted);
    }
}
