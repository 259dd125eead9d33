using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Api.RateLimits;
using OpenHands.Storage.ApiKeys;

namespace OpenHands.Api.ApiKeys;

/// <summary>The caller's keys for programs: as the platform has them, and as the web front end asks for them.</summary>
internal static class ApiKeysApi
{
    private const string One = "/{key:id}";

    // What one page of the front end can show; it never asks for a second.
    private const int MostShown = 1000;

    /// <summary>Maps both. Everywhere: the caller's own keys in the organization named in the path, else the active one.</summary>
    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        Map(routes.MapGroup("/api/v1/api-keys"));
        Map(routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}/api-keys")).AddEndpointFilter<MembershipFilter>();

        var frontend = routes.MapGroup("/api/keys").WithTags("API keys").ActAsTenant(ApiKeyScopes.Keys);
        frontend.MapGet("/", ListAllAsync);
        frontend.MapPost("/", CreateWithAllScopesAsync).Costs(5).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        frontend.MapDelete(One, DeleteAsync).ProducesProblem(StatusCodes.Status404NotFound);
    }

    /// <summary>The keys, oldest first, without their text.</summary>
    internal static async Task<Results<Ok<Page<ApiKeySummary>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageRequest page, ApiKeyStore store, CancellationToken cancellationToken) =>
        page.Problem ?? (Results<Ok<Page<ApiKeySummary>>, ProblemHttpResult>)TypedResults.Ok(
            page.Of(await store.ListAsync(page.After, page.Most, cancellationToken), key => key.Id));

    /// <summary>Makes a key and shows it, this once. A caller who came with a key cannot give more than that key has.</summary>
    internal static async Task<Results<Created<NewApiKey>, ProblemHttpResult>> CreateAsync(
        ApiKeyRequest request, ClaimsPrincipal caller, ApiKeyStore store, TimeProvider time, HttpRequest http, CancellationToken cancellationToken)
    {
        if (request.Problem(time.GetUtcNow()) is { } problem)
            return TypedResults.Problem(problem, statusCode: StatusCodes.Status422UnprocessableEntity);
        if (caller.KeyId() is not null && !ApiKeyScopes.Cover(caller.Scopes(), request.Scopes))
            return TypedResults.Problem("A key cannot make one with more scopes than its own.", statusCode: StatusCodes.Status403Forbidden);

        return await store.CreateAsync(request.Name.Trim(), request.Scopes, request.ExpiresAt, cancellationToken) is { } made
            ? TypedResults.Created($"{http.Path}/{made.Summary.Id}", new NewApiKey(made.Summary, made.Key))
            : NoOrganization();
    }

    /// <summary>Ends a key: within a second nobody can call with it.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(string key, ApiKeyStore store, CancellationToken cancellationToken) =>
        await store.RevokeAsync(key, cancellationToken) ? TypedResults.NoContent() : NotFound();

    /// <summary>The keys, oldest first, without their text, as the front end lists them.</summary>
    internal static async Task<Ok<IReadOnlyList<ApiKeySummary>>> ListAllAsync(ApiKeyStore store, CancellationToken cancellationToken) =>
        TypedResults.Ok(await store.ListAsync("", MostShown, cancellationToken));

    /// <summary>Makes a key that may do what the caller may, and shows it, this once. Unknown members are ignored.</summary>
    internal static async Task<Results<Ok<NewApiKey>, ProblemHttpResult>> CreateWithAllScopesAsync(
        FrontendApiKeyRequest request, ClaimsPrincipal caller, ApiKeyStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        var scopes = caller.KeyId() is null ? ApiKeyScopes.All : caller.Scopes();
        var full = new ApiKeyRequest(request.Name ?? "", [.. scopes], request.ExpiresAt);
        if (full.Problem(time.GetUtcNow()) is { } problem)
            return TypedResults.Problem(problem, statusCode: StatusCodes.Status422UnprocessableEntity);

        return await store.CreateAsync(full.Name.Trim(), full.Scopes, full.ExpiresAt, cancellationToken) is { } made
            ? TypedResults.Ok(new NewApiKey(made.Summary, made.Key))
            : NoOrganization();
    }

    /// <summary>Ends a key, as the front end asks for it.</summary>
    internal static async Task<Results<Ok<ApiKeyDeleted>, ProblemHttpResult>> DeleteAsync(string key, ApiKeyStore store, CancellationToken cancellationToken) =>
        await store.RevokeAsync(key, cancellationToken) ? TypedResults.Ok(new ApiKeyDeleted("API key deleted")) : NotFound();

    private static RouteGroupBuilder Map(RouteGroupBuilder keys)
    {
        keys.WithTags("API keys").ActAsTenant(ApiKeyScopes.Keys);
        keys.MapGet("/", ListAsync).ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        keys.MapPost("/", CreateAsync).Costs(5).ProducesProblem(StatusCodes.Status403Forbidden).Idempotent(shownOnce: "key");
        keys.MapDelete(One, RevokeAsync).ProducesProblem(StatusCodes.Status404NotFound);
        return keys;
    }

    private static ProblemHttpResult NotFound() => TypedResults.Problem("There is no such key.", statusCode: StatusCodes.Status404NotFound);

    private static ProblemHttpResult NoOrganization() => TypedResults.Problem(
        "A key works in one organization: switch to one first, or name one in the path.", statusCode: StatusCodes.Status409Conflict);
}
