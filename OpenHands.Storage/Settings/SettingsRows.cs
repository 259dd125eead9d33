namespace OpenHands.Storage.Settings;

/// <summary>Everything that a user's settings are made of, as one query gives it.</summary>
internal sealed class SettingsRows
{
    /// <summary>The user's own; null when none were ever saved.</summary>
    public UserSettings? Own { get; init; }

    /// <summary>Those of the organization that the user acts in; null when it gives none.</summary>
    public OrganizationSettings? Organization { get; init; }

    /// <summary>Address that identity gave.</summary>
    public string? Email { get; init; }

    /// <summary>Git providers with a stored token.</summary>
    public List<ProviderHost> Providers { get; init; } = [];
}

/// <summary>A git provider with a stored token.</summary>
internal sealed class ProviderHost
{
    /// <summary>Name of the provider.</summary>
    public required string Provider { get; init; }

    /// <summary>Host that the token is for; null for the provider's own.</summary>
    public string? Host { get; init; }
}
