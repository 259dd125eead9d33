using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace OpenHands.Api.Auth;

/// <summary>Login and logout of browsers, and whether one is logged in.</summary>
internal static class LoginApi
{
    private const string Login = "/auth/login";
    private const string Home = "/";

    /// <summary>Maps them. The pages are there only in a mode with a login.</summary>
    public static void MapLogin(this WebApplication app)
    {
        var session = app.MapGroup("/api").WithTags("Login").ForAnyone();
        session.MapPost("/authenticate", Authenticate).ProducesProblem(StatusCodes.Status401Unauthorized);
        session.MapPost("/logout", LogoutAsync);
        if (!app.Services.GetRequiredService<IOptions<IdentityOptions>>().Value.HasLogin)
            return;

        var pages = app.MapGroup("/auth").ForAnyone().ExcludeFromDescription();
        pages.MapGet("/login", LoginPage);
        pages.MapGet("/failed", Failed);
    }

    /// <summary>The login that leads back to the page that was asked for.</summary>
    public static string AddressFor(HttpRequest request) =>
        $"{Login}?return_to={Uri.EscapeDataString($"{request.Path}{request.QueryString}")}";

    /// <summary>200 for a caller who is logged in, else 401.</summary>
    internal static Results<Ok<LoginAnswer>, ProblemHttpResult> Authenticate(HttpContext context) => context.User.Identity?.IsAuthenticated is true
        ? TypedResults.Ok(new LoginAnswer("Logged in"))
        : TypedResults.Problem("Please log in.", statusCode: StatusCodes.Status401Unauthorized);

    /// <summary>Ends the login of this browser. Without one there is nothing to do.</summary>
    internal static async Task<Ok<LoginAnswer>> LogoutAsync(HttpContext context, IOptions<IdentityOptions> identity)
    {
        if (identity.Value.HasLogin)
            await context.SignOutAsync(OidcLogin.Cookie);
        return TypedResults.Ok(new LoginAnswer("Logged out"));
    }

    internal static ChallengeHttpResult LoginPage([FromQuery(Name = "return_to")] string? returnTo) =>
        TypedResults.Challenge(new AuthenticationProperties { RedirectUri = IsOurs(returnTo) ? returnTo : Home }, [OidcLogin.Issuer]);

    internal static ContentHttpResult Failed() => Page(
        "The login did not succeed.", $"It may have taken too long, or the issuer of identities refused it. <a href=\"{Login}\">Try again</a>.");

    // A path of this server: "//evil" and "/\\evil" are other hosts to a browser.
    private static bool IsOurs(string? address) =>
        address is ['/', ..] and not ['/', '/' or '\\', ..] && !address.Any(char.IsControl) && Uri.IsWellFormedUriString(address, UriKind.Relative);

    private static ContentHttpResult Page(string title, string text) => TypedResults.Content(
        $"""
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><title>OpenHands</title></head>
        <body><h1>{title}</h1><p>{text}</p></body>
        </html>

        """, "text/html", System.Text.Encoding.UTF8);
}

/// <summary>How a login stands.</summary>
/// <param name="Message">For a person.</param>
public sealed record LoginAnswer(string Message);
