using Microsoft.Extensions.Primitives;

namespace OpenHands.Api.Auth;

/// <summary>
/// Which pages may change something or open a socket: our own and those of the CORS list. The front end's identity
/// needs no secret header, so the browser's word about the calling page is all that tells it from a stranger's.
/// </summary>
internal sealed class OriginRule(IEnumerable<string> allowed)
{
    private readonly HashSet<string> _allowed = new(allowed, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the request is harmless or comes from a page that is allowed. Programs send neither header and pass.</summary>
    public bool Allows(HttpRequest request)
    {
        if (!ChangesSomething(request))
            return true;

        var origin = request.Headers.Origin;
        return IsListed(origin)
            || (!IsCrossSite(request.Headers["Sec-Fetch-Site"]) && (origin.Count == 0 || IsSameOrigin(origin, request.Host)));
    }

    // A socket is opened by a GET, but what comes through it can do anything.
    private static bool ChangesSomething(HttpRequest request) =>
        !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
            || HttpMethods.IsOptions(request.Method) || HttpMethods.IsTrace(request.Method))
        || request.Headers.Upgrade.Count > 0;

    private bool IsListed(StringValues origin) => origin.Count == 1 && _allowed.Contains(origin.ToString());

    private static bool IsCrossSite(StringValues site) =>
        site.Contains("cross-site", StringComparer.OrdinalIgnoreCase);

    private static bool IsSameOrigin(StringValues origin, HostString host) =>
        origin.Count == 1
        && Uri.TryCreate(origin.ToString(), UriKind.Absolute, out var page)
        && (page.Scheme == Uri.UriSchemeHttp || page.Scheme == Uri.UriSchemeHttps)
        && page.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase)
        && (page.IsDefaultPort ? host.Port is null || host.Port == page.Port : host.Port == page.Port);
}
