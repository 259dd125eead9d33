using Microsoft.AspNetCore.Authorization;
using OpenHands.Storage.ApiKeys;

namespace OpenHands.Api.Auth;

/// <summary>A caller with a key needs a scope for the route's area: to write, unless the request only reads.</summary>
internal sealed class ScopeRequirement(string area) : AuthorizationHandler<ScopeRequirement>, IAuthorizationRequirement
{
    /// <inheritdoc/>
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        var reads = context.Resource is HttpContext { Request.Method: var method } && (HttpMethods.IsGet(method) || HttpMethods.IsHead(method));
        if (context.User.KeyId() is null || ApiKeyScopes.Allow(context.User.Scopes(), area, writes: !reads))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
