using System.ComponentModel.DataAnnotations;

namespace OpenHands.Api.WebClient;

/// <summary>What the web front end is told before anybody is known.</summary>
internal sealed class WebClientOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "WebClient";

    /// <summary>Key of a PostHog project; null keeps analytics off.</summary>
    public string? PosthogClientKey { get; set; }

    /// <summary>Parts of the front end that are on.</summary>
    public WebClientFeatures FeatureFlags { get; } = new();

    /// <summary>Git providers one can log in with.</summary>
    public IList<string> ProvidersConfigured { get; } = [];

    /// <summary>When maintenance begins; null shows no banner.</summary>
    public DateTimeOffset? MaintenanceStartTime { get; set; }

    /// <summary>Host of the identity server, without a scheme; null when there is none.</summary>
    public string? AuthUrl { get; set; }

    /// <summary>Site key of reCAPTCHA; null asks for no proof.</summary>
    public string? RecaptchaSiteKey { get; set; }

    /// <summary>Models the front end warns about.</summary>
    public IList<string> FaultyModels { get; } = [];

    /// <summary>Text of an error banner; null shows none.</summary>
    public string? ErrorMessage { get; set; }

    /// <summary>When the banners last changed: one that was dismissed before is shown again.</summary>
    [Required]
    public DateTimeOffset? UpdatedAt { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Name of the GitHub App to install; null when there is none.</summary>
    public string? GithubAppSlug { get; set; }

    /// <summary>Whether every provider is one the front end knows.</summary>
    public bool KnowsAllProviders() => ProvidersConfigured.All(WebClientProviders.Names.Contains);
}
