using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;
using OpenHands.Api.Options;
using OpenHands.Storage.Settings;

namespace OpenHands.Api.Settings;

/// <summary>The caller's own settings.</summary>
internal static class SettingsApi
{
    private const int MaxBodyBytes = 1024 * 1024;

    /// <summary>Maps reading and saving of settings.</summary>
    public static RouteGroupBuilder MapSettings(this IEndpointRouteBuilder routes)
    {
        var settings = routes.MapGroup("/api/settings").WithTags("Settings").ActAsTenant();
        settings.AddEndpointFilter<StoredSecretProblems>();
        settings.MapGet("/", ReadAsync).ProducesProblem(StatusCodes.Status404NotFound);
        settings.MapPost("/", SaveAsync).Accepts<SettingsAnswer>("application/json")
            .WithMetadata(new RequestSizeLimitAttribute(MaxBodyBytes))
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        return settings;
    }

    /// <summary>The settings, without any key. 404 only while nothing was ever saved.</summary>
    internal static async Task<Results<Ok<SettingsAnswer>, ProblemHttpResult>> ReadAsync(
        ClaimsPrincipal caller, SettingsStore store, IOptions<LlmOptions> llm, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(caller.UserId(), cancellationToken) is not { } saved)
            return TypedResults.Problem("Settings not found", statusCode: StatusCodes.Status404NotFound);

        response.Headers.ETag = $"\"{saved.Version}\"";
        return TypedResults.Ok(SettingsAnswer.From(saved, llm.Value.DefaultModel));
    }

    /// <summary>
    /// Changes the posted fields and leaves the others alone. Fields that are computed or unknown are ignored; a masked or
    /// absent key keeps the stored one.
    /// </summary>
    internal static async Task<Results<Ok<SettingsStored>, ProblemHttpResult>> SaveAsync(
        PostedSettings posted, ClaimsPrincipal caller, SettingsStore store, CancellationToken cancellationToken) =>
        await store.MergeAsync(caller.UserId(), posted.Fields, cancellationToken) is { } problem
            ? TypedResults.Problem(
                problem.Message,
                statusCode: StatusCodes.Status422UnprocessableEntity,
                extensions: new Dictionary<string, object?> { ["field"] = problem.Field })
            : TypedResults.Ok(new SettingsStored("Settings stored"));
}

/// <summary>Says that settings were saved.</summary>
/// <param name="Message">For a person.</param>
public sealed record SettingsStored(string Message);
