using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using OpenHands.Storage.ApiKeys;

namespace OpenHands.Api.Auth;

/// <summary>
/// The scheme of API keys: `Authorization: Bearer sk-oh-…`, or `X-Session-API-Key`, which agents send. A key in an address is
/// never looked at: addresses end up in logs.
/// </summary>
internal sealed class ApiKeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> schemes, ILoggerFactory loggers, UrlEncoder encoder, ApiKeyDirectory keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(schemes, loggers, encoder)
{
    /// <summary>Name of the scheme.</summary>
    public const string Name = "api-key";

    // The directory knows a caller for half a second, for as many requests as come; nobody changes a ticket.
    private static readonly ConditionalWeakTable<ApiKeyCaller, AuthenticationTicket> Tickets = [];

    private const string SessionHeader = "X-Session-API-Key";
    private const string Bearer = "Bearer ";

    /// <summary>The key that a request presents; null when it presents none of ours, however wrong.</summary>
    public static string? Presented(HttpRequest request)
    {
        if (request.Headers[SessionHeader] is [{ Length: > 0 } key])
            return key;
        return request.Headers.Authorization is [{ } header]
            && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            && header[Bearer.Length..].Trim() is var token
            && token.StartsWith(ApiKeyText.Prefix, StringComparison.Ordinal)
            ? token
            : null;
    }

    /// <inheritdoc/>
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Presented(Request) is not { } key)
            return AuthenticateResult.NoResult();
        if (await keys.FindAsync(key, Context.RequestAborted) is not { } caller)
            return AuthenticateResult.Fail("The API key is not valid.");

        return AuthenticateResult.Success(Tickets.GetValue(caller, Ticket));
    }

    private static AuthenticationTicket Ticket(ApiKeyCaller caller)
    {
        var identity = new ClaimsIdentity(
            [
                new Claim(ClaimTypes.NameIdentifier, caller.UserId), new Claim(PrincipalExtensions.Key, caller.KeyId),
                new Claim(PrincipalExtensions.Organization, caller.OrganizationId),
                .. caller.Scopes.Select(scope => new Claim(PrincipalExtensions.Scope, scope)),
            ],
            Name);
        return new AuthenticationTicket(new ClaimsPrincipal(identity), Name);
    }
}
