using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using OpenHands.Api.Frontend;
using OpenHands.Api.Http;

namespace OpenHands.Api.Auth;

/// <summary>
/// In a mode where nobody is anonymous, closes everything to callers without a credential, the page and its files included: a browser
/// that navigates is sent to the login where there is one, everybody else is told 401. The front end itself has no login in the mode that it runs in here.
/// </summary>
internal sealed class LoginGate(RequestDelegate next, IOptions<IdentityOptions> identity)
{
    /// <summary>Lets the request pass, sends it to the login, or answers 401.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        if (identity.Value.IsAnonymous
            || context.User.Identity?.IsAuthenticated is true
            || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return next(context);
        }

        if (!identity.Value.HasLogin)
            return context.WriteProblemAsync(StatusCodes.Status401Unauthorized, "Send an API key: Authorization: Bearer sk-oh-…");
        if (!FrontendPaths.MayBeFrontend(context.Request.Path) || !Navigates(context))
            return context.WriteProblemAsync(StatusCodes.Status401Unauthorized, ProblemText.For(StatusCodes.Status401Unauthorized));

        context.Response.Redirect(LoginApi.AddressFor(context.Request));
        return Task.CompletedTask;
    }

    // What is a page of ours only a browser asks for as one; an address of the front end may be asked for by anything.
    private static bool Navigates(HttpContext context) => context.GetEndpoint() is null
        ? FrontendPaths.WantsPage(context.Request)
        : FrontendPaths.Accepts(context.Request, "text/html");
}
