using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>What an organization gives its members, as they may see it.</summary>
public sealed record GivenSettings
{
    /// <summary>The language model; null when the organization gives none.</summary>
    public string? LlmModel { get; init; }

    /// <summary>Its address; null for the provider's own.</summary>
    public string? LlmBaseUrl { get; init; }

    /// <summary>Whether there is a key, which nobody can read back.</summary>
    public required bool LlmApiKeySet { get; init; }

    /// <summary>Grows with every change; 0 before the first.</summary>
    public required long Version { get; init; }

    internal static GivenSettings From(OrganizationSettings? row)
    {
        var inherited = InheritedSettings.From(row, platformModel: null);
        return new GivenSettings
        {
            LlmModel = Text(inherited.Document, SettingsFields.LlmModel),
            LlmBaseUrl = Text(inherited.Document, SettingsFields.LlmBaseUrl),
            LlmApiKeySet = inherited.HasLlmApiKey,
            Version = inherited.Version,
        };
    }

    private static string? Text(JsonObject document, string name) => (string?)document[name];
}
