using OpenHands.Api.Auth;

namespace OpenHands.Api.WebClient;

/// <summary>The answer that the front end reads before it shows anything. Its members are those of <see cref="WebClientOptions"/>.</summary>
/// <param name="AppMode">`oss`: no login. `saas`: the front end shows its login page first.</param>
/// <param name="PosthogClientKey">See the options.</param>
/// <param name="FeatureFlags">See the options.</param>
/// <param name="ProvidersConfigured">See the options.</param>
/// <param name="MaintenanceStartTime">See the options; UTC.</param>
/// <param name="AuthUrl">See the options.</param>
/// <param name="RecaptchaSiteKey">See the options.</param>
/// <param name="FaultyModels">See the options.</param>
/// <param name="ErrorMessage">See the options.</param>
/// <param name="UpdatedAt">See the options; UTC.</param>
/// <param name="GithubAppSlug">See the options.</param>
internal sealed record WebClientConfig(
    string AppMode,
    string? PosthogClientKey,
    WebClientFeatures FeatureFlags,
    IEnumerable<string> ProvidersConfigured,
    DateTime? MaintenanceStartTime,
    string? AuthUrl,
    string? RecaptchaSiteKey,
    IEnumerable<string> FaultyModels,
    string? ErrorMessage,
    DateTime UpdatedAt,
    string? GithubAppSlug)
{
    /// <summary>The configuration as it is sent.</summary>
    public static WebClientConfig From(WebClientOptions options, IdentityOptions identity) => new(
        AppMode: identity.Mode == IdentityOptions.LocalMode ? "oss" : "saas",
        options.PosthogClientKey,
        options.FeatureFlags,
        options.ProvidersConfigured,
        options.MaintenanceStartTime?.UtcDateTime,
        options.AuthUrl,
        options.RecaptchaSiteKey,
        options.FaultyModels,
        options.ErrorMessage,
        options.UpdatedAt.GetValueOrDefault().UtcDateTime,
        options.GithubAppSlug);
}
