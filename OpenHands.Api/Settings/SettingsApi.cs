using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Api.Options;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Settings;

namespace OpenHands.Api.Settings;

/// <summary>The caller's own settings.</summary>
internal static class SettingsApi
{
    private const int MaxBodyBytes = 1024 * 1024;

    /// <summary>Maps reading and saving of settings.</summary>
    public static RouteGroupBuilder MapSettings(this IEndpointRouteBuilder routes)
    {
        var settings = routes.MapGroup("/api/settings").WithTags("Settings").ActAsTenant(ApiKeyScopes.Settings);
        settings.AddEndpointFilter<StoredSecretProblems>();
        settings.MapGet("/", ReadAsync).ProducesProblem(StatusCodes.Status404NotFound);
        settings.MapPost("/", SaveAsync).Accepts<SettingsAnswer>("application/json")
            .WithMetadata(new RequestSizeLimitAttribute(MaxBodyBytes))
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        return settings;
    }

    /// <summary>
    /// The settings, without any key: what the caller chose, else what the active organization gives. 404 only while nothing was
    /// ever saved and the organization gives nothing.
    /// </summary>
    internal static async Task<Results<Ok<SettingsAnswer>, ProblemHttpResult>> ReadAsync(
        ClaimsPrincipal caller, SettingsStore store, IOptions<LlmOptions> llm, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(caller.UserId(), cancellationToken) is not { } saved)
            return TypedResults.Problem("Settings not found", statusCode: StatusCodes.Status404NotFound);

        response.Headers.ETag = $"\"{saved.VersionText}\"";
        return TypedResults.Ok(SettingsAnswer.From(saved, llm.Value.DefaultModel));
    }

    /// <summary>
    /// Changes the posted fields and leaves the others alone. Fields that are computed or unknown are ignored; a masked or
    /// absent key keeps the stored one; a value that the organization or the platform gives anyway goes on being inherited. With
    /// If-Match only the version that it names.
    /// </summary>
    internal static async Task<Results<Ok<SettingsStored>, ProblemHttpResult>> SaveAsync(
        PostedObject posted, [FromHeader(Name = "If-Match")] string? ifMatch, ClaimsPrincipal caller, SettingsStore store, IOptions<LlmOptions> llm,
        CancellationToken cancellationToken)
    {
        var version = ifMatch?.Trim() is null or "" or "*" ? null : ifMatch.Trim().Trim('"');
        return await store.MergeAsync(caller.UserId(), new SettingsPost(posted.Members, llm.Value.DefaultModel, version), cancellationToken) switch
        {
            null => TypedResults.Ok(new SettingsStored("Settings stored")),
            { Field: { } problem } => SettingsProblems.Field(problem),
            _ => TypedResults.Problem("Somebody else changed the settings meanwhile. Read them again.", statusCode: StatusCodes.Status412PreconditionFailed),
        };
    }
}

/// <summary>Says that settings were saved.</summary>
/// <param name="Message">For a person.</param>
public sealed record SettingsStored(string Message);
