using Microsoft.Net.Http.Headers;

namespace OpenHands.Api.Frontend;

/// <summary>Which addresses belong to the front end. Its page in answer to a call of the API would be taken for data.</summary>
internal static class FrontendPaths
{
    /// <summary>Files with a fingerprint in their name.</summary>
    public static readonly PathString Assets = "/assets";

    // Also what is not there yet or only behind a proxy: all that the front end or an operator calls for data.
    private static readonly PathString[] OfTheServer =
    [
        "/api", "/sockets", "/socket.io", "/ws", "/oauth", "/auth", "/feedback", "/integration", "/mcp", "/runtime",
        "/health", "/alive", "/openapi",
    ];

    /// <summary>Whether <paramref name="path"/> may be a file or a page of the front end.</summary>
    public static bool MayBeFrontend(PathString path) =>
        !OfTheServer.Any(reserved => path.StartsWithSegments(reserved)) && !IsHidden(path);

    // The file provider leaves out hidden files, but not the files in a hidden folder.
    private static bool IsHidden(PathString path) => path.Value?.Contains("/.", StringComparison.Ordinal) is true;

    /// <summary>Whether a request for a file that does not exist asks for the page, which then finds its own way by the address.</summary>
    public static bool WantsPage(HttpRequest request)
    {
        if (!(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) || request.Path.StartsWithSegments(Assets))
            return false;

        // A browser that navigates names HTML. Others take anything, and must not be given the page for a missing file.
        return Accepts(request, "text/html") || (AcceptsAnything(request) && !Path.HasExtension(request.Path));
    }

    /// <summary>Whether the Accept header names <paramref name="mediaType"/> itself.</summary>
    public static bool Accepts(HttpRequest request, string mediaType) =>
        request.GetTypedHeaders().Accept.Any(range => IsWanted(range) && range.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase));

    private static bool AcceptsAnything(HttpRequest request) =>
        request.Headers.Accept.Count == 0 || request.GetTypedHeaders().Accept.Any(range => IsWanted(range) && range.MatchesAllTypes);

    private static bool IsWanted(MediaTypeHeaderValue range) => range.Quality is not 0;
}
