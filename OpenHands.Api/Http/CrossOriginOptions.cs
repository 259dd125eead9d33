namespace OpenHands.Api.Http;

/// <summary>Pages of other origins that may use the API, such as a front end's development server.</summary>
internal sealed class CrossOriginOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Cors";

    /// <summary>Exact origins such as `http://localhost:3001`. They may send the user's cookies. Empty: none.</summary>
    public IList<string> Origins { get; } = [];

    /// <summary>Whether <paramref name="origin"/> is written as browsers send it: scheme, host and port, nothing else.</summary>
    public static bool IsOrigin(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase)
        && uri.UserInfo.Length == 0;
}
