namespace OpenHands.Api.Auth;

/// <summary>Says who may call a route.</summary>
internal static class AudienceExtensions
{
    /// <summary>Open to everybody.</summary>
    public static TBuilder ForAnyone<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder =>
        routes.AllowAnonymous().WithMetadata(new Audience(Callers.Anyone));

    /// <summary>Open to users; nothing of a tenant is touched.</summary>
    public static TBuilder ForUsers<TBuilder>(this TBuilder routes)
        where TBuilder : IEndpointConventionBuilder =>
        routes.RequireAuthorization().WithMetadata(new Audience(Callers.User));

    /// <summary>Open to admins of the organization in the path. The store asks for the role, the database asks again.</summary>
    public static TBuilder ForAdmins<TBuilder>(this TBuilder route, string area)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new Audience(Callers.Admin, area));
}
