using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Api.Auth;

namespace OpenHands.Tests.Api.Authorization;

/// <summary>One method of one route as it is mapped, and who may call it.</summary>
/// <param name="Method">In upper case.</param>
/// <param name="Pattern">Its address.</param>
/// <param name="Endpoint">All that was said of it.</param>
internal sealed record Route(string Method, RoutePattern Pattern, Endpoint Endpoint)
{
    // Of an orchestrator, and part of every service: they know of no audience.
    private static readonly string[] Probes = ["/health", "/alive"];

    // Of the reference page: it names the document, of which there is one, and no row.
    private const string DocumentName = "documentName";

    /// <summary>Who may call it; null when nobody decided.</summary>
    public Audience? Audience => Endpoint.Metadata.GetMetadata<Audience>();

    /// <summary>The least that a caller must be; null when nobody decided.</summary>
    public Callers? Callers => Audience?.Callers;

    /// <summary>What a key's scope must name.</summary>
    public string? Area => Audience?.Area;

    /// <summary>Whether it is of an organization that its address names.</summary>
    public bool IsOfOrganization => Parameters.Contains(TenantEntry.Organization);

    /// <summary>Whether it is open to callers who are not known.</summary>
    public bool AllowsAnonymous => Endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;

    /// <summary>Whether it is in the OpenAPI document.</summary>
    public bool IsDescribed => Endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true };

    /// <summary>Its address as the OpenAPI document writes it.</summary>
    public string Path => Address(name => $"{{{name}}}");

    /// <summary>The names of what stands in its address.</summary>
    public IEnumerable<string> Parameters => Pattern.Parameters.Select(parameter => parameter.Name).Where(name => name != DocumentName);

    /// <summary>Whether the caller is gone afterwards.</summary>
    public bool RemovesCaller => ToString() == "DELETE /api/v1/users/me";

    /// <summary>Whether its body names the row, by something that nobody can make up.</summary>
    public bool FindsByBody => Path.StartsWith("/api/v1/invitations/", StringComparison.Ordinal);

    /// <summary>Every route of the API but the probes.</summary>
    public static IReadOnlyList<Route> All(IServiceProvider services) =>
    [
        .. from endpoint in services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [HttpMethods.Get]
           let route = new Route(method, endpoint.RoutePattern, endpoint)
           where !Probes.Contains(route.Path)
           select route,
    ];

    /// <summary>Its address with these values.</summary>
    public string Address(Func<string, string> value) => "/" + string.Join('/', Pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
    {
        RoutePatternParameterPart { Name: DocumentName } => "v1",
        RoutePatternParameterPart parameter => value(parameter.Name),
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternSeparatorPart separator => separator.Content,
        _ => throw new InvalidOperationException($"{part.GetType()} is no part of a route."),
    }))));

    public override string ToString() => $"{Method} {Path}";
}
