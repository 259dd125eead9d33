using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>Every field of the settings, and nothing else: what is not listed here is ignored when it is posted.</summary>
internal static class SettingsFields
{
    /// <summary>The list of tool servers: a secret as a whole, since keys stand in it.</summary>
    public const string McpConfig = "mcp_config";

    /// <summary>The language model.</summary>
    public const string LlmModel = "llm_model";

    /// <summary>Its address; null for the provider's own.</summary>
    public const string LlmBaseUrl = "llm_base_url";

    /// <summary>The key for the language model.</summary>
    public const string LlmApiKey = "llm_api_key";

    /// <summary>Longest key, in characters.</summary>
    public const int LongestKey = 8192;

    /// <summary>The fields of the document.</summary>
    public static readonly IReadOnlyList<SettingsField> Document =
    [
        SettingsField.Text("language", 35), // the longest tag that RFC 5646 asks for
        SettingsField.Text("agent", 100),
        SettingsField.Whole("max_iterations"),
        SettingsField.Text("security_analyzer", 100),
        SettingsField.Flag("confirmation_mode"),
        new(LlmModel, "the name of a model, at most 500 characters", NotBlank) { KeepsOnNull = true },
        SettingsField.Text(LlmBaseUrl, 2048) with { BlankIsNull = true }, // null: the provider's own address
        SettingsField.Whole("user_version"),
        SettingsField.Whole("remote_runtime_resource_factor"),
        SettingsField.Flag("enable_default_condenser", preset: true),
        SettingsField.Flag("enable_sound_notifications", preset: false),
        SettingsField.Flag("enable_proactive_conversation_starters", preset: true),
        SettingsField.Flag("enable_solvability_analysis", preset: true),
        SettingsField.Flag("user_consents_to_analytics") with { KeepsOnNull = true },
        SettingsField.Text("sandbox_base_container_image", 500),
        SettingsField.Text("sandbox_runtime_container_image", 500),
        SettingsField.Amount("max_budget_per_task"),
        SettingsField.Whole("condenser_max_size", least: 20),
        SettingsField.Text("git_user_name", 256),
        SettingsField.Text("git_user_email", 320),
    ];

    /// <summary>
    /// The keys. Null always keeps the stored one, since that is what is shown in its place; what an empty text does differs:
    /// the forms send an empty search key with every save.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, bool> KeysAndWhetherEmptyClears = new Dictionary<string, bool>
    {
        [LlmApiKey] = true,
        ["search_api_key"] = false,
        ["sandbox_api_key"] = true,
    };

    /// <summary>The fields of the document that an organization may give its members.</summary>
    public static readonly IReadOnlyList<SettingsField> Inheritable = [.. Document.Where(field => field.Name is LlmModel or LlmBaseUrl)];

    private static JsonValue? NotBlank(JsonValue value) =>
        SettingsField.OneLine(value, 500) is { } text && !string.IsNullOrWhiteSpace(text.GetValue<string>()) ? text : null;
}
