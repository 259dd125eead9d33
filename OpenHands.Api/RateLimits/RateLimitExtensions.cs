using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;
using OpenHands.Storage.RateLimits;

namespace OpenHands.Api.RateLimits;

/// <summary>Puts rate limits into the API.</summary>
internal static class RateLimitExtensions
{
    /// <summary>Limits by `RateLimits`. Where they are off, nothing of them runs.</summary>
    public static void AddRateLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<RateLimitOptions>().BindConfiguration(RateLimitOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<RateLimitOptions>, RateLimitOptionsCheck>();
        builder.Services.TryAddSingleton<ApiMetrics>();
        if (!IsOn(builder.Configuration))
            return;
        builder.Services.AddSingleton<ReplicaCount>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ReplicaCount>());
        builder.Services.AddSingleton<LocalLimits>();
        builder.Services.AddSingleton<RateLimiter>();
        builder.Services.AddSingleton<LimitedCallers>();
    }

    /// <summary>Counts requests of a login, or all others: the former before authentication, the latter after it.</summary>
    public static void UseRateLimits(this WebApplication app, LimitedRoutes routes)
    {
        if (IsOn(app.Configuration))
            app.UseMiddleware<RateLimiting>(routes);
    }

    private static bool IsOn(IConfiguration configuration)
    {
        var identity = configuration.GetSection(IdentityOptions.Section).Get<IdentityOptions>() ?? new IdentityOptions();
        return configuration.GetValue<bool?>($"{RateLimitOptions.Section}:{nameof(RateLimitOptions.Enabled)}") ?? (!identity.IsAnonymous || identity.AllowRemote);
    }

    private sealed class RateLimitOptionsCheck : IValidateOptions<RateLimitOptions>
    {
        public ValidateOptionsResult Validate(string? name, RateLimitOptions options) =>
            options.Problem is { } problem ? ValidateOptionsResult.Fail(problem) : ValidateOptionsResult.Success;
    }
}
