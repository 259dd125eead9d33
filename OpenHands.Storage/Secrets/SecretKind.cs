namespace OpenHands.Storage.Secrets;

/// <summary>What a stored secret is. A user may name a secret as they like: it never meets what the platform stores itself.</summary>
internal static class SecretKind
{
    /// <summary>Named by a person, for the agent's use.</summary>
    public const string Custom = "custom";

    /// <summary>Token for a git provider, named by the provider.</summary>
    public const string ProviderToken = "provider_token";
}
