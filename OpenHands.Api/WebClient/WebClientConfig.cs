using OpenHands.Api.Auth;

namespace OpenHands.Api.WebClient;

/// <summary>What the front end reads before it shows anything.</summary>
/// <param name="AppMode">`oss`: no login. `saas`: the front end shows its login page first.</param>
/// <param name="PosthogClientKey">Key of a PostHog project; null keeps analytics off.</param>
/// <param name="FeatureFlags">Parts of the front end that are on.</param>
/// <param name="ProvidersConfigured">Git providers one can log in with.</param>
/// <param name="MaintenanceStartTime">When maintenance begins, UTC; null shows no banner.</param>
/// <param name="AuthUrl">Host of the identity server, without a scheme.</param>
/// <param name="RecaptchaSiteKey">Site key of reCAPTCHA; null asks for no proof.</param>
/// <param name="FaultyModels">Models the front end warns about.</param>
/// <param name="ErrorMessage">Text of an error banner; null shows none.</param>
/// <param name="UpdatedAt">When the banners last changed, UTC.</param>
/// <param name="GithubAppSlug">Name of the GitHub App to install.</param>
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
