using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace OpenHands.Api.Auth;

/// <summary>The scheme of the local mode: whoever calls from this machine is the local user.</summary>
internal sealed class LocalAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> schemes, ILoggerFactory loggers, UrlEncoder encoder, IOptions<IdentityOptions> identity)
    : AuthenticationHandler<AuthenticationSchemeOptions>(schemes, loggers, encoder)
{
    /// <inheritdoc/>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // Asked here once more: this scheme must stay closed even where the guard lets something pass.
        var result = identity.Value.AllowRemote || CallerAddress.IsThisMachine(Context)
            ? AuthenticateResult.Success(new AuthenticationTicket(LocalUser.Principal(Scheme.Name), Scheme.Name))
            : AuthenticateResult.NoResult();
        return Task.FromResult(result);
    }
}
