using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;
using OpenHands.Api.Options;
using OpenHands.Api.Settings;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Users;

namespace OpenHands.Api.Users;

/// <summary>The caller.</summary>
internal static class UsersApi
{
    /// <summary>Maps it.</summary>
    public static RouteGroupBuilder MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/v1/users").WithTags("Users").ActAsTenant(ApiKeyScopes.Settings);
        users.AddEndpointFilter<StoredSecretProblems>();
        users.MapGet("/me", ReadMeAsync).ProducesProblem(StatusCodes.Status401Unauthorized);
        users.MapDelete("/me", RemoveMeAsync);
        return users;
    }

    /// <summary>The caller's profile, memberships and preferences, read at one moment. Preferences are null before anything was saved.</summary>
    internal static async Task<Results<Ok<MeAnswer>, ProblemHttpResult>> ReadMeAsync(
        ClaimsPrincipal caller, SettingsStore store, IOptions<LlmOptions> llm, CancellationToken cancellationToken)
    {
        // Made before the request came here: only who was removed a moment ago has none.
        if (await store.FindProfileAsync(caller.UserId(), cancellationToken) is not { } profile)
            return TypedResults.Problem("The user was removed.", statusCode: StatusCodes.Status401Unauthorized);
        return TypedResults.Ok(new MeAnswer(
            profile.Id, profile.Email, profile.DisplayName, profile.Memberships,
            profile.Settings is null ? null : SettingsAnswer.From(profile.Settings, llm.Value.DefaultModel)));
    }

    /// <summary>
    /// Removes the caller with everything that is theirs: settings, secrets, sessions, keys, memberships, and organizations in
    /// which nobody else is. 409 while others would be left without an admin. Not with an API key, and not in the mode `local`.
    /// </summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> RemoveMeAsync(
        ClaimsPrincipal caller, UserStore store, IOptions<IdentityOptions> identity, CancellationToken cancellationToken)
    {
        if (caller.KeyId() is not null)
            return TypedResults.Problem("An API key cannot remove its user. Log in to do it.", statusCode: StatusCodes.Status403Forbidden);
        if (!identity.Value.HasLogin)
        {
            return TypedResults.Problem(
                "Without a login there is one user, who is always there. Delete what is stored, or the data directory.", statusCode: StatusCodes.Status409Conflict);
        }

        return await store.RemoveAsync(cancellationToken)
            ? TypedResults.NoContent()
            : TypedResults.Problem(
                "Others would be left in an organization without an admin. Make somebody else an admin there first.", statusCode: StatusCodes.Status409Conflict);
    }
}

/// <summary>The caller.</summary>
/// <param name="Id">Id of the user.</param>
/// <param name="Email">Verified address, or null.</param>
/// <param name="DisplayName">Name to show, or null.</param>
/// <param name="Memberships">The organizations that the caller belongs to, oldest first.</param>
/// <param name="Settings">The preferences, without any key; null before anything was saved.</param>
public sealed record MeAnswer(
    string Id, string? Email, string? DisplayName, IReadOnlyList<ProfileMembership> Memberships, SettingsAnswer? Settings);
