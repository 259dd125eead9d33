using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;
using OpenHands.Api.Options;
using OpenHands.Api.Settings;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Settings;

namespace OpenHands.Api.Users;

/// <summary>The caller.</summary>
internal static class UsersApi
{
    /// <summary>Maps it.</summary>
    public static RouteGroupBuilder MapUsers(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/v1/users").WithTags("Users").ActAsTenant(ApiKeyScopes.Settings);
        users.AddEndpointFilter<StoredSecretProblems>();
        users.MapGet("/me", ReadMeAsync);
        return users;
    }

    /// <summary>The caller's profile, memberships and preferences, read at one moment. Preferences are null before anything was saved.</summary>
    internal static async Task<Ok<MeAnswer>> ReadMeAsync(
        ClaimsPrincipal caller, SettingsStore store, IOptions<LlmOptions> llm, CancellationToken cancellationToken)
    {
        var profile = await store.FindProfileAsync(caller.UserId(), cancellationToken)
            ?? throw new InvalidOperationException("The caller's row was made before the request came here.");
        return TypedResults.Ok(new MeAnswer(
            profile.Id, profile.Email, profile.DisplayName, profile.Memberships,
            profile.Settings is null ? null : SettingsAnswer.From(profile.Settings, llm.Value.DefaultModel)));
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
