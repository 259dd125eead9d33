namespace OpenHands.Api.GitProviders;

/// <summary>The host of a token as users write it: with or without a scheme, a port and a path.</summary>
internal static class GitHost
{
    /// <summary>The address of <paramref name="path"/> below it; null where it is no host. Over https unless it says http.</summary>
    public static Uri? Address(string? host, string path)
    {
        var text = (host ?? "").Trim().TrimEnd('/');
        if (!text.Contains("://", StringComparison.Ordinal))
            text = $"https://{text}";
        return Uri.TryCreate($"{text}/", UriKind.Absolute, out var named) && IsPlain(named) ? new Uri(named, path) : null;
    }

    // What else an address may hold would be for somebody else than the host that the user sees.
    private static bool IsPlain(Uri named) =>
        (named.Scheme == Uri.UriSchemeHttps || named.Scheme == Uri.UriSchemeHttp)
        && named is { Host.Length: > 0, UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 }
        && !named.OriginalString.Contains('\\', StringComparison.Ordinal);
}
