using OpenHands.Storage.Organizations;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Api.Auth;

/// <summary>
/// Lets a group of routes work on what belongs to the caller: enters the caller as tenant, in the organization that the route
/// names, else in the active one.
/// </summary>
internal static class TenantEntry
{
    /// <summary>Name of the route value that names an organization.</summary>
    public const string Organization = "organization";

    /// <summary>Adds it to every route of the group. Callers must be authenticated.</summary>
    public static TBuilder ActAsTenant<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder =>
        routes.RequireAuthorization().AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            context.RequestServices.GetRequiredService<TenantContext>()
                .Enter(context.User.UserId(), context.GetRouteValue(Organization) as string);
            await context.RequestServices.GetRequiredService<FirstLogin>().EnsureAsync(context.RequestAborted);
            return await next(invocation);
        });
}
