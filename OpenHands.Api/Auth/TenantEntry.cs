using Microsoft.Extensions.Options;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Api.Auth;

/// <summary>
/// Lets a group of routes work on what belongs to the caller: enters the caller as tenant, in the organization that the route
/// names, else in that of the caller's key, else in the active one.
/// </summary>
internal static class TenantEntry
{
    /// <summary>Name of the route value that names an organization.</summary>
    public const string Organization = "organization";

    /// <summary>Adds it to every route of the group. Callers must be authenticated, and a key needs a scope for the area.</summary>
    public static TBuilder ActAsTenant<TBuilder>(this TBuilder routes, string area)
        where TBuilder : IEndpointConventionBuilder
    {
        routes.Add(endpoint => endpoint.Metadata.Insert(0, new Audience(NamesOrganization(endpoint) ? Callers.Member : Callers.User, area)));
        return routes
            .RequireAuthorization(policy => policy.RequireAuthenticatedUser().AddRequirements(new ScopeRequirement(area)))
            .AddEndpointFilter((invocation, next) =>
            {
                var context = invocation.HttpContext;
                var (named, ofKey) = (context.GetRouteValue(Organization) as string, context.User.KeyOrganization());
                if (named is not null && ofKey is not null && named != ofKey)
                    return new(TypedResults.Problem("There is no such organization.", statusCode: StatusCodes.Status404NotFound));

                var tenant = context.RequestServices.GetRequiredService<TenantContext>();
                tenant.Enter(context.User.UserId(), named ?? ofKey);
                tenant.Origin = AuditOrigins.Of(context);
                // Who has a key has been here before.
                return ofKey is null ? LogInFirstAsync(invocation, next) : next(invocation);
            });
    }

    private static async ValueTask<object?> LogInFirstAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var hasLogin = context.RequestServices.GetRequiredService<IOptions<IdentityOptions>>().Value.HasLogin;
        await context.RequestServices.GetRequiredService<FirstLogin>().EnsureAsync(mayMakeUser: !hasLogin, context.RequestAborted);
        return await next(invocation);
    }

    private static bool NamesOrganization(EndpointBuilder endpoint) =>
        endpoint is RouteEndpointBuilder route && route.RoutePattern.Parameters.Any(parameter => parameter.Name == Organization);
}
