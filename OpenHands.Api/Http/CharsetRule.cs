namespace OpenHands.Api.Http;

/// <summary>JSON is UTF-8 (RFC 8259, section 8.1). The framework would decode what other names it knows and fail at the rest as if the fault were ours.</summary>
internal static class CharsetRule
{
    private static readonly string[] Allowed = ["utf-8", "utf8", "us-ascii"];

    /// <summary>Answers 415 to JSON that says that it is written in anything else.</summary>
    public static void UseCharsetRule(this IApplicationBuilder app) => app.Use((context, next) =>
        context.Request.HasJsonContentType() && Charset(context.Request) is { Length: > 0 } charset && !Allowed.Contains(charset, StringComparer.OrdinalIgnoreCase)
            ? context.WriteProblemAsync(StatusCodes.Status415UnsupportedMediaType, "JSON is written in UTF-8: leave the charset out.")
            : next(context));

    private static string? Charset(HttpRequest request) =>
        Microsoft.Net.Http.Headers.MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? type.Charset.Value?.Trim('"') : null;
}
