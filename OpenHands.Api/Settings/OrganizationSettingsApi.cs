using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Settings;

namespace OpenHands.Api.Settings;

/// <summary>What an organization gives its members for the language model.</summary>
internal static class OrganizationSettingsApi
{
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>Maps reading, for members, and changing, for admins. 404 for who is no member.</summary>
    public static RouteGroupBuilder MapOrganizationSettings(this IEndpointRouteBuilder routes)
    {
        var settings = routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}/settings")
            .WithTags("Organizations").ActAsTenant(ApiKeyScopes.Organizations);
        settings.AddEndpointFilter<StoredSecretProblems>();
        settings.MapGet("/", ReadAsync).ProducesProblem(StatusCodes.Status404NotFound);
        settings.MapPatch("/", PatchAsync).ForAdmins(ApiKeyScopes.Organizations).Accepts<JsonObject>("application/merge-patch+json", "application/json")
            .WithMetadata(new RequestSizeLimitAttribute(MaxBodyBytes))
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        return settings;
    }

    /// <summary>What members inherit as long as they choose nothing themselves. Nobody can read the key back.</summary>
    internal static async Task<Results<Ok<GivenSettings>, ProblemHttpResult>> ReadAsync(
        OrganizationSettingsStore store, HttpResponse response, CancellationToken cancellationToken) =>
        await store.FindAsync(cancellationToken) is { } given ? Tagged(given, response) : NotFound();

    /// <summary>
    /// Changes what members inherit, at once for all of them: a JSON merge patch (RFC 7396) of `llm_model`, `llm_base_url` and
    /// `llm_api_key`. The key goes only to the address and the provider given here, whatever a member chooses. With If-Match
    /// only the version that it names. For admins.
    /// </summary>
    internal static async Task<Results<Ok<GivenSettings>, ProblemHttpResult>> PatchAsync(
        PostedObject patch, [FromHeader(Name = "If-Match")] string? ifMatch, OrganizationSettingsStore store, HttpResponse response,
        CancellationToken cancellationToken)
    {
        var version = EntityTag.Read(ifMatch);
        var (outcome, problem) = await store.PatchAsync(patch.Members, version is EntityTag.Unknown && ifMatch?.Trim() != "\"0\"" ? -1 : version, cancellationToken);
        if (problem is not null)
            return SettingsProblems.Field(problem);
        return outcome switch
        {
            OrganizationOutcome.Done => await ReadAsync(store, response, cancellationToken),
            OrganizationOutcome.NotFound => NotFound(),
            OrganizationOutcome.NotAdmin => TypedResults.Problem("Only an admin of the organization may do this.", statusCode: StatusCodes.Status403Forbidden),
            _ => TypedResults.Problem("Somebody else changed the settings meanwhile. Read them again.", statusCode: StatusCodes.Status412PreconditionFailed),
        };
    }

    private static Ok<GivenSettings> Tagged(GivenSettings given, HttpResponse response)
    {
        response.Headers.ETag = EntityTag.Of(given.Version);
        return TypedResults.Ok(given);
    }

    private static ProblemHttpResult NotFound() => TypedResults.Problem("There is no such organization.", statusCode: StatusCodes.Status404NotFound);
}
