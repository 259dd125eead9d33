using System.Text;
using System.Text.Json;

namespace OpenHands.Api.Http;

/// <summary>What holds for every request and answer, whatever the route.</summary>
internal static class HttpEdge
{
    private const long MaxRequestBytes = 2 * 1024 * 1024;
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(15);

    /// <summary>Limits, JSON, errors and CORS.</summary>
    public static void AddHttpEdge(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBytes;
            // By default a header that is no UTF-8 is refused by the server itself, without a word; so it is one that does not match.
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTime);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.DictionaryKeyPolicy = null; // keys of dictionaries are data, not names
            // Otherwise a JsonObject with a repeated key throws only when it is read, which would be our failure.
            json.SerializerOptions.AllowDuplicateProperties = false;
        });
        builder.Services.AddRouting(routes => routes.SetParameterPolicy<EntityIdConstraint>(EntityIdConstraint.Name));
        builder.Services.AddProblems();
        builder.Services.AddCrossOrigin();
    }

    /// <summary>The outermost part of the pipeline: headers and errors.</summary>
    public static void UseHttpEdge(this WebApplication app)
    {
        app.UseSecurityHeaders();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseCharsetRule();
    }
}
