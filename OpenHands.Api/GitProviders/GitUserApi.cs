using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Api.Auth;
using OpenHands.Api.RateLimits;
using OpenHands.Api.Settings;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Secrets;

namespace OpenHands.Api.GitProviders;

/// <summary>Who the caller is at their git provider.</summary>
internal static class GitUserApi
{
    /// <summary>Adds what asks git providers, its options checked on start.</summary>
    public static void AddGitProviders(this IServiceCollection services)
    {
        services.AddOptions<GitProviderOptions>().BindConfiguration(GitProviderOptions.Section)
            .Validate(options => options.HasTimeout, GitProviderOptions.TimeoutRule)
            .ValidateOnStart();
        services.AddSingleton<GuardedConnection>();
        services.AddSingleton<GitProviderClient>();
        services.AddScoped<TokenCheck>();
    }

    /// <summary>Maps it.</summary>
    public static void MapGitUser(this IEndpointRouteBuilder routes)
    {
        var user = routes.MapGroup("/api/user").WithTags("Git providers").ActAsTenant(ApiKeyScopes.Secrets);
        user.AddEndpointFilter<StoredSecretProblems>();
        user.MapGet("/info", InfoAsync).Costs(2);
    }

    /// <summary>
    /// The caller as the first of their git providers knows them that says so. 404 while none is connected, 401 where the token is not
    /// taken, 422 for a host that may not be asked, 424 where the provider fails.
    /// </summary>
    internal static async Task<Results<Ok<GitUser>, ProblemHttpResult>> InfoAsync(
        ClaimsPrincipal caller, ProviderTokenStore store, GitProviderClient client, CancellationToken cancellationToken)
    {
        var userId = caller.UserId();
        var connected = await store.ConnectedAsync(userId, cancellationToken);
        ProblemHttpResult? problem = null;
        foreach (var provider in GitProvider.All.Where(provider => connected.Contains(provider.Name)))
        {
            if (await store.FindAsync(userId, provider.Name, cancellationToken) is not { } stored)
                continue;

            var token = Encoding.UTF8.GetString(stored.Value);
            CryptographicOperations.ZeroMemory(stored.Value);
            var answer = await client.AskAsync(provider, stored.Host, token, cancellationToken);
            if (answer.User is { } user)
                return TypedResults.Ok(user);

            problem ??= GitProblems.Of(provider, answer.Outcome);
        }

        return problem ?? GitProblems.NotConnected();
    }
}
