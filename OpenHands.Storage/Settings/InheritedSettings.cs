using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>What holds for the fields that a user has not chosen: the organization's, else the platform's.</summary>
/// <param name="Document">Values by field name; an absent field is inherited from nobody.</param>
/// <param name="HasLlmApiKey">Whether the organization has a key for the language model.</param>
/// <param name="Version">Version of the organization's settings; 0 when it has none.</param>
internal sealed record InheritedSettings(JsonObject Document, bool HasLlmApiKey, long Version)
{
    /// <summary>The organization's settings (null for none) over the platform's model (null for none).</summary>
    public static InheritedSettings From(OrganizationSettings? organization, string? platformModel)
    {
        var document = organization is null ? [] : JsonNode.Parse(organization.Document)!.AsObject(); // the table demands an object
        if (platformModel is not null && document[SettingsFields.LlmModel] is null)
            document[SettingsFields.LlmModel] = platformModel;
        return new InheritedSettings(
            document, organization is not null && JsonNode.Parse(organization.Secrets)![SettingsFields.LlmApiKey] is not null, organization?.Version ?? 0);
    }

    /// <summary>What holds for a user with this document of their own.</summary>
    public JsonNode? Effective(SettingsField field, JsonObject own)
    {
        if (own.TryGetPropertyValue(field.Name, out var chosen))
            return chosen;
        return Document.TryGetPropertyValue(field.Name, out var inherited) ? inherited : field.Default;
    }

    /// <summary>Whether the field was left to others by the posted value: it is what the user would have without a choice.</summary>
    public bool Gives(SettingsField field, JsonNode? value) =>
        Document.TryGetPropertyValue(field.Name, out var inherited) && JsonNode.DeepEquals(inherited, value);

    /// <summary>
    /// Whether the organization's key goes with the user's choices. It never goes to an address or a provider that a member
    /// chose: the member could read it there.
    /// </summary>
    public bool KeyGoesWith(JsonObject own) =>
        HasLlmApiKey
        && JsonNode.DeepEquals(EffectiveOf(SettingsFields.LlmBaseUrl, own), Document[SettingsFields.LlmBaseUrl])
        && Provider(EffectiveOf(SettingsFields.LlmModel, own)) == Provider(Document[SettingsFields.LlmModel]);

    private JsonNode? EffectiveOf(string name, JsonObject own) => own.TryGetPropertyValue(name, out var chosen) ? chosen : Document[name];

    // A model's name begins with its provider: openai/gpt-5, anthropic/claude-opus-4-5.
    private static string? Provider(JsonNode? model) => ((string?)model)?.Split('/')[0];
}
