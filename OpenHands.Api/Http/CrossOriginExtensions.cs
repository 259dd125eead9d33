using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace OpenHands.Api.Http;

/// <summary>CORS from the list in <see cref="CrossOriginOptions"/>.</summary>
internal static class CrossOriginExtensions
{
    // Browsers ask again after this; Chromium caps it at two hours.
    private static readonly TimeSpan PreflightLifetime = TimeSpan.FromHours(1);

    /// <summary>Adds the one policy that all routes share.</summary>
    public static void AddCrossOrigin(this IServiceCollection services)
    {
        services.AddOptions<CrossOriginOptions>().BindConfiguration(CrossOriginOptions.Section)
            .Validate(
                options => options.Origins.All(CrossOriginOptions.IsOrigin),
                "Cors:Origins must hold origins such as http://localhost:3001: scheme, host and port, without a path or a wildcard.")
            .ValidateOnStart();
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<CrossOriginOptions>>((cors, ours) =>
            cors.AddDefaultPolicy(policy => policy
                .WithOrigins([.. ours.Value.Origins])
                .AllowAnyHeader()
                .AllowAnyMethod()
                .AllowCredentials()
                .WithExposedHeaders("ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", IdempotencyFilter.RepeatedHeader)
                .SetPreflightMaxAge(PreflightLifetime)));
    }
}
