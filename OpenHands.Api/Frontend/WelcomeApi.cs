using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;

namespace OpenHands.Api.Frontend;

/// <summary>What `/` says while no front end is configured.</summary>
internal static class WelcomeApi
{
    private static readonly string[] Lines =
    [
        "The OpenHands API is running. It serves no web front end yet.",
        "To serve a built one, set Frontend:Directory to the folder that holds its index.html (environment variable Frontend__Directory).",
        "To work on one with its development server, start that with VITE_BACKEND_HOST set to this address (host:port), "
            + "and here set Cors:Origins:0 to the address of its pages, for example http://localhost:3001.",
    ];

    /// <summary>Maps `/`, unless the front end answers there.</summary>
    public static void MapWelcome(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<FrontendOptions>>().Value.FullPath is null)
            app.MapGet("/", Welcome).ForAnyone().ExcludeFromDescription();
    }

    /// <summary>Says how to get a front end, as a page or as text.</summary>
    internal static ContentHttpResult Welcome(HttpRequest request) => FrontendPaths.Accepts(request, "text/html")
        ? TypedResults.Content(Html(), "text/html", Encoding.UTF8)
        : TypedResults.Content(string.Join('\n', Lines) + "\n", "text/plain", Encoding.UTF8);

    private static string Html() =>
        $"""
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><title>OpenHands</title></head>
        <body>
        {string.Join('\n', Lines.Select(line => $"<p>{line}</p>"))}
        </body>
        </html>

        """;
}
