using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;

namespace OpenHands.Api.Http;

/// <summary>What an error says to a person when nobody found better words.</summary>
internal static class ProblemText
{
    /// <summary>A sentence for <paramref name="status"/>.</summary>
    public static string For(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "The request could not be understood.",
        StatusCodes.Status401Unauthorized => "Please log in.",
        StatusCodes.Status403Forbidden => "You may not do this.",
        StatusCodes.Status404NotFound => "There is nothing at this address.",
        StatusCodes.Status405MethodNotAllowed => "This address does not take this method.",
        StatusCodes.Status413PayloadTooLarge => "The request is too large.",
        StatusCodes.Status415UnsupportedMediaType => "This address does not take this content type; send application/json.",
        StatusCodes.Status422UnprocessableEntity => "A value in the request is not allowed.",
        StatusCodes.Status429TooManyRequests => "Too many requests. Please try again later.",
        StatusCodes.Status500InternalServerError => "The server failed to answer. Its log has the reason under the trace id.",
        StatusCodes.Status503ServiceUnavailable => "The server cannot answer now. Please try again in a moment.",
        _ => ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } reason
            ? reason
            : string.Create(CultureInfo.InvariantCulture, $"Status {status}"),
    };
}
