using Microsoft.AspNetCore.Authorization;
using OpenHands.Storage.ApiKeys;

namespace OpenHands.Api.Auth;

/// <summary>A caller with a key needs a scope for the route's area: to write, unless the request only reads.</summary>
internal sealed class ScopeRequirement(string area) : AuthorizationHandler<ScopeRequirement>, IAuthorizationRequirement
{
    private readonly string _read = ApiKeyScopes.Reading(area);
    private readonly string _write = ApiKeyScopes.Writing(area);

    /// <inheritdoc/>
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        var reads = context.Resource is HttpContext { Request.Method: var method } && (HttpMethods.IsGet(method) || HttpMethods.IsHead(method));
        if (context.User.KeyId() is null || (context.User.HasClaim(PrincipalExtensions.Scope, _write) || (reads && context.User.HasClaim(PrincipalExtensions.Scope, _read))))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
