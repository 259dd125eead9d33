using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;

namespace OpenHands.Dashboard.Access;

/// <summary>Who may look: whoever has opened the link that the host printed, from then on by a cookie.</summary>
internal static class AccessEndpoints
{
    private const string ContentPolicy =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>Adds the cookie and the rule that nothing is shown without it.</summary>
    public static void AddAccess(this IServiceCollection services, DashboardOptions options)
    {
        services.AddSingleton(new LoginTicket(options.BrowserToken));
        // A new run has a new link; cookies of an old one are worth nothing.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(cookie =>
        {
            // Cookies do not know ports: another dashboard on this machine must not overwrite ours.
            cookie.Cookie.Name = $"openhands-dashboard-{options.Url.Port}";
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SameSite = SameSiteMode.Strict;
            cookie.LoginPath = "/login";
            cookie.ReturnUrlParameter = "returnUrl";
            cookie.ExpireTimeSpan = TimeSpan.FromDays(3);
            cookie.SlidingExpiration = true;
        });
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        services.AddCascadingAuthenticationState();
    }

    /// <summary>Refuses pages of others that would talk to the dashboard with the user's cookie or under another name.</summary>
    public static void UseOwnOriginOnly(this WebApplication app, DashboardOptions options) => app.Use(async (context, next) =>
    {
        var headers = context.Response.Headers;
        (headers.ContentSecurityPolicy, headers.XContentTypeOptions, headers["Referrer-Policy"]) = (ContentPolicy, "nosniff", "no-referrer");
        var isOurs = context.Request.Headers.Origin is not [{ Length: > 0 } origin]
            || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == context.Request.Host.Value);
        if (context.Connection.LocalPort == options.Url.Port && (!isOurs || !IsLoopbackName(context.Request.Host.Host)))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        await next(context);
    });

    /// <summary>Maps the login.</summary>
    public static void MapLogin(this WebApplication app)
    {
        app.MapGet("/login", LoginAsync).AllowAnonymous();
        app.MapPost("/login", LoginByFormAsync).AllowAnonymous();
    }

    internal static Task<IResult> LoginAsync(HttpContext context, LoginTicket ticket, IAntiforgery antiforgery, string? t = null, string? returnUrl = null) =>
        AnswerAsync(context, ticket, antiforgery, t, returnUrl, StatusCodes.Status200OK);

    internal static async Task<IResult> LoginByFormAsync(HttpContext context, LoginTicket ticket, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
        {
            return Results.BadRequest();
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        return await AnswerAsync(context, ticket, antiforgery, form["token"].ToString().Trim(), form["returnUrl"], StatusCodes.Status401Unauthorized);
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, LoginTicket ticket, IAntiforgery antiforgery, string? token, string? returnUrl, int refused)
    {
        var destination = IsLocal(returnUrl) ? returnUrl! : "/";
        if (context.User.Identity?.IsAuthenticated == true)
        {
            return Results.LocalRedirect(destination);
        }

        if (ticket.TryUse(token))
        {
            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "user")], CookieAuthenticationDefaults.AuthenticationScheme);
            await context.SignInAsync(new ClaimsPrincipal(identity), new AuthenticationProperties { IsPersistent = true });
            return Results.LocalRedirect(destination);
        }

        var tokens = antiforgery.GetAndStoreTokens(context);
        return Results.Content(
            LoginPage(failed: !string.IsNullOrEmpty(token), destination, tokens), "text/html", System.Text.Encoding.UTF8,
            string.IsNullOrEmpty(token) ? StatusCodes.Status200OK : Math.Max(refused, StatusCodes.Status401Unauthorized));
    }

    private static bool IsLocal(string? url) => url is ['/', ..] and not ['/', '/' or '\\', ..] && !url.Any(char.IsControl);

    private static bool IsLoopbackName(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || host is "127.0.0.1" or "[::1]";

    private static string LoginPage(bool failed, string returnUrl, AntiforgeryTokenSet tokens)
    {
        var encode = HtmlEncoder.Default;
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
              <meta charset="utf-8" />
              <meta name="viewport" content="width=device-width, initial-scale=1" />
              <meta name="color-scheme" content="light dark" />
              <title>Log in · OpenHands dashboard</title>
              <link rel="icon" href="data:," />
              <link rel="stylesheet" href="/app.css" />
            </head>
            <body>
              <main class="login">
                <h1>OpenHands dashboard</h1>
                {(failed ? """<p role="alert" class="error">This token is wrong, or its link was opened before. Every link opens the dashboard once.</p>""" : "")}
                <p>Open the link that <code>dotnet run --project OpenHands.AppHost</code> printed, or enter its token, the part after <code>t=</code>.
                   Another browser needs a new link: start the application again.</p>
                <form method="post" action="/login">
                  <input type="hidden" name="{encode.Encode(tokens.FormFieldName)}" value="{encode.Encode(tokens.RequestToken ?? "")}" />
                  <input type="hidden" name="returnUrl" value="{encode.Encode(returnUrl)}" />
                  <label for="token">Token</label>
                  <input id="token" name="token" type="password" autocomplete="off" required />
                  <button type="submit">Log in</button>
                </form>
              </main>
            </body>
            </html>
            """;
    }
}
