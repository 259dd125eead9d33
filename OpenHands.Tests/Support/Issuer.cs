using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace OpenHands.Tests.Support;

/// <summary>An issuer of OpenID Connect identities in this process: whoever is its <see cref="Person"/> logs in without being asked.</summary>
internal sealed class Issuer : IAsyncDisposable
{
    public const string ClientId = "openhands-tests";

    private readonly WebApplication _app;
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Challenge, string? Nonce)> _codes = new();

    private Issuer(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    /// <summary>Who logs in next.</summary>
    public Dictionary<string, object> Person { get; set; } = Named("alice");

    public RsaSecurityKey Key => new(_rsa) { KeyId = "tests" };

    public static Dictionary<string, object> Named(string name) => new()
    {
        ["sub"] = $"subject-of-{name}",
        ["email"] = $"{name}@example.org",
        ["email_verified"] = true,
        ["name"] = name,
    };

    public static async Task<Issuer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var issuer = new Issuer(builder.Build());
        issuer.Map();
        await issuer._app.StartAsync(TestContext.Current.CancellationToken);
        return issuer;
    }

    /// <summary>Settings of an API that trusts this issuer.</summary>
    public string[] Settings => ["Identity:Mode=oidc", $"Identity:Oidc:Authority={Address}", $"Identity:Oidc:ClientId={ClientId}"];

    /// <summary>A token for a program.</summary>
    public string TokenFor(Dictionary<string, object> person, Action<SecurityTokenDescriptor>? change = null)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = Address,
            Audience = ClientId,
            Claims = person,
            IssuedAt = now,
            NotBefore = now.AddMinutes(-1),
            Expires = now.AddMinutes(5),
            SigningCredentials = new SigningCredentials(Key, SecurityAlgorithms.RsaSha256),
        };
        change?.Invoke(descriptor);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(descriptor);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _rsa.Dispose();
    }

    private void Map()
    {
        _app.MapGet("/.well-known/openid-configuration", () => new Dictionary<string, object>
        {
            ["issuer"] = Address,
            ["authorization_endpoint"] = $"{Address}/authorize",
            ["token_endpoint"] = $"{Address}/token",
            ["jwks_uri"] = $"{Address}/keys",
        });
        _app.MapGet("/keys", () =>
        {
            var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_rsa.ExportParameters(includePrivateParameters: false)) { KeyId = "tests" });
            return new { keys = new[] { new { kty = key.Kty, kid = key.Kid, n = key.N, e = key.E, use = "sig", alg = "RS256" } } };
        });
        _app.MapGet("/authorize", (HttpRequest request) =>
        {
            var code = Guid.CreateVersion7().ToString("N");
            _codes[code] = ((string)request.Query["code_challenge"]!, request.Query["nonce"]);
            return Results.Redirect(QueryHelpers.AddQueryString(
                (string)request.Query["redirect_uri"]!, new Dictionary<string, string?> { ["code"] = code, ["state"] = request.Query["state"] }));
        });
        _app.MapPost("/token", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            if (!_codes.TryRemove((string)form["code"]!, out var asked)
                || asked.Challenge != WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes((string)form["code_verifier"]!))))
            {
                return Results.BadRequest(new { error = "invalid_grant" });
            }

            var claims = new Dictionary<string, object>(Person);
            if (asked.Nonce is not null)
                claims["nonce"] = asked.Nonce;
            return Results.Json(new Dictionary<string, object> { ["access_token"] = "unused", ["token_type"] = "Bearer", ["id_token"] = TokenFor(claims) });
        });
    }
}
