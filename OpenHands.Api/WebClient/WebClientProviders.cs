namespace OpenHands.Api.WebClient;

/// <summary>The git providers that the front end knows.</summary>
internal static class WebClientProviders
{
    /// <summary>Their names as they are configured and sent.</summary>
    public static readonly string[] Names = ["github", "gitlab", "bitbucket", "azure_devops", "forgejo", "enterprise_sso"];

    /// <summary>What to say about any other.</summary>
    public const string Rule =
        "WebClient:ProvidersConfigured may only hold: github, gitlab, bitbucket, azure_devops, forgejo, enterprise_sso.";
}
