using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Api.Auth;
using OpenHands.Api.GitProviders;
using OpenHands.Api.Settings;
using OpenHands.Api.WebClient;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Secrets;

namespace OpenHands.Api.Secrets;

/// <summary>The caller's tokens for git providers.</summary>
internal static class GitProvidersApi
{
    private const int LongestToken = 8192;
    private const int LongestHost = 512;

    /// <summary>Maps saving and removing.</summary>
    public static RouteGroupBuilder MapGitProviders(this IEndpointRouteBuilder routes)
    {
        var providers = routes.MapGroup("/api").WithTags("Git providers").ActAsTenant(ApiKeyScopes.Secrets);
        providers.AddEndpointFilter<StoredSecretProblems>();
        providers.MapPost("/add-git-providers", SaveAsync);
        providers.MapPost("/unset-provider-tokens", RemoveAsync);
        return providers;
    }

    /// <summary>
    /// Replaces the tokens. A blank token keeps the stored one with the posted host; a provider that is left out is removed. Nothing is
    /// stored when a provider refuses its token (401); one that cannot be asked now is believed.
    /// </summary>
    internal static async Task<Results<Ok<SecretChanged>, ProblemHttpResult>> SaveAsync(
        PostedProviders posted, ClaimsPrincipal caller, ProviderTokenStore store, TokenCheck check, CancellationToken cancellationToken)
    {
        var tokens = new Dictionary<string, ProviderToken>();
        foreach (var (provider, entry) in posted.ProviderTokens ?? new Dictionary<string, PostedProvider?>())
        {
            if (!WebClientProviders.Names.Contains(provider))
                return SecretProblems.Invalid($"provider_tokens may only name: {string.Join(", ", WebClientProviders.Names)}.");
            if (!IsLine(entry?.Token, LongestToken) || !IsLine(entry?.Host, LongestHost))
                return SecretProblems.Invalid($"The token and the host for {provider} must be text without blanks, at most {LongestToken} and {LongestHost} characters.");
            tokens[provider] = new ProviderToken(OrNull(entry?.Token), OrNull(entry?.Host));
        }

        if (await check.FindRefusedAsync(caller.UserId(), tokens, cancellationToken) is { } refused)
            return GitProblems.Of(refused, GitOutcome.TokenRefused);

        await store.ReplaceAsync(caller.UserId(), tokens, cancellationToken);
        return TypedResults.Ok(new SecretChanged("Git providers stored"));
    }

    /// <summary>Removes all tokens.</summary>
    internal static async Task<Ok<SecretChanged>> RemoveAsync(ClaimsPrincipal caller, ProviderTokenStore store, CancellationToken cancellationToken)
    {
        await store.RemoveAllAsync(caller.UserId(), cancellationToken);
        return TypedResults.Ok(new SecretChanged("Unset Git provider tokens"));
    }

    private static bool IsLine(string? text, int longest) =>
        text?.Trim() is not { } line || (line.Length <= longest && !line.Any(letter => char.IsControl(letter) || char.IsWhiteSpace(letter)));

    private static string? OrNull(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

/// <summary>The tokens as the web front end posts them: always all providers, blank where nothing was entered.</summary>
/// <param name="ProviderTokens">Provider → token.</param>
public sealed record PostedProviders(IReadOnlyDictionary<string, PostedProvider?>? ProviderTokens);

/// <summary>A token for one provider.</summary>
/// <param name="Token">The token; blank keeps the stored one.</param>
/// <param name="Host">Host that it is for; blank for the provider's own.</param>
public sealed record PostedProvider(string? Token, string? Host);
