using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OpenHands.Api.Auth;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api;

/// <summary>The API as it runs on a laptop, with one page of another origin allowed and a few routes to look at the edge with.</summary>
public sealed class LocalApi : IAsyncLifetime
{
    public const string ListedOrigin = "http://localhost:3001";
    public const string Secret = "sk-what-nobody-may-see";

    internal ApiHost Host { get; private set; } = null!;

    internal HttpClient Client => Host.Client;

    public async ValueTask InitializeAsync() =>
        Host = await ApiHost.StartAsync([$"Cors:Origins:0={ListedOrigin}", "Identity:AllowedHosts:0=oh.example.org", "Identity:AllowedHosts:1=*.example.net"], MapProbes);

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private static void MapProbes(WebApplication app)
    {
        var probes = app.MapGroup("/api/test");
        probes.MapGet("/user", (ClaimsPrincipal user) => user.UserId());
        probes.MapPost("/change", () => TypedResults.Ok());
        probes.MapPost("/body", (Numbered body) => TypedResults.Ok(body));
        probes.MapGet("/query", (int number) => TypedResults.Ok(number));
        probes.MapGet("/status/{status:int}", (int status) => TypedResults.StatusCode(status));
        probes.MapGet("/forbidden", () => TypedResults.Ok()).RequireAuthorization(policy => policy.RequireAssertion(_ => false));
        probes.MapGet("/failure", string () => throw new InvalidOperationException(Secret));
    }

    /// <summary>Public: request types always are.</summary>
    public sealed record Numbered(int Number);
}
